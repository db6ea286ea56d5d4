"""Links from one attempt to others by the same face, recording or account, each with its score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.routing import Route

from cameo_credential.errors import KeyFileError
from cameo_verifier.console.attempt import OPENED, reader_of
from cameo_verifier.console.decision import matches
from cameo_verifier.console.rendering import page
from cameo_verifier.console.same_face import same_faces
from cameo_verifier.errors import NotFoundError
from cameo_verifier.evidence.tracks import TracksError
from cameo_verifier.store.cameos.faces import Collection
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from cameo_verifier.console.cases import Cases, Opened
    from cameo_verifier.console.same_face import SameFace
    from cameo_verifier.profile import Profile
    from cameo_verifier.screening.duplicates import DuplicateSearch
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.attempts.attempts import Attempt

AT_MOST = 200
"""Maximum number of attempts of one kind on one page; of the same account the latest, and the page shows their total."""
SAME_SUBJECT = "same subject"
_COSINE_OF = {Collection.PROTECTED: "protected_person", Collection.ENROLLED: "already_enrolled"}


@dataclass(slots=True)
class Link:
    """A link to another attempt; `shares` has one phrase with its score for each thing the two share."""

    attempt: Attempt
    shares: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """The links of one attempt.

    links: by face and recording first, then by account, the latest first. protected: names of matching protected people, with the
    cosine. faces: False if the attempt's own face is not kept, so that no search was possible; recording: the same for its
    fingerprint. of_account: number of the account's other attempts.
    """

    links: Sequence[Link]
    protected: Sequence[tuple[str, float]]
    faces: bool
    recording: bool
    of_account: int


class Links:
    """Handler of the list of links, which the attempt's page loads."""

    def __init__(
        self, cases: Cases, settings: Settings, recall: DuplicateSearch, *, profile: Profile, clock: Callable[[], datetime]
    ) -> None:
        self._cases, self._settings, self._recall = cases, settings, recall
        self._profile, self._clock = profile, clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/attempts/{id}/links", self._show)]

    def of(self, attempt: Attempt, opened: Opened | None) -> Found:
        """Return the links of an attempt; `opened` is the attempt with its tracks, None if they cannot be read.

        Raises:
            StoreError: the database failed.
        """
        found: dict[str, Link] = {}

        def add(other: Attempt, *shares: str) -> None:
            if other.id != attempt.id:
                found.setdefault(other.id, Link(other)).shares.extend(shares)

        faces = self._faces(attempt, opened)
        for each in self._enrolled(faces or ()):
            add(*each)
        for each in self._that_found(attempt, faces or ()):
            if each[0].id not in found:
                add(*each)
        recording = self._recordings(attempt, opened, add)
        theirs = (tables.attempts.c.subject == attempt.subject) & (tables.attempts.c.id != attempt.id)
        if attempt.subject:
            for other in self._cases.search.page(theirs, limit=AT_MOST):
                add(other, SAME_SUBJECT)
        return Found(
            links=tuple(found.values()),
            protected=[
                (each.holder.owner, each.cosine) for each in faces or () if each.holder.collection is Collection.PROTECTED
            ],
            faces=faces is not None,
            recording=recording,
            of_account=self._cases.search.count(theirs) if attempt.subject else 0,
        )

    def _show(self, request: Request) -> Response:
        attempt = self._cases.attempt(request.path_params["id"])
        try:
            opened = self._cases.open(attempt.id, reader_of(request, OPENED))
        except (EvidenceError, TracksError):
            opened = None
        return page(request, "links.html", attempt=attempt, found=self.of(attempt, opened), opened=opened, at_most=AT_MOST)

    def _faces(self, attempt: Attempt, opened: Opened | None) -> list[SameFace] | None:
        profile = self._profile.judging(minor=attempt.minor_safeguards)
        try:
            return same_faces(self._cases.faces, self._settings, profile, attempt, opened)
        except KeyFileError:
            return None

    def _enrolled(self, faces: Iterable[SameFace]) -> Iterable[tuple[Attempt, str]]:
        for face in faces:
            if face.holder.attempt_id:
                yield self._cases.attempt(face.holder.attempt_id), f"same face, {face.cosine:.2f}"

    def _that_found(self, attempt: Attempt, faces: Iterable[SameFace]) -> Iterable[tuple[Attempt, str]]:
        """Yield attempts that matched this one's face, or an equal one, in the gallery, and those whose face this one matched."""
        for match in matches(self._cases, attempt):
            if match.holder is not None and match.holder.attempt_id:
                cosine = "" if match.cosine is None else f", {match.cosine:.2f}"
                yield self._cases.attempt(match.holder.attempt_id), f"same face{cosine}"
        numbers: dict[str, set[int]] = {collection.value: set() for collection in Collection}
        for face in faces:
            numbers[face.holder.collection.value].add(face.number)
        for collection, matched in attempt.matches.items():
            numbers[collection].add(matched)
        own = self._cases.faces.of_attempt(attempt.id)
        if own is not None:
            numbers[Collection.ENROLLED.value].add(own[0])
        for other in self._cases.search.that_found(numbers, limit=AT_MOST):
            for collection, matched in other.matches.items():
                if matched in numbers[collection]:
                    scores = {check.name: check.score for check in other.checks}
                    yield other, _met(scores.get(_COSINE_OF[Collection(collection)]), own is not None and matched == own[0])

    def _recordings(self, attempt: Attempt, opened: Opened | None, add: Callable[..., None]) -> bool:
        """Add attempts of the same recording, and return whether a search was possible."""
        for other in self._cases.search.same_file(attempt, limit=AT_MOST):
            add(other, "same file")
        own = self._recall.own(attempt.id) or (opened.tracks.evidence.fingerprint if opened is not None else None)
        if own is None:
            return False
        for each in self._recall.alike(own, now=self._clock(), but=attempt.id):
            scores = {"moves alike": each.motion, "sounds alike": each.sound}
            shares = [f"{what}, {score:.2f}" for what, score in scores.items() if score is not None]
            try:
                add(self._cases.attempt(each.attempt_id), *shares)
            except NotFoundError:
                continue
        return True


def _met(cosine: float | None, own: bool) -> str:  # noqa: FBT001 - which of two phrases
    score = "" if cosine is None else f", {cosine:.2f}"
    return f"same face{score}" if own else f"met the same face{score}"
