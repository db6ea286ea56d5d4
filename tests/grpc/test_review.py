"""Analysts' calls on attempts that the real pipeline judged: search, reading, replay, labels."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import attempt_pb2, reason_pb2, review_service_pb2
from cameo.v1.review_service_pb2 import (
    GetEvidenceRequest,
    LabelAttemptRequest,
    ListAttemptsRequest,
    ProfileChoice,
    ReplayAttemptRequest,
    ReviewServiceGetAttemptRequest,
    WithdrawLabelRequest,
)
from cameo_verifier import profiles
from cameo_verifier.media.remux import judged_only
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.settings import MediaLimits, Retention, Settings
from cameo_verifier.store.db.engine import open_database
from tests.grpc.callers import App
from tests.grpc.client import refused
from tests.patience import PATIENCE_S
from tests.unit.review.stored import RECORDINGS, add_session, fixture_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.grpc.callers import Metadata
    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

GOOD, REPLAYED, SILENT = "astronaut_bona_fide", "screen_replay", "silent"
KEPT = Retention(rejected_days=3650, review_days=3650, retry_days=3650, accepted_days=3650)
WHY = "case 7: did the screen fool us?"
BIDI, CONTROL = "x\u202egnp.exe", "x\x00y\x1b[2J"


@dataclass(frozen=True)
class Desk:
    """An analyst's connection to a server."""

    client: Client
    metadata: Metadata
    other: Metadata

    def ask(self, method: str, request: Any, metadata: Metadata | None = None) -> Any:
        """Start a call."""
        return getattr(self.client.review, method)(request, metadata=metadata or self.metadata, timeout=PATIENCE_S)

    async def evidence(self, attempt_id: str, kind: Any, why: str = WHY) -> tuple[Any, bytes]:
        """Read a whole piece."""
        header, *chunks = [
            each async for each in self.ask("GetEvidence", GetEvidenceRequest(attempt_id=attempt_id, kind=kind, why=why))
        ]
        assert header.WhichOneof("message") == "header"
        assert all(chunk.WhichOneof("message") == "chunk" for chunk in chunks)
        return header.header, b"".join(chunk.chunk for chunk in chunks)

    async def no_evidence(self, attempt_id: str, kind: Any = review_service_pb2.EVIDENCE_KIND_RECORDING, why: str = WHY) -> Any:
        """Be refused a piece."""
        return await refused(self.evidence(attempt_id, kind, why))

    def label(self, attempt_id: str, metadata: Metadata | None = None, **given: Any) -> Any:
        """Label an attempt."""
        return self.ask(
            "LabelAttempt", LabelAttemptRequest(**{"attempt_id": attempt_id, "request_id": str(uuid4())} | given), metadata
        )


@pytest.fixture
def site(tmp_path: Path, judged: Judged) -> Iterator[Site]:
    """The site a server will serve, with three attempts."""
    engine = open_database(Settings(data=tmp_path / "data").database)
    yield fixture_site(engine, tmp_path / "data", judged, GOOD, REPLAYED, SILENT)
    engine.dispose()


@pytest.fixture
async def desk(site: Site, serve: OpenServer, tmp_path: Path) -> AsyncIterator[Desk]:  # noqa: ARG001 - the site is served
    """An analyst, ana, and another one, ben."""
    app = App.make(tmp_path)
    async with serve(**app.settings, retention=KEPT) as client:
        yield Desk(client, app.metadata("analyst", "ana"), app.metadata("analyst", "ben"))


async def test_attempts_are_found_by_filter_and_in_pages(desk: Desk) -> None:
    """The filters mean what they say, every page goes on where the last ended, and each row says what analysts think."""
    await desk.label(SILENT, truth=review_service_pb2.TRUTH_BONA_FIDE)
    await desk.label(SILENT, desk.other, truth=review_service_pb2.TRUTH_ATTACK, species="mask")
    await desk.label(REPLAYED, truth=review_service_pb2.TRUTH_ATTACK, species="screen_replay")

    async def found(filter_: str) -> list[str]:
        reply = await desk.ask("ListAttempts", ListAttemptsRequest(filter=filter_))
        return [each.attempt_id for each in reply.attempts]

    assert set(await found("")) == {GOOD, REPLAYED, SILENT}
    assert await found("verdict=ACCEPTED") == [GOOD]
    assert await found("label=none and profile=default") == [GOOD]
    assert await found("species=screen_replay and since=2026-03-01") == [REPLAYED]
    assert await found("species=never_heard_of or until=2026-03-01") == []
    assert await found("subject='nobody' or subject=\"x' OR '1'='1\"") == []
    listed, token = [], ""
    for _ in range(3):
        page = await desk.ask("ListAttempts", ListAttemptsRequest(page_size=1, page_token=token))
        (row,), token = page.attempts, page.next_page_token
        listed.append(row)
    assert token == ""
    assert {row.attempt_id: (row.consensus.disputed, row.consensus.settled.species) for row in listed} == {
        GOOD: (False, ""),
        REPLAYED: (False, "screen_replay"),
        SILENT: (True, ""),
    }
    assert {row.subject for row in listed} == {"ann"}


async def test_an_attempt_shows_its_scores_its_labels_and_who_read_it(desk: Desk) -> None:
    """Every check with its score, the digests, what is kept, every label in order and each line of the audit log."""
    await desk.evidence(REPLAYED, review_service_pb2.EVIDENCE_KIND_RESULT)
    await desk.label(REPLAYED, truth=review_service_pb2.TRUTH_UNSURE, note="ask a lead")
    await desk.label(REPLAYED, truth=review_service_pb2.TRUTH_ATTACK, species="screen_replay")
    found = await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=REPLAYED))
    assert found.attempt.verdict == attempt_pb2.VERDICT_REJECTED
    assert reason_pb2.REASON_SCREEN_OR_PRINT in found.attempt.reasons
    assert {check.name for check in found.attempt.checks} >= {"depth", "lips", "presentation_attack", "seen_before"}
    assert found.attempt.digests["profile"] == profiles.load().digest
    assert found.recording_sha256 == hashlib.sha256(RECORDINGS[REPLAYED].read_bytes()).hexdigest()
    assert {short_name(review_service_pb2.EvidenceKind, each.kind) for each in found.evidence} == {
        "RECORDING",
        "TRACKS",
        "RESULT",
    }
    assert not any(each.HasField("remove_time") for each in found.evidence)
    assert [(label.number, label.truth, label.note, label.analyst) for label in found.labels] == [
        (1, review_service_pb2.TRUTH_UNSURE, "ask a lead", "ana"),
        (2, review_service_pb2.TRUTH_ATTACK, "", "ana"),
    ]
    assert found.consensus.settled == found.labels[1]
    assert [(line.who, line.action, line.what, line.why) for line in found.audit] == [("ana", "read", "result", WHY)]
    for unknown in ("", "nobody", "x" * 65, BIDI, CONTROL, "../screen_replay"):
        answer = await refused(desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=unknown)))
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "ATTEMPT_UNKNOWN")


async def test_an_attempt_shows_what_its_browser_said(desk: Desk, site: Site) -> None:
    """Of a live session, with what did not fit; an upload has said nothing."""
    hello = {"user_agent": "Firefox/140.0", "mime_type": "video/mp4", "misfits": ["states mp4, sends webm"]}
    with site.engine.begin() as connection:
        add_session(connection, attempt_id=REPLAYED, hello=hello)
    found = await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=REPLAYED))
    assert [(fact.name, fact.value, fact.doubt) for fact in found.browser_facts] == [
        ("user agent", "Firefox/140.0", ""),
        ("recorder", "video/mp4", "Firefox records WebM"),
        ("container and codecs", "compared", "the client states mp4, sends webm"),
    ]
    assert found.browser_misfits == ["states mp4, sends webm"]
    upload = await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=GOOD))
    assert (list(upload.browser_facts), list(upload.browser_misfits)) == ([], [])


async def test_evidence_comes_whole_and_is_logged_before_its_first_byte(desk: Desk, site: Site) -> None:
    """The header says what and how long, the chunks are the piece, and the log has who, what and why by the first message."""
    recording = judged_only(RECORDINGS[REPLAYED], sound_track=0, limits=MediaLimits())
    request = GetEvidenceRequest(attempt_id=REPLAYED, kind=review_service_pb2.EVIDENCE_KIND_RECORDING, why=WHY)
    stream = aiter(desk.ask("GetEvidence", request))
    first = await anext(stream)
    assert [(line.who, line.action, line.attempt_id, line.what, line.why) for line in site.room.audit.lines()] == [
        ("ana", "read", REPLAYED, "recording", WHY)
    ]
    assert (first.header.size_bytes, first.header.sha256) == (len(recording), hashlib.sha256(recording).hexdigest())
    assert b"".join([each.chunk async for each in stream]) == recording
    for kind in (review_service_pb2.EVIDENCE_KIND_TRACKS, review_service_pb2.EVIDENCE_KIND_RESULT):
        header, piece = await desk.evidence(REPLAYED, kind)
        assert (header.kind, header.size_bytes) == (kind, len(piece))
    assert site.room.audit.verify() == (3, ())


async def test_what_says_nothing_or_something_else_is_refused(desk: Desk, site: Site) -> None:
    """No reason, one that is endless, or one that would show as something else in a log; a kind that cannot be read."""
    for why in ("", "  ", "w" * 1001, BIDI, CONTROL, "two\nlines", "line\u2028separator"):
        answer = await desk.no_evidence(REPLAYED, why=why)
        assert (answer.reason, answer.metadata) == ("REQUEST_INVALID", {"field": "why"}), why
    for kind in (0, review_service_pb2.EVIDENCE_KIND_RECEIPT, 77):
        answer = await desk.no_evidence(REPLAYED, kind)
        assert (answer.reason, answer.metadata) == ("REQUEST_INVALID", {"field": "kind"})
    assert (await desk.no_evidence("nobody")).reason == "ATTEMPT_UNKNOWN"
    assert site.room.audit.lines() == []
    await desk.evidence(
        REPLAYED, review_service_pb2.EVIDENCE_KIND_RESULT, why="سبب — почему 🎭 <script>alert(1)</script> ' -- %s"
    )
    assert site.room.audit.lines()[0].why.endswith("%s")


async def test_filters_and_tokens_that_are_none_are_refused(desk: Desk) -> None:
    """Each with its reason, whatever characters they are made of, and however long."""
    for text in (
        "verdict=MAYBE",
        "secret=1",
        "verdict=REJECTED;",
        CONTROL,
        f'subject="{BIDI}"',
        "id=" + "a" * 2000,
        "🎭" * 600,
        "(",
    ):
        answer = await refused(desk.ask("ListAttempts", ListAttemptsRequest(filter=text)))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FILTER_INVALID"), text
    for token in ("x", "====", "MTIz", "OTIyMzM3MjAzNjg1NDc3NTgwNwph", "MQouLi94", "MQphAGI", "🎭", "a" * 9000):
        answer = await refused(desk.ask("ListAttempts", ListAttemptsRequest(page_token=token)))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"), token
    answer = await refused(desk.ask("ListAttempts", ListAttemptsRequest(page_size=-1)))
    assert (answer.reason, answer.metadata) == ("REQUEST_INVALID", {"field": "page_size"})


async def test_a_label_that_is_sent_again_is_kept_once(desk: Desk) -> None:
    """The same request gets the same label; another one with its id is refused; somebody else's id is no concern of anybody's."""
    request = {
        "truth": review_service_pb2.TRUTH_ATTACK,
        "species": "mask",
        "note": "seen\non\tTuesday",
        "request_id": str(uuid4()),
    }
    first = await desk.label(SILENT, **request)
    assert (first.number, first.analyst, first.note) == (1, "ana", "seen\non\tTuesday")
    assert await desk.label(SILENT, **request | {"request_id": request["request_id"].upper()}) == first  # type: ignore[attr-defined]
    for change in ({"truth": review_service_pb2.TRUTH_UNSURE, "species": ""}, {"note": "other"}, {"species": "print"}):
        answer = await refused(desk.label(SILENT, **request | change))
        assert (answer.code, answer.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert (await refused(desk.label(GOOD, **request))).reason == "REQUEST_ID_REUSED"
    assert (await desk.label(SILENT, desk.other, **request)).number == 2
    both = await asyncio.gather(*[desk.label(GOOD, **request | {"request_id": str(uuid4())}) for _ in range(4)])
    assert sorted(label.number for label in both) == [1, 2, 3, 4]


async def test_a_label_is_taken_back_by_who_gave_it(desk: Desk) -> None:
    """Once or twice the same; it stays in the history with the time, and counts for nothing. Nobody else's can be."""
    given = await desk.label(SILENT, truth=review_service_pb2.TRUTH_ATTACK, species="mask")

    async def take_back(attempt_id: str, number: int, metadata: Metadata | None = None) -> Any:
        return await desk.ask("WithdrawLabel", WithdrawLabelRequest(attempt_id=attempt_id, number=number), metadata)

    answer = await refused(take_back(SILENT, given.number, desk.other))
    assert (answer.reason, answer.metadata) == ("REQUEST_INVALID", {"field": "number"})
    taken = await take_back(SILENT, given.number)
    assert taken.HasField("withdraw_time")
    assert await take_back(SILENT, given.number) == taken
    found = await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=SILENT))
    assert list(found.labels) == [taken]
    assert not found.consensus.HasField("settled")
    assert [(line.who, line.action) for line in found.audit] == [("ana", "unlabel")]
    assert (await refused(take_back("nobody", 1))).reason == "ATTEMPT_UNKNOWN"
    assert (await refused(take_back(SILENT, 7))).reason == "REQUEST_INVALID"


async def test_a_label_that_says_nothing_is_refused(desk: Desk) -> None:
    """An attack without a species, a species without an attack, characters that deceive, notes without end: by their field."""
    for given, field in (
        ({}, "truth"),
        ({"truth": 9}, "truth"),
        ({"truth": review_service_pb2.TRUTH_ATTACK}, "species"),
        ({"truth": review_service_pb2.TRUTH_ATTACK, "species": "<b>"}, "species"),
        ({"truth": review_service_pb2.TRUTH_ATTACK, "species": "mask\n"}, "species"),
        ({"truth": review_service_pb2.TRUTH_ATTACK, "species": "m" * 65}, "species"),
        ({"truth": review_service_pb2.TRUTH_ATTACK, "species": "mаsk"}, "species"),
        ({"truth": review_service_pb2.TRUTH_BONA_FIDE, "species": "mask"}, "species"),
        ({"truth": review_service_pb2.TRUTH_UNSURE, "note": "n" * 10_240}, "note"),
        ({"truth": review_service_pb2.TRUTH_UNSURE, "note": BIDI}, "note"),
        ({"truth": review_service_pb2.TRUTH_UNSURE, "note": CONTROL}, "note"),
    ):
        answer = await refused(desk.label(SILENT, **given))
        assert (answer.reason, answer.metadata) == ("REQUEST_INVALID", {"field": field}), given
    for request_id in ("", "1", str(uuid4()) + " "):
        answer = await refused(desk.label(SILENT, truth=review_service_pb2.TRUTH_UNSURE, request_id=request_id))
        assert answer.reason == "REQUEST_ID_INVALID"
    assert (await refused(desk.label("nobody", truth=review_service_pb2.TRUTH_UNSURE))).reason == "ATTEMPT_UNKNOWN"
    found = await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=SILENT))
    assert not found.labels
    note = "<img src=x onerror=alert(1)>\n" + "🎭" * 3000
    assert (await desk.label(SILENT, truth=review_service_pb2.TRUTH_UNSURE, note=note)).note == note


async def test_the_same_profile_reproduces_every_score_and_another_flips(desk: Desk, site: Site) -> None:
    """To the last bit from the tracks, and by name, number or JSON under another threshold with the check that does it."""

    async def replay(attempt_id: str, profile: ProfileChoice | None = None) -> Any:
        return await desk.ask("ReplayAttempt", ReplayAttemptRequest(attempt_id=attempt_id, profile=profile, why=WHY))

    for attempt_id in (GOOD, REPLAYED, SILENT):
        same = await replay(attempt_id)
        assert same.reproduced, attempt_id
        assert not any(each.changed for each in same.checks)
        assert (same.before.verdict, list(same.before.reasons)) == (same.after.verdict, list(same.after.reasons))
    assert [(line.who, line.what) for line in site.room.audit.lines()] == [("ana", "result"), ("ana", "tracks")] * 3
    for choice in (
        ProfileChoice(inline="thresholds.lips_distinct_min = 1.99\nthresholds.lips_peak_min = 9.0"),
        ProfileChoice(
            inline='{"extends": "default", "thresholds": {"lips_distinct_min": {"value": 1.99}, "lips_peak_min": 9.0}}'
        ),
    ):
        flipped = await replay(GOOD, choice)
        assert (flipped.before.verdict, flipped.after.verdict) == (attempt_pb2.VERDICT_ACCEPTED, attempt_pb2.VERDICT_REJECTED)
        assert list(flipped.after.reasons) == [reason_pb2.REASON_LIPS_DO_NOT_MATCH]
        assert (list(flipped.flipped_by), list(flipped.changed_digests)) == (["lips"], ["profile"])
        (lips,) = [each for each in flipped.checks if each.changed]
        assert (lips.before.score, lips.after.threshold, lips.after.outcome) == (lips.after.score, 1.99, attempt_pb2.OUTCOME_FAIL)
        assert (flipped.after.profile, flipped.reproduced) == ("inline", False)
    assert (await replay(GOOD, ProfileChoice(name="minor"))).after.profile == "minor"


async def test_a_profile_that_is_none_is_refused(desk: Desk, tmp_path: Path) -> None:
    """A name the server does not have, a path above all, and every malformed text; nothing is read for it."""
    file = tmp_path / "own.toml"
    file.write_text('extends = "default"\n')
    for name in (str(file), "../own", "lenient", CONTROL, "x" * 4000):
        request = ReplayAttemptRequest(attempt_id=GOOD, profile=ProfileChoice(name=name), why=WHY)
        answer = await refused(desk.ask("ReplayAttempt", request))
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "PROFILE_UNKNOWN")
    for text in (
        f'extends = "{file}"',
        "thresholds.nothing = 1",
        "=",
        "# " + "x" * 70_000,
        "thresholds.x = '" + "🎭" * 9000 + "'",
    ):
        request = ReplayAttemptRequest(attempt_id=GOOD, profile=ProfileChoice(inline=text), why=WHY)
        answer = await refused(desk.ask("ReplayAttempt", request))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PROFILE_INVALID")
    found = await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=GOOD))
    assert not found.audit
