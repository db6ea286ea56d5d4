"""Export of a case: one attempt's data as a zip archive, including its evidence if a reason is given.

It holds the challenge, checks, labels, opinions and audit log. Of other attempts it contains only the ids and what they share:
neither their subject nor their evidence.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console.attempt import OPENED, answers, reader_of
from cameo_verifier.console.shown_challenge import shown_challenge
from cameo_verifier.evidence.tracks import TracksError
from cameo_verifier.store.evidence.audit import Entry
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from cameo_verifier.console.cases import Cases
    from cameo_verifier.console.links import Found, Links
    from cameo_verifier.profile import Profile
    from cameo_verifier.server.deciding import Deciding
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.labels import Label
    from cameo_verifier.store.attempts.opinions import Opinion
    from cameo_verifier.store.evidence.audit import Reader
    from cameo_verifier.store.evidence.evidence import StoredEvidence

EXPORTED = "exported from the console"
VERSION = 1
"""Version of the layout of `case.json`."""
NAMES = {Kind.TRACKS: "tracks.npz", Kind.RESULT: "result.json", Kind.CROPS: "crops.jpg"}
_LINES_AT_ONCE = 1000
_EBML = b"\x1a\x45\xdf\xa3"


@dataclass(frozen=True, slots=True)
class Exported:
    """The evidence in an archive: pieces by file name, and the reason for each that is missing."""

    pieces: Mapping[str, bytes]
    lost: Mapping[str, str]


class CaseFile:
    """Handler of the export form."""

    def __init__(
        self, cases: Cases, links: Links, deciding: Deciding, *, profile: Profile, clock: Callable[[], datetime]
    ) -> None:
        self._cases, self._links, self._deciding = cases, links, deciding
        self._profile, self._clock = profile, clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/attempts/{id}/export", self._export, methods=["POST"])]

    def _export(self, request: Request) -> Response:
        attempt = self._cases.attempt(request.path_params["id"])
        form = dict(request.state.form)
        wanted = form.get("evidence") == "yes"
        reader = reader_of(request, form.get("why", "") if wanted else EXPORTED)
        if form.get("evidence", "yes") != "yes":
            raise InvalidRequestError("evidence is exported, or is not")
        now = self._clock()
        kinds = sorted(self._cases.kept(attempt.id) - {Kind.RECEIPT}) if wanted else []
        # Logged before anything is read: one line that lists the whole export, and another for each piece.
        what = ", ".join(["case", *kinds])
        self._cases.room.audit.append([Entry("export", attempt.id, what)], reader=reader, now=now)
        evidence = self._evidence(attempt, kinds, reader)
        case = self._case(request, attempt, evidence) | {"made_at": _time(now), "made_by": reader.who}
        files = {"case.json": json.dumps(case, indent=2, ensure_ascii=False).encode()}
        files |= {f"evidence/{name}": data for name, data in evidence.pieces.items()}
        headers = {"Content-Disposition": f'attachment; filename="case-{attempt.id}.zip"'}
        return Response(_archive(files, now), media_type="application/zip", headers=headers)

    def _evidence(self, attempt: Attempt, kinds: Sequence[Kind], reader: Reader) -> Exported:
        pieces, lost = {}, {}
        for kind in kinds:
            try:
                data = self._cases.vault.read(attempt.id, kind, reader=reader, now=self._clock())
            except EvidenceError as error:
                lost[kind.value] = str(error)
            else:
                pieces[NAMES.get(kind) or _recording_name(data)] = data
        return Exported(pieces, lost)

    def _case(self, request: Request, attempt: Attempt, evidence: Exported) -> dict[str, Any]:
        cases = self._cases
        consensus = cases.labels.consensus([attempt.id]).get(attempt.id)
        settled = consensus.settled if consensus else None
        return {
            "version": VERSION,
            "attempt": _attempt(attempt),
            "checks": self._checks(attempt),
            "asked": self._asked(attempt),
            "labels": [_label(each) for each in cases.labels.history(attempt.id)],
            "settled": settled.number if settled else None,
            "disputed": bool(consensus and consensus.disputed),
            "opinions": [_opinion(each) for each in self._deciding.opinions.given(attempt.id)],
            "linked": self._linked(request, attempt),
            "audit": self._audit(attempt),
            "evidence": {
                "held": [_held(each) for each in cases.vault.held(attempt.id)],
                "included": sorted(evidence.pieces),
                "not_readable": dict(evidence.lost),
            },
        }

    def _checks(self, attempt: Attempt) -> list[dict[str, Any]]:
        shown = answers(attempt.checks, self._profile.judging(minor=attempt.minor_safeguards))
        names = ("name", "outcome", "score", "unit", "threshold", "direction", "reason", "detail")
        return [_fields(each.result, *names) | {"role": each.role, "counts_against": each.against} for each in shown]

    def _asked(self, attempt: Attempt) -> dict[str, Any]:
        found = shown_challenge(self._cases, attempt)
        steps = [{prompt.what: prompt.text} for prompt in found.prompts]
        times = _times(found, "issued_at", "expires_at", "answered_at")
        return {"steps": steps, **times, "hint": found.hint, "hint_before_decision": found.first_hint}

    def _linked(self, request: Request, attempt: Attempt) -> list[dict[str, Any]]:
        return [{"attempt": link.attempt.id, "shares": link.shares} for link in self._found(request, attempt).links]

    def _found(self, request: Request, attempt: Attempt) -> Found:
        try:
            opened = self._cases.open(attempt.id, reader_of(request, OPENED))
        except (EvidenceError, TracksError):
            opened = None
        return self._links.of(attempt, opened)

    def _audit(self, attempt: Attempt) -> list[dict[str, Any]]:
        """Return every line about an attempt, including this export's."""
        lines: list[dict[str, Any]] = []
        after = 0
        while found := self._cases.room.audit.lines(attempt_id=attempt.id, after=after, limit=_LINES_AT_ONCE):
            lines += [_fields(line, "number", "who", "action", "what", "why", "hash") | _times(line, "at") for line in found]
            after = found[-1].number
        return lines


def _attempt(attempt: Attempt) -> dict[str, Any]:
    names = (
        "id",
        "challenge_id",
        "subject",
        "audience",
        "state",
        "verdict",
        "profile",
        "minor_safeguards",
        "recording_sha256",
        "ruling",
    )
    lists = {"reasons": [reason.value for reason in attempt.reasons], "digests": dict(attempt.digests)}
    return _fields(attempt, *names, "recording_sha256") | lists | _times(attempt, "created_at", "finished_at", "ruled_at")


def _label(label: Label) -> dict[str, Any]:
    said = _fields(label, "number", "truth", "species", "note", "analyst")
    return said | _times(label, "created_at", "withdrawn_at")


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return _fields(opinion, "number", "ruling", "reason", "analyst") | _times(opinion, "created_at")


def _held(piece: StoredEvidence) -> dict[str, Any]:
    return _fields(piece, "kind", "size_bytes", "sha256") | _times(piece, "kept_at", "removed_at")


def _fields(of: object, *names: str) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


def _times(of: object, *names: str) -> dict[str, str | None]:
    return {name: _time(getattr(of, name)) for name in names}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _recording_name(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "recording.mp4"
    return "recording.mkv" if data.startswith(_EBML) else "recording"


def _archive(files: Mapping[str, bytes], now: datetime) -> bytes:
    """Return a zip of these files, and of their digests as `sha256sum --check` reads them."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, "SHA256SUMS": sums.encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
