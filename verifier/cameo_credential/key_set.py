"""The issuer's key file: its keys, how they are added, rotated and retired, and reloaded when the file changes.

A key is published as soon as it is in the file and signs from its `nbf` on: readers know it before they see a token it signed. Of
the keys that may sign by one algorithm, the one with the latest `nbf` does. Of a retired key only the public half remains: it
signs nothing, and what it signed verifies until its `exp`. A distrusted key is removed, and everything it signed is refused.

The file is replaced atomically, under a lock, so that two concurrent changes both happen and a reader sees one state or the
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from cameo_credential import key_files
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import (
    KEY_LIFETIME,
    SIGNATURE_ALGORITHM,
    SIGNATURE_ALGORITHMS,
    IssuerKeys,
    SigningKey,
    VerificationKey,
    jwks_of,
    key_from_jwk,
    key_of_bytes,
    key_to_jwk,
)
from cameo_credential.signing_backends import open_backend
from cameo_credential.watched_file import WatchedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OVERLAP = timedelta(days=1)
"""Time for which a new key is published before it signs: longer than anyone should cache the keys."""

_KEY_URI = "key_uri"


@dataclass(frozen=True, slots=True)
class KeySet:
    """All keys of the file, in its order: `SigningKey` with its private half, `VerificationKey` once retired."""

    keys: tuple[SigningKey | VerificationKey, ...]

    @classmethod
    def open(cls, path: Path, *, now: datetime, lifetime: timedelta = KEY_LIFETIME, key_uri: str = "") -> Self:
        """Load the set from its owner-only JWKS file, or create it, with one key, on first start.

        Servers that start concurrently over one folder get the same key.

        Args:
            path: the file.
            now: time from which a generated key signs.
            lifetime: of a generated key.
            key_uri: where a new key is held; empty means in the file.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written, or a key held elsewhere cannot be used.
        """
        if not path.exists():
            first = cls((new_key(starts=now, now=now, lifetime=lifetime, key_uri=key_uri),))
            key_files.create_json(path, first.to_jwks(), secret=True)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the set from its file.

        Raises:
            KeyFileError: as `open`, or there is no such file.
        """
        document = key_files.read_json(path, secret=True)
        try:
            return cls.from_jwks(document)
        except KeyFileError as error:
            raise KeyFileError(f"{path}: {error}") from None

    def at(self, now: datetime) -> IssuerKeys:
        """Return a snapshot: the keys that sign at `now`, and all others.

        Raises:
            KeyFileError: no key of Ed25519 may sign at that time.
        """
        active, es256 = (self.newest(algorithm, now) for algorithm in SIGNATURE_ALGORITHMS)
        if active is None:
            raise KeyFileError("no key of the issuer may sign now: run `cameo credential rotate --overlap-h 0`")
        return IssuerKeys(active, tuple(key.public() for key in self.keys if key not in {active, es256}), es256)

    def newest(self, algorithm: str, now: datetime) -> SigningKey | None:
        """Return the key that signs by an algorithm at `now`, None if there is none."""
        able = [
            key
            for key in self.keys
            if isinstance(key, SigningKey) and key.algorithm == algorithm and key.not_before <= now < key.expires_at
        ]
        return max(reversed(able), key=lambda key: key.not_before, default=None)

    def rotated(self, new: SigningKey, *, now: datetime) -> KeySet:
        """Return the set with a further key, without expired ones.

        Raises:
            InvalidRequestError: the set contains this key already.
        """
        if any(key.kid == new.kid for key in self.keys):
            raise InvalidRequestError(f"the set has key {new.kid} already: make another one to rotate to")
        return KeySet((*(key for key in self.keys if key.expires_at > now), new))

    def retired(self, kid: str, *, now: datetime, distrust: bool = False) -> KeySet:
        """Return the set with one key retired, or removed with `distrust`.

        Raises:
            InvalidRequestError: there is no such key, it is retired already, or without it none could sign by its algorithm now.
        """
        found = [key for key in self.keys if key.kid == kid]
        if not found:
            raise InvalidRequestError(f"the issuer has no key {kid}: `cameo credential keys` shows those it has")
        if not distrust and not isinstance(found[0], SigningKey):
            raise InvalidRequestError(f"key {kid} is retired already")
        rest = tuple(key.public() if key.kid == kid else key for key in self.keys if not (distrust and key.kid == kid))
        remaining = KeySet(rest)
        for algorithm in SIGNATURE_ALGORITHMS:
            if remaining.newest(algorithm, now) or (algorithm != SIGNATURE_ALGORITHM and not self.newest(algorithm, now)):
                continue
            raise InvalidRequestError(
                f"without key {kid} none could sign by {algorithm} now: run `cameo credential rotate --alg {algorithm}` first, "
                "with --overlap-h 0 in a hurry"
            )
        return remaining

    def to_jwks(self) -> dict[str, Any]:
        """Return the private JWK set: `d` of keys held here, the URI of those held elsewhere."""
        return {"keys": [{**key_to_jwk(key), **_private_members(key)} for key in self.keys]}

    @classmethod
    def from_jwks(cls, document: Mapping[str, Any]) -> Self:
        """Parse a private JWK set.

        Raises:
            KeyFileError: it is no JWK set, a key is of another kind, or one held elsewhere cannot be used.
        """
        keys = tuple(_read(jwk) for jwk in jwks_of(document))
        if len({key.kid for key in keys}) != len(keys):
            raise KeyFileError("a key is in the set twice")
        return cls(keys)


class KeyFile:
    """The issuer's current keys, from a file that may change; thread-safe."""

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime], report: Callable[[KeyFileError], None], key_uri: str = ""
    ) -> None:
        """Open the file, or create it on first start.

        Args:
            path: the file.
            clock: the time in UTC.
            report: called when a changed file cannot be used; the previous keys stay in use.
            key_uri: where a first key is held; empty means in the file.

        Raises:
            KeyFileError: see `KeySet.open`.
        """
        self._clock = clock
        KeySet.open(path, now=clock(), key_uri=key_uri)
        self._file = WatchedFile(path, KeySet.load, report=report)

    def current(self) -> IssuerKeys:
        """Return the current keys, reloaded if the file changed.

        Raises:
            KeyFileError: no key may sign now.
        """
        return self._file.current().at(self._clock())


def change(path: Path, how: Callable[[KeySet], KeySet]) -> KeySet:
    """Update the key file under a lock and return the new set; `how` computes it from the present one.

    Raises:
        KeyFileError: the file is missing, malformed, open to others, or cannot be written.
    """
    with key_files.locked(path):
        changed = how(KeySet.load(path))
        key_files.replace_json(path, changed.to_jwks())
        return changed


def new_key(
    *,
    starts: datetime,
    now: datetime,
    lifetime: timedelta = KEY_LIFETIME,
    key_uri: str = "",
    algorithm: str = SIGNATURE_ALGORITHM,
) -> SigningKey:
    """Return a new key that signs from `starts` on for `lifetime`, in whole seconds; or the key at a URI, for the same period.

    Raises:
        KeyFileError: the key at the URI cannot be used, or is for another algorithm.
    """
    start, made = (time.astimezone(UTC).replace(microsecond=0) for time in (starts, now))
    if not key_uri:
        return SigningKey.generate(now=made, lifetime=start - made + lifetime, not_before=start, algorithm=algorithm)
    backend = open_backend(key_uri)
    try:
        public = key_of_bytes(backend.public_key())
    except Exception as error:  # a site's own code, or no key of a known kind
        raise KeyFileError(f"the signing key {key_uri!r} has no public key: {type(error).__name__}") from error
    made_key = SigningKey(public.thumbprint(), made, start, start + lifetime, public, public, backend, key_uri)
    if made_key.algorithm != algorithm:
        raise KeyFileError(f"the signing key {key_uri!r} signs by {made_key.algorithm}: add --alg {made_key.algorithm}")
    return made_key


def _private_members(key: SigningKey | VerificationKey) -> dict[str, Any]:
    if not isinstance(key, SigningKey):
        return {}
    return {_KEY_URI: key.key_uri} if key.key_uri else {"d": key.key.as_dict(private=True)["d"]}


def _read(jwk: object) -> SigningKey | VerificationKey:
    key = key_from_jwk(jwk, private=isinstance(jwk, dict) and "d" in jwk)
    if isinstance(key, SigningKey) or not isinstance(jwk, dict) or _KEY_URI not in jwk:
        return key
    backend = open_backend(str(jwk[_KEY_URI]))
    if key_of_bytes(backend.public_key()).thumbprint() != key.kid:
        raise KeyFileError(f"the signing key {jwk[_KEY_URI]!r} is another one than {key.kid}")
    return SigningKey(key.kid, key.issued_at, key.not_before, key.expires_at, key.key, key.key, backend, str(jwk[_KEY_URI]))
