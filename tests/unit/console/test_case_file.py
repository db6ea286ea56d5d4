"""Export of a case: the exact content, and the log entry before any evidence is read."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.conftest import ASKED
from tests.unit.review.in_review import FIRST, TAKEN, keep_pair
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from tests.unit.console.conftest import Clock, Visitor
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

PAGE = f"/attempts/{TAKEN}"
EVIDENCE = {
    "evidence/recording.mp4": Kind.RECORDING,
    "evidence/tracks.npz": Kind.TRACKS,
    "evidence/result.json": Kind.RESULT,
    "evidence/crops.jpg": Kind.CROPS,
}


@pytest.fixture
def site(judged: Judged, tmp_path: Path) -> Iterator[Site]:
    """Ben's attempt in review, whose face ann enrolled with another one; labelled twice."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    opened = open_site(engine, tmp_path)
    keep_pair(opened, judged)
    labels = LabelStore(engine)
    labels.add("l1", attempt_id=TAKEN, truth=Truth.ATTACK, species="mask", note="odd <b>", analyst="ana", now=ASKED)
    labels.withdraw(TAKEN, 1, analyst="ana", audit=opened.room.audit, now=ASKED)
    labels.add("l2", attempt_id=TAKEN, truth=Truth.BONA_FIDE, analyst="ben", now=ASKED)
    yield opened
    engine.dispose()


def files(answer: Response) -> dict[str, bytes]:
    """Return the files of an archive."""
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="case-{TAKEN}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def case(answer: Response) -> dict[str, Any]:
    """Return what the archive says."""
    return dict(json.loads(files(answer)["case.json"]))


def test_without_a_reason_the_case_has_no_evidence(analyst: Visitor) -> None:
    """Two files and no other; the log says that it was made, and nothing was read for it but what the page itself reads."""
    before = len(analyst.log())
    found = files(analyst.post(f"{PAGE}/export", PAGE))
    assert set(found) == {"case.json", "SHA256SUMS"}
    assert json.loads(found["case.json"])["evidence"]["included"] == []
    lines = [(line.who, line.action, line.attempt_id, line.what, line.why) for line in analyst.log()[before:]]
    page = [("local", "read", TAKEN, kind, "opened in the console") for kind in ("tracks", "result")]
    assert [line for line in lines if line not in page] == [("local", "export", TAKEN, "case", "exported from the console")]


@pytest.mark.parametrize("why", ["", "  ", "x" * 1001])
def test_no_evidence_leaves_without_a_reason(analyst: Visitor, why: str) -> None:
    """It is refused, nothing is read or logged, and the address gives nothing to who only asks for it."""
    analyst.get(PAGE)
    before = len(analyst.log())
    answer = analyst.post(f"{PAGE}/export", PAGE, evidence="yes", why=why)
    assert (answer.status_code, b"PK" in answer.content) == (400, False)
    assert analyst.client.get(f"{PAGE}/export").status_code == 405
    assert analyst.client.post(f"{PAGE}/export", data={"evidence": "yes", "why": "case 9"}).status_code == 403
    assert analyst.post(f"{PAGE}/export", PAGE, evidence="no", why="case 9").status_code == 400
    assert len(analyst.log()) == before


def test_with_a_reason_the_evidence_is_there_whole(analyst: Visitor, site: Site) -> None:
    """Every piece that is kept, byte for byte; the log had the reason before the first of them was read."""
    kept = {name: site.read(TAKEN, kind) for name, kind in EVIDENCE.items()}
    before = len(analyst.log())
    found = files(analyst.post(f"{PAGE}/export", PAGE, evidence="yes", why="case 9"))
    assert {name: data for name, data in found.items() if name.startswith("evidence/")} == kept
    lines = [(line.action, line.what) for line in analyst.log()[before:] if line.why == "case 9"]
    assert lines[0] == ("export", "case, crops, recording, result, tracks")
    assert sorted(lines[1:]) == sorted(("read", kind.value) for kind in EVIDENCE.values())
    sums = dict(reversed(line.split("  ")) for line in found.pop("SHA256SUMS").decode().splitlines())  # type: ignore[arg-type]
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def test_nothing_of_another_subject_leaves(analyst: Visitor, site: Site) -> None:
    """Of the attempt it is linked to there is the id and what the two share; not whose it is, and no byte of its evidence."""
    found = files(analyst.post(f"{PAGE}/export", PAGE, evidence="yes", why="case 9"))
    [link] = json.loads(found["case.json"])["linked"]
    assert link == {"attempt": FIRST, "shares": ["same face, 1.00", "same file"]}
    assert b'"ann"' not in found["case.json"]
    theirs = [site.read(FIRST, kind) for kind in (Kind.TRACKS, Kind.RESULT)]
    assert not {hashlib.sha256(data).digest() for data in theirs} & {hashlib.sha256(data).digest() for data in found.values()}
    reads = [line for line in analyst.log() if line.attempt_id == FIRST and line.who == "local"]
    assert reads == []


def test_the_case_says_all_that_is_known(analyst: Visitor, site: Site, clock: Clock) -> None:
    """Verdict, every check, prompts and hint, labels with what was taken back, decisions and the log, as the store has them."""
    analyst.post(f"{PAGE}/decide", PAGE, ruling="declined", reason="somebody else")
    attempt = AttemptStore(site.engine).get(TAKEN)
    said = case(analyst.post(f"{PAGE}/export", PAGE))
    assert set(said) == {
        *("version", "made_at", "made_by", "attempt", "checks", "asked", "labels", "settled", "disputed", "opinions", "linked"),
        *("audit", "evidence"),
    }
    assert (said["made_by"], said["made_at"]) == ("local", clock.now.isoformat())
    told = said["attempt"]
    assert (told["id"], told["subject"], told["verdict"], told["ruling"]) == (TAKEN, "ben", "REVIEW", "declined")
    assert told["reasons"] == [reason.value for reason in attempt.reasons]
    assert told["digests"] == dict(attempt.digests)
    by_name = {check["name"]: check for check in said["checks"]}
    assert len(by_name) == len(said["checks"]) == len(attempt.checks)
    for check in attempt.checks:
        shown = by_name[check.name]
        assert (shown["score"], shown["threshold"], shown["outcome"]) == (check.score, check.threshold, check.outcome.value)
        assert (shown["reason"], shown["detail"]) == (check.reason.value if check.reason else None, check.detail)
    assert by_name["already_enrolled"]["counts_against"]
    asked = ChallengeStore(site.engine).get(attempt.challenge_id).challenge
    assert [step.get("say") for step in said["asked"]["steps"] if "say" in step] == list(asked.spoken)
    assert said["asked"]["hint"] == "This was looked at by a person and cannot be accepted."
    assert said["asked"]["hint_before_decision"] == Reason.ALREADY_ENROLLED.hint
    assert [(each["truth"], each["species"], each["note"], each["withdrawn_at"]) for each in said["labels"]] == [
        ("attack", "mask", "odd <b>", ASKED.isoformat()),
        ("bona_fide", "", "", None),
    ]
    assert (said["settled"], said["disputed"]) == (2, False)
    assert [(each["ruling"], each["reason"], each["analyst"]) for each in said["opinions"]] == [
        ("declined", "somebody else", "local")
    ]
    lines = site.room.audit.lines(attempt_id=TAKEN)
    assert said["audit"] == [
        {
            **{name: getattr(line, name) for name in ("number", "who", "action", "what", "why", "hash")},
            "at": line.at.isoformat(),
        }
        for line in lines[: len(said["audit"])]
    ]
    assert ("export", "case") in [(line["action"], line["what"]) for line in said["audit"]]
    assert {each["kind"] for each in said["evidence"]["held"]} == {"recording", "tracks", "result", "crops"}
