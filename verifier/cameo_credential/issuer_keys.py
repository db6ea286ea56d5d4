"""The issuer's Ed25519 keys: one signs, others are published so that what they signed, or will sign, verifies.

A key is named by its RFC 7638 thumbprint and carries the time it was made (`iat`), the time from which it signs (`nbf`) and the
time it expires (`exp`), the JWK members OpenID Federation 1.0 registers for that. No credential is valid beyond the `exp` of the
key that signed it. `key_set` describes how keys are made, rotated and retired.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from cameo_credential import key_files
from cameo_credential.encoding import from_base64url
from cameo_credential.errors import KeyFileError
from cameo_credential.public_keys import ALGORITHMS, ED25519
from cameo_credential.signing_backends import FileBackend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cameo_credential.signing_backends import SigningBackend

SIGNATURE_ALGORITHM = "Ed25519"
"""The fully specified name of EdDSA over Curve25519 (RFC 9864, which deprecates the ambiguous name "EdDSA")."""

KEY_LIFETIME = timedelta(days=730)
"""Two years, the middle of the one to three that NIST SP 800-57 Part 1 rev. 5, section 5.3.6, gives a private signature key."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public Ed25519 key, with the times it was made, signs from, and expires."""

    kid: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    key: OKPKey = field(repr=False, compare=False)

    def public(self) -> VerificationKey:
        """Return itself."""
        return self

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the values of `alg` that it verifies."""
        return (SIGNATURE_ALGORITHM,)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key that can sign.

    Attributes:
        kid: the RFC 7638 thumbprint.
        issued_at, not_before, expires_at: times in UTC.
        key: private if it is in our file; otherwise public.
        verifying: the public half: every token is verified with it before it is returned.
        backend: makes the signatures.
        key_uri: where the private half is held; empty means in our file.
    """

    kid: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    key: OKPKey = field(repr=False, compare=False)
    verifying: OKPKey = field(repr=False, compare=False)
    backend: SigningBackend = field(repr=False, compare=False)
    key_uri: str = ""

    @classmethod
    def of_private(cls, key: OKPKey, *, issued_at: datetime, not_before: datetime, expires_at: datetime) -> Self:
        """Return a key from its private half."""
        private = Ed25519PrivateKey.from_private_bytes(from_base64url(str(key.as_dict(private=True)["d"])))
        public = OKPKey.import_key(key.as_dict(private=False))
        return cls(key.thumbprint(), issued_at, not_before, expires_at, key, public, FileBackend(private))

    @classmethod
    def generate(cls, *, now: datetime, lifetime: timedelta = KEY_LIFETIME, not_before: datetime | None = None) -> Self:
        """Generate a key that expires after `lifetime` and signs from `not_before` on, or at once; times are whole seconds."""
        start = now.astimezone(UTC).replace(microsecond=0)
        # The `kid` is an argument of commands, where a leading dash would make it an option.
        while (key := OKPKey.generate_key("Ed25519")).thumbprint().startswith("-"):
            pass
        return cls.of_private(key, issued_at=start, not_before=not_before or start, expires_at=start + lifetime)

    def public(self) -> VerificationKey:
        """Return the public half, which verifies."""
        return VerificationKey(self.kid, self.issued_at, self.not_before, self.expires_at, self.verifying)


class KnownKeys(Protocol):
    """The public keys of one issuer as a reader knows them: a set, or a `KeySource` that follows the issuer's."""

    def find(self, kid: str) -> VerificationKey | None:
        """Return the key of this name, None if the issuer has none.

        Raises:
            CredentialError: `keys_unknown`.
        """

    def current(self) -> VerificationKeys:
        """Return the set as it is now known.

        Raises:
            CredentialError: `keys_unknown`.
        """


@dataclass(frozen=True, slots=True)
class VerificationKeys:
    """The public keys of one issuer by `kid`: what `CredentialService.GetKeys` publishes.

    issuer: whose they are, as in `iss`; empty if the set does not say.
    """

    keys: Mapping[str, VerificationKey]
    issuer: str = ""

    def find(self, kid: str) -> VerificationKey | None:
        """Return the key of this name, None if there is none."""
        return self.keys.get(kid)

    def current(self) -> VerificationKeys:
        """Return itself."""
        return self

    def to_jwks(self) -> dict[str, Any]:
        """Return the JWK set (RFC 7517 section 5), with `issuer` as a further member if it is known."""
        keys = [key_to_jwk(key) for key in self.keys.values()]
        return {"issuer": self.issuer, "keys": keys} if self.issuer else {"keys": keys}

    @classmethod
    def from_jwks(cls, document: Mapping[str, Any]) -> Self:
        """Parse a JWK set; private members, if any, are dropped.

        Keys that are not understood are ignored (RFC 7517 section 5), so that an issuer can add a key of a new kind before all
        readers know it.

        Raises:
            KeyFileError: it is no JWK set, or none of its keys is understood; the message says why for each.
        """
        issuer = document.get("issuer", "")
        if not isinstance(issuer, str):
            raise KeyFileError("'issuer' is not a string")
        keys: list[VerificationKey] = []
        ignored: list[str] = []
        for jwk in jwks_of(document):
            try:
                keys.append(key_from_jwk(jwk, private=False).public())
            except KeyFileError as error:
                ignored.append(str(error))
        if not keys:
            raise KeyFileError(f"none of the set's keys is an Ed25519 key of an issuer: {'; '.join(sorted(set(ignored)))}")
        return cls({key.kid: key for key in keys}, issuer)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a JWK set from a file.

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
    """A snapshot of the key set. `active` signs; `others` only verify (retired and upcoming keys)."""

    active: SigningKey
    others: tuple[VerificationKey, ...] = ()

    def public(self, issuer: str = "") -> VerificationKeys:
        """Return the public half of every key, the active one first, as keys of `issuer`."""
        keys = (self.active.public(), *self.others)
        return VerificationKeys({key.kid: key for key in keys}, issuer)


def jwks_of(document: Mapping[str, Any]) -> list[Any]:
    """Return the keys of a JWK set.

    Raises:
        KeyFileError: it is no JWK set, or empty.
    """
    keys = document.get("keys")
    if not isinstance(keys, list) or not keys:
        raise KeyFileError("not a JWK set: 'keys' is missing or empty")
    return keys


def key_to_jwk(key: SigningKey | VerificationKey) -> dict[str, Any]:
    """Return the public JWK of a key, without `alg`: libraries that know Ed25519 only as "EdDSA" drop a key that names it."""
    return {
        **key.key.as_dict(private=False),
        "kid": key.kid,
        "use": "sig",
        "iat": int(key.issued_at.timestamp()),
        "nbf": int(key.not_before.timestamp()),
        "exp": int(key.expires_at.timestamp()),
    }


def key_from_jwk(jwk: object, *, private: bool) -> SigningKey | VerificationKey:
    """Return the key of a JWK, with its private half if `private`; without `nbf` it signs from `iat` on.

    Raises:
        KeyFileError: it is malformed, or not an Ed25519 key.
    """
    # Only the members of the key itself reach the library; nothing else in the document affects it.
    try:
        if not isinstance(jwk, dict) or (jwk["kty"], jwk["crv"]) != ED25519:
            raise ValueError("not an Ed25519 key")  # noqa: TRY301 - reported like every other malformation
        if jwk.get("use", "sig") != "sig" or jwk.get("alg", SIGNATURE_ALGORITHM) not in ALGORITHMS[ED25519]:
            raise ValueError("not a key for signatures by Ed25519")  # noqa: TRY301 - the same
        members = ("kty", "crv", "x", "d") if private else ("kty", "crv", "x")
        key = OKPKey.import_key({name: jwk[name] for name in members})
        if OKPKey.import_key(key.raw_value).as_dict(private=False)["x"] != jwk["x"]:
            raise ValueError("its two halves do not belong together")  # noqa: TRY301 - the same
        if jwk["kid"] != key.thumbprint():
            raise ValueError("'kid' is not the thumbprint of the key")  # noqa: TRY301 - the same
        seconds: tuple[int, ...] = (jwk["iat"], jwk["nbf"] if "nbf" in jwk else jwk["iat"], jwk["exp"])
        issued_at, not_before, expires_at = (datetime.fromtimestamp(second, UTC) for second in seconds)
    except KeyError as error:
        raise KeyFileError(f"a key has no {error}") from None
    except (JoseError, OverflowError, TypeError, ValueError) as error:
        raise KeyFileError(f"a key is malformed: {error}") from None
    if private:
        return SigningKey.of_private(key, issued_at=issued_at, not_before=not_before, expires_at=expires_at)
    return VerificationKey(key.thumbprint(), issued_at, not_before, expires_at, key)
