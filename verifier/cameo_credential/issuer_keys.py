"""The issuer's keys: one signs, others are published so that what they signed, or will sign, verifies.

Keys are of Ed25519. Beside them there may be keys on P-256, of which one signs by ES256 for the audiences that ask for it. The
kind of a key says what it signs by; no token does.

A key is named by its RFC 7638 thumbprint and carries the time it was made (`iat`), the time from which it signs (`nbf`) and the
time it expires (`exp`), the JWK members OpenID Federation 1.0 registers for that. No credential is valid beyond the `exp` of the
key that signed it. `key_set` describes how keys are made, rotated and retired.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from cameo_credential import key_files
from cameo_credential.elliptic import import_ec
from cameo_credential.encoding import to_base64url
from cameo_credential.errors import KeyFileError
from cameo_credential.public_keys import ALGORITHMS, ED25519, P256
from cameo_credential.signing_backends import FileBackend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cameo_credential.signing_backends import SigningBackend

SIGNATURE_ALGORITHM = "Ed25519"
"""The fully specified name of EdDSA over Curve25519 (RFC 9864, which deprecates the ambiguous name "EdDSA")."""
ES256 = "ES256"
"""ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4)."""
SIGNATURE_ALGORITHMS = (SIGNATURE_ALGORITHM, ES256)
_POINT_BYTES = 65
_UNCOMPRESSED = 4
"""Of a point on P-256, and its first byte (SEC 1 section 2.3.3)."""

KEY_LIFETIME = timedelta(days=730)
"""Two years, the middle of the one to three that NIST SP 800-57 Part 1 rev. 5, section 5.3.6, gives a private signature key."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, with the times it was made, signs from, and expires."""

    kid: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    key: OKPKey | ECKey = field(repr=False, compare=False)

    def public(self) -> VerificationKey:
        """Return itself."""
        return self

    @property
    def algorithm(self) -> str:
        """`alg` of what it signs."""
        return _algorithm(self.key)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the values of `alg` that it verifies."""
        return (self.algorithm,)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that can sign.

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
    key: OKPKey | ECKey = field(repr=False, compare=False)
    verifying: OKPKey | ECKey = field(repr=False, compare=False)
    backend: SigningBackend = field(repr=False, compare=False)
    key_uri: str = ""

    @property
    def algorithm(self) -> str:
        """`alg` of what it signs."""
        return _algorithm(self.key)

    @classmethod
    def of_private(cls, key: OKPKey | ECKey, *, issued_at: datetime, not_before: datetime, expires_at: datetime) -> Self:
        """Return a key from its private half, of Ed25519 or on P-256."""
        public = _import(key.as_dict(private=False), private=False)
        backend = FileBackend(cast("Ed25519PrivateKey | EllipticCurvePrivateKey", key.private_key))
        return cls(key.thumbprint(), issued_at, not_before, expires_at, key, public, backend)

    @classmethod
    def generate(
        cls,
        *,
        now: datetime,
        lifetime: timedelta = KEY_LIFETIME,
        not_before: datetime | None = None,
        algorithm: str = SIGNATURE_ALGORITHM,
    ) -> Self:
        """Generate a key that expires after `lifetime` and signs from `not_before` on, or at once; times are whole seconds."""
        start = now.astimezone(UTC).replace(microsecond=0)
        key: OKPKey | ECKey
        # The `kid` is an argument of commands, where a leading dash would make it an option.
        while (key := _generate(algorithm)).thumbprint().startswith("-"):
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
            raise KeyFileError(f"none of the set's keys is one of an issuer: {'; '.join(sorted(set(ignored)))}")
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
    """A snapshot of the key set.

    `active` signs, and `es256` for who asks for that; `others` only verify (retired and upcoming keys).
    """

    active: SigningKey
    others: tuple[VerificationKey, ...] = ()
    es256: SigningKey | None = None

    @property
    def signing(self) -> tuple[SigningKey, ...]:
        """Return the keys that sign, one for each algorithm."""
        return (self.active,) if self.es256 is None else (self.active, self.es256)

    def by(self, algorithm: str) -> SigningKey:
        """Return the key that signs by an algorithm.

        Raises:
            KeyFileError: there is none now.
        """
        for key in self.signing:
            if key.algorithm == algorithm:
                return key
        raise KeyFileError(f"no key of the issuer may sign by {algorithm} now: run `cameo credential rotate --alg {algorithm}`")

    def public(self, issuer: str = "") -> VerificationKeys:
        """Return the public half of every key, those that sign first, as keys of `issuer`."""
        keys = (*(key.public() for key in self.signing), *self.others)
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
        KeyFileError: it is malformed, or a key of another kind.
    """
    # Only the members of the key itself reach the library; nothing else in the document affects it.
    try:
        if not isinstance(jwk, dict) or (kind := (jwk["kty"], jwk["crv"])) not in {ED25519, P256}:
            raise ValueError("not a key of Ed25519 or on P-256")  # noqa: TRY301 - reported like every other malformation
        if jwk.get("use", "sig") != "sig" or ("alg" in jwk and jwk["alg"] not in ALGORITHMS[kind]):
            raise ValueError("not a key for our signatures")  # noqa: TRY301 - the same
        key = _import(jwk, private=private)
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


def key_of_bytes(public: bytes) -> OKPKey | ECKey:
    """Return the public key of the bytes that a backend reports, 32 or 65.

    Raises:
        ValueError: another length, or no point on the curve.
    """
    if len(public) == _POINT_BYTES and public[0] == _UNCOMPRESSED:
        x, y = (to_base64url(half) for half in (public[1:33], public[33:]))
        return import_ec({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": to_base64url(public)})


def _generate(algorithm: str) -> OKPKey | ECKey:
    return ECKey.generate_key("P-256") if algorithm == ES256 else OKPKey.generate_key("Ed25519")


def _algorithm(key: OKPKey | ECKey) -> str:
    return ES256 if isinstance(key, ECKey) else SIGNATURE_ALGORITHM


def _import(jwk: Mapping[str, Any], *, private: bool) -> OKPKey | ECKey:
    """Return the key of a JWK of one of our kinds; see `import_ec` for what is raised."""
    if jwk["kty"] == "EC":
        return import_ec(jwk, private=private)
    key = OKPKey.import_key({name: jwk[name] for name in (("kty", "crv", "x", "d") if private else ("kty", "crv", "x"))})
    if OKPKey.import_key(key.raw_value).as_dict(private=False)["x"] != jwk["x"]:
        raise ValueError("its two halves do not belong together")
    return key
