"""The issuer's Ed25519 keys: one active, older ones kept so that what they signed still verifies.

A key is named by its RFC 7638 thumbprint and carries the time it was made (`iat`) and the time it ends (`exp`), the JWK
members OpenID Federation 1.0 registers for that. No credential is valid beyond the `exp` of the key that signed it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from verifier.credential import key_files
from verifier.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIGNATURE_ALGORITHM = "Ed25519"
"""The fully specified name of EdDSA over Curve25519 (RFC 9864, which deprecates the ambiguous name "EdDSA")."""

KEY_LIFETIME = timedelta(days=730)
"""Two years, the middle of the one to three that NIST SP 800-57 Part 1 rev. 5, section 5.3.6, gives a private signature key."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public Ed25519 key and when it ends."""

    kid: str
    issued_at: datetime
    expires_at: datetime
    key: OKPKey = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key and when it ends."""

    kid: str
    issued_at: datetime
    expires_at: datetime
    key: OKPKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls, *, now: datetime, lifetime: timedelta = KEY_LIFETIME) -> Self:
        """Make a key that starts at `now`, to the second, and ends after `lifetime`."""
        key = OKPKey.generate_key("Ed25519")
        start = now.astimezone(UTC).replace(microsecond=0)
        return cls(kid=key.thumbprint(), issued_at=start, expires_at=start + lifetime, key=key)

    def public(self) -> VerificationKey:
        """Return the half that verifies."""
        return VerificationKey(self.kid, self.issued_at, self.expires_at, OKPKey.import_key(self.key.as_dict(private=False)))


@dataclass(frozen=True, slots=True)
class VerificationKeys:
    """The public keys of one issuer by `kid`: what `CredentialService.GetKeys` publishes.

    issuer: whose they are, as `iss` names it; empty where the set does not say.
    """

    keys: Mapping[str, VerificationKey]
    issuer: str = ""

    def to_jwks(self) -> dict[str, Any]:
        """Return the JWK set (RFC 7517 section 5), with `issuer` as a further member where it is known."""
        keys = [_to_jwk(key, private=False) for key in self.keys.values()]
        return {"issuer": self.issuer, "keys": keys} if self.issuer else {"keys": keys}

    @classmethod
    def from_jwks(cls, document: Mapping[str, Any]) -> Self:
        """Read a JWK set; private members, should there be any, are dropped.

        Raises:
            KeyFileError: it is no JWK set, or holds a key that is not ours in kind.
        """
        issuer = document.get("issuer", "")
        if not isinstance(issuer, str):
            raise KeyFileError("'issuer' is not a string")
        keys = (VerificationKey(*_from_jwk(jwk, private=False)) for jwk in _jwks(document))
        return cls({key.kid: key for key in keys}, issuer)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a JWK set from a file.

        Raises:
            KeyFileError: the file is missing or malformed; the message names it.
        """
        document = key_files.read_json(path, secret=False)
        try:
            return cls.from_jwks(document)
        except KeyFileError as error:
            raise KeyFileError(f"{path}: {error}") from None


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """The private key set; `active` signs, all verify."""

    active: SigningKey
    retired: tuple[SigningKey, ...] = ()

    @classmethod
    def open(cls, path: Path, *, now: datetime, lifetime: timedelta = KEY_LIFETIME) -> Self:
        """Load the set from its owner-only JWKS file, or make it, with one key, on first start.

        Servers that start side by side over one folder end up with the same key.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written.
        """
        if not path.exists():
            key_files.create_json(path, cls(SigningKey.generate(now=now, lifetime=lifetime)).to_jwks(), secret=True)
        document = key_files.read_json(path, secret=True)
        try:
            return cls.from_jwks(document)
        except KeyFileError as error:
            raise KeyFileError(f"{path}: {error}") from None

    def to_jwks(self) -> dict[str, Any]:
        """Return the private JWK set, with the `kid` of the active key in `active`."""
        return {"keys": [_to_jwk(key, private=True) for key in (self.active, *self.retired)], "active": self.active.kid}

    @classmethod
    def from_jwks(cls, document: Mapping[str, Any]) -> Self:
        """Read a private JWK set.

        Raises:
            KeyFileError: it is no JWK set, a key is not a private Ed25519 key of ours, or `active` names none of them.
        """
        keys = {key.kid: key for key in (SigningKey(*_from_jwk(jwk, private=True)) for jwk in _jwks(document))}
        if (active := document.get("active")) not in keys:
            raise KeyFileError("'active' names no key of the set")
        return cls(active=keys.pop(active), retired=tuple(keys.values()))

    def public(self, issuer: str = "") -> VerificationKeys:
        """Return the public half of every key, the active one first, as those of `issuer`."""
        return VerificationKeys({key.kid: key.public() for key in (self.active, *self.retired)}, issuer)


def _jwks(document: Mapping[str, Any]) -> list[Any]:
    keys = document.get("keys")
    if not isinstance(keys, list) or not keys:
        raise KeyFileError("not a JWK set: 'keys' is missing or empty")
    return keys


def _to_jwk(key: SigningKey | VerificationKey, *, private: bool) -> dict[str, Any]:
    return {
        **key.key.as_dict(private=private),
        "kid": key.kid,
        "use": "sig",
        "alg": SIGNATURE_ALGORITHM,
        "iat": int(key.issued_at.timestamp()),
        "exp": int(key.expires_at.timestamp()),
    }


def _from_jwk(jwk: object, *, private: bool) -> tuple[str, datetime, datetime, OKPKey]:
    # Only the members of the key itself reach the library; whatever else the document says cannot steer it.
    try:
        if not isinstance(jwk, dict) or (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519"):
            raise ValueError("not an Ed25519 key")  # noqa: TRY301 - reported like every other malformation
        members = ("kty", "crv", "x", "d") if private else ("kty", "crv", "x")
        key = OKPKey.import_key({name: jwk[name] for name in members})
        if OKPKey.import_key(key.raw_value).as_dict(private=False)["x"] != jwk["x"]:
            raise ValueError("its two halves do not belong together")  # noqa: TRY301 - the same
        if jwk["kid"] != key.thumbprint():
            raise ValueError("'kid' is not the thumbprint of the key")  # noqa: TRY301 - the same
        return key.thumbprint(), datetime.fromtimestamp(jwk["iat"], UTC), datetime.fromtimestamp(jwk["exp"], UTC), key
    except KeyError as error:
        raise KeyFileError(f"a key has no {error}") from None
    except (JoseError, OverflowError, TypeError, ValueError) as error:
        raise KeyFileError(f"a key is malformed: {error}") from None
