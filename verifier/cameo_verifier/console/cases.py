"""The data of attempts that the pages show: their rows, and their evidence as far as it is kept.

Evidence is read from the vault, which records in the audit log who read it and why. What a person has read is cached in memory
for them alone, for a short while and for a few attempts, since a page requests the same piece repeatedly (a slider is moved, a
video is played); before a cached piece is returned, the store is asked whether it is still kept.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from cameo_verifier.evidence import tracks
from cameo_verifier.review.rejudge import rejudge
from cameo_verifier.store.attempts import result as attempt_result
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.counts import AttemptCounts
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.attempts.sessions import hello_of
from cameo_verifier.store.cameos.faces import FaceStore
from cameo_verifier.store.evidence.audit import Entry, Reader
from cameo_verifier.store.evidence.errors import EvidenceRemovedError
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge
    from cameo_verifier.evidence.tracks import Tracks
    from cameo_verifier.profile import Profile
    from cameo_verifier.review.evidence_room import EvidenceRoom
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.types import Judgement

_KEPT_FOR = timedelta(minutes=15)
_AT_ONCE = 24
"""Maximum number of cached pieces, some 16 MB each at most."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An attempt with its tracks: enough to draw it and to judge it again."""

    attempt: Attempt
    challenge: Challenge
    tracks: Tracks

    def judged_by(self, profile: Profile) -> Judgement:
        """Return the judgement of the attempt by another profile."""
        return rejudge(self.tracks, self.challenge, profile)


@dataclass(frozen=True, slots=True)
class _Piece:
    value: Any
    until: datetime


class Cases:
    """Attempts of a site; thread-safe."""

    def __init__(self, engine: Engine, room: EvidenceRoom, *, clock: Callable[[], datetime]) -> None:
        self.search, self.counts, self.labels = AttemptSearch(engine), AttemptCounts(engine), LabelStore(engine)
        self.vault, self.fingerprints, self.faces = room.vault, FingerprintStore(engine), FaceStore(engine)
        self.challenges = ChallengeStore(engine)
        self.engine, self.room = engine, room
        self._attempts, self._clock = AttemptStore(engine), clock
        self._lock = Lock()
        self._pieces: OrderedDict[tuple[str, str, Kind], _Piece] = OrderedDict()

    def attempt(self, attempt_id: str) -> Attempt:
        """Return an attempt.

        Raises:
            NotFoundError: no attempt has this id.
            StoreError: the database failed.
        """
        return self._attempts.get(attempt_id)

    def hello(self, attempt_id: str) -> Mapping[str, Any] | None:
        """Return what the browser of a live session said about itself; None for an upload.

        Raises:
            StoreError: the database failed.
        """
        return hello_of(self.engine, attempt_id)

    def kept(self, attempt_id: str) -> frozenset[Kind]:
        """Return the kinds of evidence that are kept.

        Raises:
            StoreError: the database failed.
        """
        return frozenset(piece.kind for piece in self.vault.held(attempt_id) if piece.removed_at is None)

    def open(self, attempt_id: str, reader: Reader) -> Opened:
        """Return an attempt with its tracks.

        Raises:
            NotFoundError: no attempt has this id.
            EvidenceError: its evidence is missing, or cannot be decrypted; the message says why.
            TracksError: another version wrote the tracks.
            StoreError: the database failed.
        """
        attempt = self.attempt(attempt_id)
        read = self._piece(attempt_id, Kind.TRACKS, reader, tracks.from_bytes)
        result = self._piece(attempt_id, Kind.RESULT, reader, attempt_result.from_bytes)
        return Opened(attempt, result.challenge, read)

    def reveal(self, attempt_id: str, reader: Reader) -> None:
        """Record in the audit log that someone is shown a face, and why.

        Raises:
            StoreError: the database failed: nothing may be shown then.
        """
        kind = Kind.CROPS if Kind.RECORDING not in self.kept(attempt_id) else Kind.RECORDING
        self.room.audit.append([Entry("reveal", attempt_id, kind.value)], reader=reader, now=self._clock())

    def recording(self, attempt_id: str, reader: Reader) -> bytes:
        """Return the recording of an attempt, as it was received.

        Raises:
            EvidenceError: it is missing, or cannot be decrypted; the message says why.
            StoreError: the database failed.
        """
        return bytes(self._piece(attempt_id, Kind.RECORDING, reader, bytes))

    def crops(self, attempt_id: str, reader: Reader) -> bytes:
        """Return face crops of an attempt side by side, a JPEG; raises as `recording`."""
        return bytes(self._piece(attempt_id, Kind.CROPS, reader, bytes))

    def _piece(self, attempt_id: str, kind: Kind, reader: Reader, parse: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - what `parse` returns
        now, key = self._clock(), (reader.who, attempt_id, kind)
        with self._lock:
            held = self._pieces.get(key)
        if held is not None and held.until > now:
            if kind in self.kept(attempt_id):
                return held.value
            with self._lock:
                self._pieces.pop(key, None)
            raise EvidenceRemovedError(f"the {kind} of attempt {attempt_id} was removed")
        value = parse(self.vault.read(attempt_id, kind, reader=reader, now=now))
        with self._lock:
            self._pieces = OrderedDict((name, piece) for name, piece in self._pieces.items() if piece.until > now)
            self._pieces[key] = _Piece(value, now + _KEPT_FOR)
            while len(self._pieces) > _AT_ONCE:
                self._pieces.popitem(last=False)
        return value
