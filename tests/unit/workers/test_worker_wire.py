"""What a worker says arrives as it was said, and nothing else is taken for an answer."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.errors import CameoError
from cameo_verifier.errors import AbandonedError, ModelKitError, StoreError, UnjudgeableError
from cameo_verifier.evidence.tracks import TracksVersionError
from cameo_verifier.live.observation import Heard, Seen
from cameo_verifier.reasons import Reason
from cameo_verifier.review.replay import Answer, NotReplayed, Replayed
from cameo_verifier.types import CheckResult, Circumstances, Decision, Direction, Judgement, Outcome, Recalled, Verdict
from cameo_verifier.workers.judge import Response
from cameo_verifier.workers.wire import (
    MalformedError,
    Observed,
    Refusal,
    Result,
    WorkerFaultError,
    answer,
    heard,
    observed,
    refusal,
)
from tests.grpc.judges import Scripted, answers

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.live.observation import Observation


def alike(one: Any, other: Any) -> bool:
    """Whether two values are of the same types and the same to the last bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if dataclasses.is_dataclass(one):
        return all(alike(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return pickle.dumps(one) == pickle.dumps(other)


def judgement(tmp_path: Path) -> Judgement:
    made = Scripted(tmp_path / "journal", answers())(Response(b"accept:3", None, None), lambda: False)  # type: ignore[arg-type]
    check = CheckResult("lips", Outcome.UNABLE, np.float32(0.1), "nats", float("nan"), Direction.AT_LEAST, Reason.NO_SPEECH, "é")
    circumstances = Circumstances(datetime(2026, 11, 30, tzinfo=UTC), {"max_s": 30.0}, recalled=Recalled(0.5, "an attempt"))
    return dataclasses.replace(made, checks=(*made.checks, check), circumstances=circumstances)


def test_a_judgement_arrives_to_the_last_bit(tmp_path: Path) -> None:
    """Every array, number, enumeration and byte of it."""
    said = judgement(tmp_path)
    arrived = heard(answer(7, said))
    assert isinstance(arrived, Result)
    assert arrived.number == 7
    assert alike(arrived.result, said)


def test_a_replay_arrives_where_it_is_expected() -> None:
    """Records beside those of a judgement are known to whoever names them, and to nobody else."""
    once = Answer(Verdict.REVIEW, ("NO_FACE",), (CheckResult.unable("age", Reason.NO_FACE),), ("age",), "default", {"code": "ab"})
    records = (Answer, NotReplayed, Replayed)
    for said in (Replayed("a", once, once, (), exact=True), NotReplayed("a", "it is gone")):
        arrived = heard(answer(1, said, records), records)
        assert isinstance(arrived, Result)
        assert alike(arrived.result, said)
        with pytest.raises(MalformedError):
            heard(answer(1, said, records))
    with pytest.raises(RuntimeError, match="no place for a NotReplayed"):
        answer(1, NotReplayed("a", "it is gone"))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (AbandonedError("stopped"), AbandonedError),
        (ModelKitError("run `cameo models pull`"), ModelKitError),
        (WorkerFaultError("ValueError at a.py:1"), WorkerFaultError),
        (StoreError("none of a worker's"), CameoError),
        (TracksVersionError("version 4"), CameoError),
    ],
)
def test_an_error_arrives_with_its_kind_and_message(said: CameoError, kind: type[CameoError]) -> None:
    """One that no worker should raise arrives as the kind above it."""
    arrived = heard(refusal(said))
    assert isinstance(arrived, Refusal)
    assert type(arrived.error) is kind
    assert str(arrived.error) == str(said)


def test_what_cannot_be_judged_keeps_its_reason() -> None:
    """The reason code and the message that says what to do."""
    arrived = heard(refusal(UnjudgeableError(Reason.RECORDING_TOO_COSTLY, "record less")))
    assert isinstance(arrived, Refusal)
    assert isinstance(arrived.error, UnjudgeableError)
    assert (arrived.error.reason, str(arrived.error)) == (Reason.RECORDING_TOO_COSTLY, "record less")


@pytest.mark.parametrize(
    "said",
    [
        Seen(0.125, 1, 0.4, (0.5, 0.25), 130.0, -12.5, 3.0, 29.97),
        Heard(0.1, -120.0, speech=False),
        Heard(1, float("nan"), speech=True),
    ],
)
def test_an_observation_arrives_as_it_was_made(said: Observation) -> None:
    """With the number of its recording."""
    arrived = heard(observed(3, said))
    assert isinstance(arrived, Observed)
    assert arrived.recording == 3
    assert alike(arrived.what, said)


def test_why_a_recording_cannot_be_observed_arrives_with_its_reason() -> None:
    """As of a recording that cannot be judged."""
    arrived = heard(observed(2, UnjudgeableError(Reason.CORRUPT_MEDIA, "begin another")))
    assert isinstance(arrived, Observed)
    assert isinstance(arrived.what, UnjudgeableError)
    assert (arrived.recording, arrived.what.reason, str(arrived.what)) == (2, Reason.CORRUPT_MEDIA, "begin another")


def test_what_is_no_observation_is_refused() -> None:
    """A record of another kind, or none, in place of one."""
    for other in (CheckResult.unable("age", Reason.NO_FACE), 1, ()):
        with pytest.raises(MalformedError):
            heard(b"O" + answer(3, other)[1:])


@given(
    st.one_of(
        st.binary(max_size=64),
        st.binary(max_size=64).map(lambda rest: b"A" + rest),
        st.binary(max_size=64).map(lambda rest: b"E" + rest),
        st.binary(max_size=64).map(lambda rest: b"O" + rest),
        st.binary(max_size=64).map(lambda rest: b"U" + rest),
    )
)
def test_other_bytes_are_no_answer(message: bytes) -> None:
    """Whatever they are, they are refused by name."""
    if message != b"R":
        with pytest.raises(MalformedError):
            heard(message)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"RR",
        pickle.dumps(Decision(Verdict.ACCEPTED, ())),
        b'E{"error":"SystemExit","message":""}',
        b"E[]",
        b"E" + b"[" * 100_000,
    ],
)
def test_a_pickle_or_an_unknown_error_is_no_answer(message: bytes) -> None:
    """Nothing is called that is not on the list."""
    with pytest.raises(MalformedError):
        heard(message)
