"""Who calls: the identity in `authorization: Bearer JWT`, as the app's issuer signed it.

A token is believed in this order: one header, the steps of `cameo_credential.signature` under the keys of the issuer's file
(`malformed`, `unsupported_algorithm`, `wrong_type`, `unknown_key`, `bad_signature`), the issuer (`wrong_issuer`), this service
among its audiences (`wrong_audience`), its times (`not_yet_valid`, `expired`), and at last a subject and a role we know
(`malformed`, `unknown_role`).
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import structlog
from joserfc.errors import ExpiredTokenError, InvalidClaimError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from cameo_credential import key_files
from cameo_credential.errors import CameoError, CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.public_keys import ED25519, P256, PublicKey, read_public_keys
from cameo_credential.signature import JWT_TYPES, TokenKind, verify_jws
from cameo_credential.watched_file import WatchedFile
from cameo_verifier.cameo.caller_role import CallerRole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from joserfc.jwt import ClaimsOption

    from cameo_verifier.settings import Settings


log = structlog.get_logger(__name__)

Keys: TypeAlias = "Mapping[str, PublicKey]"
"""Public keys by `kid`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. verified: a token says so; otherwise the site has named no issuer and everyone counts as the app."""

    role: CallerRole
    id: str
    verified: bool = True

    @property
    def sees(self) -> str | None:
        """Whose things an owner or the app is shown: their own, or None, which is everyone's, for the app."""
        return None if self.role is CallerRole.APP else self.id


EVERYONE_IS_THE_APP = Caller(CallerRole.APP, "", verified=False)

CALLER: ContextVar[Caller | None] = ContextVar("cameo_caller", default=None)
"""The caller of the call that is being answered; None where the method is open and there is no token."""


def current_caller() -> Caller:
    """Return who called; to be used in methods that are not open to anyone."""
    caller = CALLER.get()
    if caller is None:
        raise RuntimeError("a method asks who called, but is open to anyone")
    return caller


class CallerTokenError(CameoError):
    """A caller's token was refused; `refusal` is the code of the module's list."""

    def __init__(self, refusal: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.refusal = refusal


_KEY_KINDS = (ED25519, P256)
_KIND = TokenKind(JWT_TYPES | {"at+jwt", "application/at+jwt"}, foreign=True)
"""RFC 9068 names the type `at+jwt`; issuers that do not follow it write `JWT` or nothing."""
_MAX_CHARS = 8192
_REMEMBERED = 4096
NOT_BEFORE_LEEWAY_S = 30
"""How far the issuer's clock may be ahead of ours. For `exp` there is none: a token ends when it says."""
_MAX_ID_CHARS = 128
_ROLES = tuple(role for role in CallerRole if role is not CallerRole.CAPTURE)
"""Roles of the app's issuer."""
_REFUSALS = {"iss": "wrong_issuer", "aud": "wrong_audience", "nbf": "not_yet_valid"}


class CallerTokens:
    """Verifies the tokens of one issuer. What was verified is remembered until it expires or the issuer's keys change."""

    def __init__(self, *, issuer: str, audience: str, keys: WatchedFile[Keys], clock: Callable[[], datetime]) -> None:
        """Keep the expectations: `iss`, `aud`, public keys by `kid`; `clock` returns the time in UTC."""
        self._file = keys
        self._keys = keys.current()
        self._issuer = issuer
        self._clock = clock
        self._audience = audience
        self._verified: dict[str, tuple[Caller, float]] = {}

    @classmethod
    def open(cls, settings: Settings, *, clock: Callable[[], datetime]) -> Self | None:
        """Read the keys of the site's caller issuer; None when it names none.

        Raises:
            InvalidRequestError: an issuer without keys, or no issuer and an address that others can reach.
            KeyFileError: the key file is missing or malformed.
        """
        if not settings.caller_issuer:
            if settings.tls_clients is None and not is_loopback(settings.listen):
                raise InvalidRequestError(
                    f"without CAMEO_CALLER_ISSUER everyone counts as the app, so {settings.listen} is not served, loopback is; "
                    "set CAMEO_CALLER_ISSUER and CAMEO_CALLER_KEYS"
                )
            return None
        if settings.caller_keys is None:
            raise InvalidRequestError("CAMEO_CALLER_ISSUER needs CAMEO_CALLER_KEYS, the file of its public keys (JWKS)")
        keys = WatchedFile(settings.caller_keys, _read_keys, report=_report)
        audience = settings.caller_audience or settings.issuer
        return cls(issuer=settings.caller_issuer, audience=audience, keys=keys, clock=clock)

    def verify(self, token: str) -> Caller:
        """Return whom a token names.

        Raises:
            CallerTokenError: with one of the codes of the module's list.
        """
        now = self._clock().timestamp()
        keys = self._file.current()
        if keys is not self._keys:
            # A key that is gone takes back what it signed.
            self._keys = keys
            self._verified.clear()
        known = self._verified.get(token)
        if known is not None and now < known[1]:
            return known[0]
        claims = self._claims(token)
        self._check_claims(claims, int(now))
        caller = _caller(claims)
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = caller, float(claims["exp"])
        return caller

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_CHARS:
            raise CallerTokenError("malformed", f"a caller's token has at most {_MAX_CHARS} characters")
        try:
            _, claims = verify_jws(token, self._keys.get, _KIND)
        except CredentialError as error:
            raise CallerTokenError(error.reason, str(error)) from None
        return claims

    def _check_claims(self, claims: dict[str, Any], now: int) -> None:
        options: dict[str, ClaimsOption] = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._audience},
            "nbf": {"essential": False},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        # One after the other, so that what is wrong has one name.
        for name, option in options.items():
            given = {name: claims[name]} if name in claims else {}
            try:
                JWTClaimsRegistry(now, NOT_BEFORE_LEEWAY_S if name == "nbf" else 0, **{name: option}).validate(given)
            except ExpiredTokenError:
                raise CallerTokenError("expired", "the token has expired") from None
            except (InvalidClaimError, MissingClaimError):
                refusal = _REFUSALS.get(name, "malformed")
                raise CallerTokenError(refusal, f"`{name}` of the token is missing or not one this server takes now") from None


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, role = claims["sub"], claims.get("role")
    if not 1 <= len(subject) <= _MAX_ID_CHARS or not subject.isprintable():
        raise CallerTokenError("malformed", f"`sub` of the token must have 1 to {_MAX_ID_CHARS} printable characters")
    if role not in _ROLES:
        raise CallerTokenError("unknown_role", f"`role` of the token must be one of {', '.join(_ROLES)}")
    return Caller(CallerRole(role), subject)


def _read_keys(path: Path) -> Keys:
    document = key_files.read_json(path, secret=False)
    try:
        return _keys(document)
    except ValueError as error:
        raise KeyFileError(f"{path} is not a set of public Ed25519 and P-256 keys: {error}") from None


def _report(error: KeyFileError) -> None:
    log.error("the changed keys of callers' tokens cannot be used; those before stay in use", error=str(error))


def _keys(document: Mapping[str, Any]) -> Keys:
    keys = {kid: key for kid, key in read_public_keys(document, _KEY_KINDS) if kid}
    if not keys:
        raise ValueError("it holds none with a `kid`")
    return keys


def is_loopback(address: str) -> bool:
    """Whether nobody but this machine can be at an address, with its port."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
