"""Tokens of the app's issuer: verified under the keys of its file, and cached until they expire or the keys change.

A token is verified in this order: the steps of `cameo_credential.signature` under the keys of the issuer's file (`malformed`,
`unsupported_algorithm`, `wrong_type`, `unknown_key`, `bad_signature`), the issuer (`wrong_issuer`), this service among its
audiences (`wrong_audience`), its times (`not_yet_valid`, `expired`), its subject (`malformed`), and last the claims of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

import structlog
from joserfc.errors import ExpiredTokenError, InvalidClaimError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from cameo_credential import key_files
from cameo_credential.errors import CameoError, CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.public_keys import ED25519, P256, PublicKey, read_public_keys
from cameo_credential.signature import TokenKind, verify_jws
from cameo_credential.watched_file import WatchedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from joserfc.jwt import ClaimsOption

    from cameo_verifier.settings import Settings

log = structlog.get_logger(__name__)

NamedT = TypeVar("NamedT")

Keys: TypeAlias = "Mapping[str, PublicKey]"
"""Public keys by `kid`."""

_KEY_KINDS = (ED25519, P256)
_MAX_CHARS = 8192
_REMEMBERED = 4096
NOT_BEFORE_LEEWAY_S = 30
"""How far the issuer's clock may be ahead of ours. For `exp` there is none: a token ends when it says."""
_MAX_ID_CHARS = 128
_REFUSALS = {"iss": "wrong_issuer", "aud": "wrong_audience", "nbf": "not_yet_valid"}


class CallerTokenError(CameoError):
    """A token of the app's issuer was refused; `refusal` is the code of the module's list, or one of the token's kind."""

    def __init__(self, refusal: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class AppIssuer:
    """The app's issuer: its `iss`, the `aud` that its tokens name, its public keys; `clock` returns the time in UTC."""

    name: str
    audience: str
    keys: WatchedFile[Keys]
    clock: Callable[[], datetime]

    @classmethod
    def open(cls, settings: Settings, *, clock: Callable[[], datetime]) -> Self:
        """Read the keys of the issuer that the site names.

        Raises:
            InvalidRequestError: an issuer without keys.
            KeyFileError: the key file is missing or malformed.
        """
        if settings.caller_keys is None:
            raise InvalidRequestError("CAMEO_CALLER_ISSUER needs CAMEO_CALLER_KEYS, the file of its public keys (JWKS)")
        keys = WatchedFile(settings.caller_keys, _read_keys, report=_report)
        return cls(settings.caller_issuer, settings.caller_audience or settings.issuer, keys, clock)


class IssuerTokens(Generic[NamedT]):
    """Verifies the tokens of one kind of one issuer."""

    def __init__(self, issuer: AppIssuer, kind: TokenKind, read: Callable[[Mapping[str, Any]], NamedT]) -> None:
        """Keep the parts.

        Args:
            issuer: who signs them.
            kind: what their header may say.
            read: returns what the claims of a token name; `CallerTokenError` if they are none of this kind.
        """
        self.issuer = issuer
        self._kind = kind
        self._read = read
        self._keys = issuer.keys.current()
        self._verified: dict[str, tuple[NamedT, float]] = {}

    def verify(self, token: str) -> NamedT:
        """Verify a token and return what it names.

        Raises:
            CallerTokenError: with one of the codes of the module's list, or of the kind's.
        """
        now = self.issuer.clock().timestamp()
        keys = self.issuer.keys.current()
        if keys is not self._keys:
            # A key that is gone takes back what it signed.
            self._keys = keys
            self._verified.clear()
        known = self._verified.get(token)
        if known is not None and now < known[1]:
            return known[0]
        claims = self._claims(token)
        self._check_claims(claims, int(now))
        named = self._read(claims)
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = named, float(claims["exp"])
        return named

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_CHARS:
            raise CallerTokenError("malformed", f"a token of the app's issuer has at most {_MAX_CHARS} characters")
        try:
            _, claims = verify_jws(token, self._keys.get, self._kind)
        except CredentialError as error:
            raise CallerTokenError(error.reason, str(error)) from None
        return claims

    def _check_claims(self, claims: dict[str, Any], now: int) -> None:
        options: dict[str, ClaimsOption] = {
            "iss": {"essential": True, "value": self.issuer.name},
            "aud": {"essential": True, "value": self.issuer.audience},
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
        subject = claims["sub"]
        if not 1 <= len(subject) <= _MAX_ID_CHARS or not subject.isprintable():
            raise CallerTokenError("malformed", f"`sub` of the token must have 1 to {_MAX_ID_CHARS} printable characters")


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
