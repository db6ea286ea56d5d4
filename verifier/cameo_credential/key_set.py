"""The issuer's key file: every key it has or had, made, rotated, retired and read again when it changes.

A key is published from the moment it is in the file and signs from its `nbf` on: readers know it before they meet what it signed.
Of the keys that may sign, the one with the latest `nbf` does. A retired key is only its public half: it signs nothing more, and
what it signed verifies until its `exp`. A distrusted one is gone, and with it all it signed.

The file is replaced whole, under a lock, so that two changes at once both happen and a reader sees one state or the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from joserfc.jwk import OKPKey

from cameo_credential import key_files
from cameo_credential.encoding import to_base64url
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import (
    KEY_LIFETIME,
    IssuerKeys,
    SigningKey,
    VerificationKey,
    jwks_of,
    key_from_jwk,
    key_to_jwk,
)
from cameo_credential.signing_backends import open_backend
from cameo_credential.watched_file import WatchedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OVERLAP = timedelta(days=1)
"""How long a new key is published before it signs: longer than anyone should keep the keys without asking again."""

_KEY_URI = "key_uri"


@dataclass(frozen=True, slots=True)
class KeySet:
    """Every key of the file, in its order: `SigningKey` with its private half, `VerificationKey` once it is retired."""

    keys: tuple[SigningKey | VerificationKey, ...]

    @classmethod
    def open(cls, path: Path, *, now: datetime, lifetime: timedelta = KEY_LIFETIME, key_uri: str = "") -> Self:
        """Load the set from its owner-only JWKS file, or make it, with one key, on first start.

        Servers that start side by side over one folder end up with the same key.

        Args:
            path: the file.
            now: when a key that is made starts.
            lifetime: of a key that is made.
            key_uri: where a key that is made is held; empty means in the file.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written, or a key held elsewhere cannot be used.
        """
        if not path.exists():
            first = cls((new_key(starts=now, now=now, lifetime=lifetime, key_uri=key_uri),))
            key_files.create_json(path, first.to_jwks(), secret=True)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the set from its file.

        Raises:
            KeyFileError: as `open`, or there is no such file.
        """
        document = key_files.read_json(path, secret=True)
        try:
            return cls.from_jwks(document)
        except KeyFileError as error:
            raise KeyFileError(f"{path}: {error}") from None

    def at(self, now: datetime) -> IssuerKeys:
        """Return the keys of a moment: the one that signs, and all others.

        Raises:
            KeyFileError: none may sign now.
        """
        able = [key for key in self.keys if isinstance(key, SigningKey) and key.not_before <= now < key.expires_at]
        if not able:
            raise KeyFileError("no key of the issuer may sign now: run `cameo credential rotate --overlap-h 0`")
        active = max(reversed(able), key=lambda key: key.not_before)
        return IssuerKeys(active, tuple(key.public() for key in self.keys if key is not active))

    def rotated(self, new: SigningKey, *, now: datetime) -> KeySet:
        """Return the set with a further key, without those whose time is over.

        Raises:
            InvalidRequestError: the set has this key already, or has had it.
        """
        if any(key.kid == new.kid for key in self.keys):
            raise InvalidRequestError(f"the set has key {new.kid} already: make another one to rotate to")
        return KeySet((*(key for key in self.keys if key.expires_at > now), new))

    def retired(self, kid: str, *, now: datetime, distrust: bool = False) -> KeySet:
        """Return the set with one key retired, or gone altogether with `distrust`.

        Raises:
            InvalidRequestError: there is no such key, it is retired already, or without it none could sign now.
        """
        found = [key for key in self.keys if key.kid == kid]
        if not found:
            raise InvalidRequestError(f"the issuer has no key {kid}: `cameo credential keys` shows those it has")
        if not distrust and not isinstance(found[0], SigningKey):
            raise InvalidRequestError(f"key {kid} is retired already")
        rest = tuple(key.public() if key.kid == kid else key for key in self.keys if not (distrust and key.kid == kid))
        remaining = KeySet(rest)
        try:
            remaining.at(now)
        except KeyFileError:
            raise InvalidRequestError(
                f"without key {kid} none could sign now: run `cameo credential rotate` first, with --overlap-h 0 in a hurry"
            ) from None
        return remaining

    def to_jwks(self) -> dict[str, Any]:
        """Return the private JWK set: `d` of keys held here, the URI of those held elsewhere."""
        return {"keys": [{**key_to_jwk(key), **_private_members(key)} for key in self.keys]}

    @classmethod
    def from_jwks(cls, document: Mapping[str, Any]) -> Self:
        """Read a private JWK set.

        Raises:
            KeyFileError: it is no JWK set, a key is not an Ed25519 key of ours, or one held elsewhere cannot be used.
        """
        keys = tuple(_read(jwk) for jwk in jwks_of(document))
        if len({key.kid for key in keys}) != len(keys):
            raise KeyFileError("a key is in the set twice")
        return cls(keys)


class KeyFile:
    """The keys of the moment, out of a file that others may change; may be used by several threads at once."""

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime], report: Callable[[KeyFileError], None], key_uri: str = ""
    ) -> None:
        """Open the file, or make it on first start.

        Args:
            path: the file.
            clock: the time in UTC.
            report: told when a changed file cannot be used; the keys before it stay in use.
            key_uri: where a first key is held; empty means in the file.

        Raises:
            KeyFileError: see `KeySet.open`.
        """
        self._clock = clock
        KeySet.open(path, now=clock(), key_uri=key_uri)
        self._file = WatchedFile(path, KeySet.load, report=report)

    def current(self) -> IssuerKeys:
        """Return the keys of this moment, read again if the file changed.

        Raises:
            KeyFileError: none may sign now.
        """
        return self._file.current().at(self._clock())


def change(path: Path, how: Callable[[KeySet], KeySet]) -> KeySet:
    """Replace the key file by what `how` makes of it, under a lock, and return that.

    Raises:
        KeyFileError: the file is missing, malformed, open to others, or cannot be written.
    """
    with key_files.locked(path):
        changed = how(KeySet.load(path))
        key_files.replace_json(path, changed.to_jwks())
        return changed


def new_key(*, starts: datetime, now: datetime, lifetime: timedelta = KEY_LIFETIME, key_uri: str = "") -> SigningKey:
    """Return a new key that signs from `starts` on, to the second, for `lifetime`; or the one at a URI, for as long.

    Raises:
        KeyFileError: the key at the URI cannot be used.
    """
    start, made = (time.astimezone(UTC).replace(microsecond=0) for time in (starts, now))
    if not key_uri:
        return SigningKey.generate(now=made, lifetime=start - made + lifetime, not_before=start)
    backend = open_backend(key_uri)
    try:
        public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": to_base64url(backend.public_key())})
    except Exception as error:  # a site's own code, or not a key of 32 bytes
        raise KeyFileError(f"the signing key {key_uri!r} has no public key: {type(error).__name__}") from error
    return SigningKey(public.thumbprint(), made, start, start + lifetime, public, public, backend, key_uri)


def _private_members(key: SigningKey | VerificationKey) -> dict[str, Any]:
    if not isinstance(key, SigningKey):
        return {}
    return {_KEY_URI: key.key_uri} if key.key_uri else {"d": key.key.as_dict(private=True)["d"]}


def _read(jwk: object) -> SigningKey | VerificationKey:
    key = key_from_jwk(jwk, private=isinstance(jwk, dict) and "d" in jwk)
    if isinstance(key, SigningKey) or not isinstance(jwk, dict) or _KEY_URI not in jwk:
        return key
    backend = open_backend(str(jwk[_KEY_URI]))
    if to_base64url(backend.public_key()) != jwk["x"]:
        raise KeyFileError(f"the signing key {jwk[_KEY_URI]!r} is another one than {key.kid}")
    return SigningKey(key.kid, key.issued_at, key.not_before, key.expires_at, key.key, key.key, backend, str(jwk[_KEY_URI]))
