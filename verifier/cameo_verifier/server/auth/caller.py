"""Caller authentication: verifies the identity in `authorization: Bearer JWT`, signed by the app's issuer.

The token is verified as `issuer_tokens` says; last, its role must be known (`unknown_role`).
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self

from cameo_credential.errors import InvalidRequestError
from cameo_credential.signature import JWT_TYPES, TokenKind
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.server.auth.issuer_tokens import AppIssuer, CallerTokenError, IssuerTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cameo_verifier.settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller.

    Attributes:
        role: its role.
        id: its `sub`; with the role `capture` the session.
        verified: by a token; otherwise the site has named no issuer and everyone counts as the app.
        may_choose: with the role `capture`, whether the person may say what they cannot do.
    """

    role: CallerRole
    id: str
    verified: bool = True
    may_choose: bool = False

    @property
    def sees(self) -> str | None:
        """The subject whose resources an owner or the app may see: the owner's own, or None, which is everyone's, for the app."""
        return None if self.role is CallerRole.APP else self.id


EVERYONE_IS_THE_APP = Caller(CallerRole.APP, "", verified=False)

CALLER: ContextVar[Caller | None] = ContextVar("cameo_caller", default=None)
"""The caller of the current call; None where the method is open to anyone and there is no token."""


def current_caller() -> Caller:
    """Return the caller of the current call, whose method must not be open to anyone."""
    caller = CALLER.get()
    if caller is None:
        raise RuntimeError("a method needs its caller, but is open to anyone")
    return caller


_KIND = TokenKind(JWT_TYPES | {"at+jwt", "application/at+jwt"}, foreign=True)
"""RFC 9068 names the type `at+jwt`; issuers that do not follow it write `JWT` or nothing."""
_ROLES = tuple(role for role in CallerRole if role is not CallerRole.CAPTURE)
"""Roles of the app's issuer."""


class CallerTokens(IssuerTokens[Caller]):
    """Verifies callers' tokens."""

    def __init__(self, issuer: AppIssuer) -> None:
        """Keep who signs them."""
        super().__init__(issuer, _KIND, _caller)

    @classmethod
    def open(cls, settings: Settings, *, clock: Callable[[], datetime]) -> Self | None:
        """Read the keys of the site's caller issuer; None when it names none.

        Raises:
            InvalidRequestError: an issuer without keys, or no issuer and an address that others can reach.
            KeyFileError: the key file is missing or malformed.
        """
        if settings.caller_issuer:
            return cls(AppIssuer.open(settings, clock=clock))
        if settings.tls_clients is None and not is_loopback(settings.listen):
            raise InvalidRequestError(
                f"without CAMEO_CALLER_ISSUER everyone counts as the app, so {settings.listen} is not served, loopback is; "
                "set CAMEO_CALLER_ISSUER and CAMEO_CALLER_KEYS"
            )
        return None


def _caller(claims: Mapping[str, Any]) -> Caller:
    role = str(claims.get("role"))
    if role not in _ROLES:
        raise CallerTokenError("unknown_role", f"`role` of the token must be one of {', '.join(_ROLES)}")
    return Caller(CallerRole(role), claims["sub"])


def is_loopback(address: str) -> bool:
    """Whether an address, with its port, is loopback or a Unix socket."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
