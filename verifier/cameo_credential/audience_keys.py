"""Keys of audiences, on X25519 or P-256: the private key stays with the audience, the issuer has a folder of public ones.

Both are JWK files that carry the audience's name in a member `aud`, so that a key cannot be mistaken for another's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from cameo_credential import key_files
from cameo_credential.decryption_backends import open_held
from cameo_credential.elliptic import import_ec
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM, SIGNATURE_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

X25519, P256 = "X25519", "P-256"
KEY_ALGORITHMS = {X25519: "ECDH-ES+A256KW", P256: "ECDH-ES"}
"""By curve: key agreement with an ephemeral key (RFC 7518 section 4.6, RFC 8037 section 3.2), which wraps the content key, or on
P-256 is the content key, as profiles for wallets and hardware have it."""


MAX_NAME_CHARS = 128
"""Characters of an audience's name: as many as the `sub` of its tokens may have."""

_SIGNATURE = "signature_alg"
"""Our member of the JWK: by which `alg` the issuer is asked to sign."""
_KEY_URI, _REPLACES = "key_uri", "replaces"
_SETTLED_NS = 2_000_000_000
"""Nanoseconds after which a folder's time of change is sure to differ at the next one."""


def require_name(audience: str) -> None:
    """Check that a new audience may have this name: 1 to 128 visible ASCII characters without ``*``.

    Letters of other scripts look like ASCII ones, whole words of them even within one script, and one text has several Unicode
    forms. A URI has none of that (RFC 3986 section 2): it spells an international domain name in ASCII, with ``xn--`` (RFC 5891).

    Raises:
        InvalidRequestError: it may not.
    """
    if not 1 <= len(audience) <= MAX_NAME_CHARS or not all("!" <= each <= "~" and each != "*" for each in audience):
        raise InvalidRequestError(
            f"an audience needs a name of 1 to {MAX_NAME_CHARS} ASCII characters without white space and *, for example "
            "https://generator.example; an international domain name is spelled with xn--"
        )


def require_signature(algorithm: str) -> None:
    """Check that the issuer can sign by an algorithm.

    Raises:
        InvalidRequestError: it may not.
    """
    if algorithm not in SIGNATURE_ALGORITHMS:
        raise InvalidRequestError(f"the issuer signs by {' or '.join(SIGNATURE_ALGORITHMS)}")


@dataclass(frozen=True, slots=True)
class AudienceKey:
    """An audience's key.

    Attributes:
        audience: whose it is.
        kid: the RFC 7638 thumbprint.
        key: private at the audience and public at the issuer.
        signature: `alg` by which the issuer is asked to sign for this audience.
        key_uri: where the private half is held, if not in the file.
        replaces: `kid` of the key after which it was registered.
    """

    audience: str
    kid: str
    key: OKPKey | ECKey = field(repr=False, compare=False)
    signature: str = SIGNATURE_ALGORITHM
    key_uri: str = ""
    replaces: str = ""

    @classmethod
    def generate(cls, audience: str, curve: str = X25519, signature: str = SIGNATURE_ALGORITHM) -> Self:
        """Generate a private key for an audience, named by a URI such as ``"https://generator.example"``.

        Raises:
            InvalidRequestError: see `require_name`; or there is no such curve or signature.
        """
        require_name(audience)
        if curve not in KEY_ALGORITHMS:
            raise InvalidRequestError(f"an audience's key is on {' or '.join(KEY_ALGORITHMS)}")
        require_signature(signature)
        key = OKPKey.generate_key("X25519") if curve == X25519 else ECKey.generate_key("P-256")
        return cls(audience, key.thumbprint(), key, signature)

    @classmethod
    def held(cls, audience: str, key_uri: str, signature: str = SIGNATURE_ALGORITHM) -> Self:
        """Return the key that a backend holds, see `decryption_backends`.

        Raises:
            InvalidRequestError: see `require_name`; or there is no such signature.
            KeyFileError: the key at the URI cannot be used, or is not on P-256.
        """
        require_name(audience)
        require_signature(signature)
        key = open_held(key_uri)
        return cls(audience, key.thumbprint(), key, signature, key_uri)

    @property
    def curve(self) -> str:
        """``"X25519"`` or ``"P-256"``."""
        return self.key.curve_name

    @property
    def algorithm(self) -> str:
        """`alg` of what is encrypted to it."""
        return KEY_ALGORITHMS[self.curve]

    @property
    def is_private(self) -> bool:
        """True if it can decrypt."""
        return bool(self.key_uri) or self.key.is_private

    def public(self) -> AudienceKey:
        """Return the public half, which encrypts."""
        return AudienceKey(self.audience, self.kid, _import(self.key.as_dict(private=False)), self.signature)

    def to_jwk(self) -> dict[str, Any]:
        """Return the JWK (RFC 7518 section 6.2, RFC 8037 section 2), private if this key is."""
        key = self.key.as_dict(private=self.key.is_private)
        more = {
            _SIGNATURE: "" if self.signature == SIGNATURE_ALGORITHM else self.signature,
            _KEY_URI: self.key_uri,
            _REPLACES: self.replaces,
        }
        ours = {name: value for name, value in more.items() if value}
        return {**key, "kid": self.kid, "use": "enc", "alg": self.algorithm, "aud": self.audience, **ours}

    @classmethod
    def from_jwk(cls, document: Mapping[str, Any], *, own: bool = False) -> Self:
        """Parse a JWK; without `aud`, `audience` is empty.

        own: it is the reader's own: where it names a URI instead of a private half, that is opened.

        Raises:
            KeyFileError: it is not a key on X25519 or P-256, or what holds it cannot be used.
        """
        try:
            key = _import(document)
        except KeyError as error:
            raise KeyFileError(f"the audience key has no {error}") from None
        except (JoseError, TypeError, ValueError) as error:
            raise KeyFileError(f"the audience key is malformed: {error}") from None
        audience = document.get("aud", "")
        if not isinstance(audience, str):
            raise KeyFileError("'aud' of the audience key is not a string")
        signature = document.get(_SIGNATURE, SIGNATURE_ALGORITHM)
        if signature not in SIGNATURE_ALGORITHMS:
            raise KeyFileError(f"{_SIGNATURE!r} of the audience key is none of {', '.join(SIGNATURE_ALGORITHMS)}")
        key_uri = str(document.get(_KEY_URI, "")) if own else ""
        if key_uri:
            if not isinstance(key, ECKey) or key.is_private:
                raise KeyFileError(f"a key with {_KEY_URI!r} is on P-256 and has no private half beside it")
            held = open_held(key_uri)
            if held.thumbprint() != key.thumbprint():
                raise KeyFileError(f"the decryption key {key_uri!r} is another one than {key.thumbprint()}")
            key = held
        return cls(audience, key.thumbprint(), key, signature, key_uri, str(document.get(_REPLACES, "")))

    @classmethod
    def load_private(cls, path: Path) -> Self:
        """Read the audience's own key from its owner-only file.

        Raises:
            KeyFileError: missing, malformed, open to others, or only the public half; or what holds the key cannot be used.
        """
        key = cls._load(path, secret=True)
        if not key.is_private:
            raise KeyFileError(f"{path} holds only the public half: give the private key file of the audience")
        return key

    @classmethod
    def load_public(cls, path: Path) -> AudienceKey:
        """Read the public half from a file.

        Raises:
            KeyFileError: missing or malformed, without an audience, or a private key that should not have left the audience.
        """
        key = cls._load(path, secret=False)
        if key.is_private:
            raise KeyFileError(f"{path} holds a private key: only the .pub file beside it is for the issuer")
        if not key.audience:
            raise KeyFileError(f"{path} does not say whose key it is: it has no 'aud'")
        return key

    @classmethod
    def _load(cls, path: Path, *, secret: bool) -> Self:
        document = key_files.read_json(path, secret=secret)
        try:
            return cls.from_jwk(document, own=secret)
        except KeyFileError as error:
            raise KeyFileError(f"{path}: {error}") from None


def _import(jwk: Mapping[str, Any]) -> OKPKey | ECKey:
    """Return the key of a JWK, private where it has `d`; only the members of the key itself reach the library."""
    match jwk["kty"], jwk["crv"]:
        case "EC", "P-256":
            return import_ec(jwk, private=True)
        case "OKP", "X25519":
            key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d") if name in jwk})
            if OKPKey.import_key(key.raw_value).as_dict(private=False)["x"] != jwk["x"]:
                raise ValueError("its two halves do not belong together")
            return key
        case _:
            raise ValueError("not a key on X25519 or P-256")


@dataclass(slots=True)
class AudienceFolder:
    """The audiences registered with an issuer: one public key file each, read on demand: a new one needs no restart.

    Attributes:
        folder: where the files lie; it need not be there.
    """

    folder: Path
    _signatures: tuple[int, Mapping[str, str]] | None = field(default=None, init=False, repr=False)

    def signatures(self) -> Mapping[str, str]:
        """Return the signature algorithm (`alg`) that each audience requires; files are reloaded once one was added or removed.

        Raises:
            KeyFileError: a file is malformed.
        """
        changed_ns = self.folder.stat().st_mtime_ns if self.folder.is_dir() else 0
        if self._signatures is None or self._signatures[0] != changed_ns:
            signatures = {key.audience: key.signature for key in _current(self.all())}
            # A change in the same tick of the file system's clock as this reading would not show.
            settled = time.time_ns() - changed_ns > _SETTLED_NS
            self._signatures = (changed_ns, signatures) if settled else None
            return signatures
        return self._signatures[1]

    def get(self, audience: str) -> AudienceKey:
        """Return the public key of an audience, of two during a rotation the one that was registered later.

        Raises:
            InvalidRequestError: none is registered under that name.
            KeyFileError: a file in the folder is malformed, or of two of this audience none replaces the other.
        """
        found = _current([key for key in self.all() if key.audience == audience])
        if not found:
            raise InvalidRequestError(f"no key is registered for audience {audience!r}: run `cameo credential register KEY.pub`")
        if len(found) > 1:
            raise KeyFileError(f"{self.folder} holds {len(found)} keys for audience {audience!r}: remove all but one")
        return found[0]

    def all(self) -> tuple[AudienceKey, ...]:
        """Return every registered key, in the order of the file names.

        Raises:
            KeyFileError: a file is malformed.
        """
        return tuple(AudienceKey.load_public(path) for path in sorted(self.folder.glob("*.jwk")))

    def add(self, key: AudienceKey, *, rotate: bool = False) -> Path:
        """Register the public half of a key and return its file.

        rotate: the audience has a key already, which this one replaces; the former stays registered until its file is removed.

        Raises:
            InvalidRequestError: the key names no audience, or not as `require_name` asks; another key is registered for it, or
                two are; or its name differs from a registered one in nothing but the case of letters.
            KeyFileError: the folder cannot be written.
        """
        if not key.audience:
            raise InvalidRequestError("the key does not say whose it is: it has no 'aud'")
        require_name(key.audience)
        for known in self.all():
            if known.audience != key.audience and known.audience.lower() == key.audience.lower():
                raise InvalidRequestError(f"audience {key.audience!r} could be taken for {known.audience!r}, which is registered")
        path, before = self._file(key.kid), [known for known in self.all() if known.audience == key.audience]
        if any(known.kid == key.kid for known in before):
            return path
        if before and not rotate:
            raise InvalidRequestError(
                f"audience {key.audience!r} has another key already, {before[0].kid}: add --rotate to replace it"
            )
        if len(before) > 1:
            former = before[0] if before[1].replaces == before[0].kid else before[1]
            raise InvalidRequestError(
                f"audience {key.audience!r} has two keys already: remove the former, {self._file(former.kid)}"
            )
        replaced = before[0].kid if before else ""
        key_files.create_json(path, replace(key.public(), replaces=replaced).to_jwk(), secret=False)
        return path

    def _file(self, kid: str) -> Path:
        return self.folder / f"{kid}.jwk"


def _current(keys: Iterable[AudienceKey]) -> list[AudienceKey]:
    """Return the keys that no other replaces."""
    keys = list(keys)
    replaced = {(key.audience, key.replaces) for key in keys}
    return [key for key in keys if (key.audience, key.kid) not in replaced]
