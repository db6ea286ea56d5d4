"""What happens to a person, sent as a file: the first reason is the one that tells what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.tracks import Tracks, to_bytes
from cameo_verifier.pipeline import verify
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Kind
from cameo_verifier.settings import Settings
from cameo_verifier.types import Decision, Verdict
from tests.once import Once
from tests.situations.situations import SITUATIONS, Situation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.models.kit import ModelKit

PAGE = Path(__file__).resolve().parents[2] / "docs/reasons.md"


@pytest.fixture(scope="module")
def once() -> Iterator[Once]:
    """The models, each half of a recording shown to them once."""
    remembered = Once()
    with pytest.MonkeyPatch.context() as patch:
        remembered.put(patch)
        yield remembered


def told(situation: Situation, kit: ModelKit) -> Decision:
    """Return what comes of a situation; what cannot be judged at all is refused for one reason."""
    recording, challenge = situation.sent()
    try:
        return verify(recording, challenge, profile=load(), kit=kit, settings=Settings()).decision
    except UnjudgeableError as error:
        return Decision(Verdict.RETRY if error.reason.kind is Kind.QUALITY else Verdict.REJECTED, (error.reason,))


@pytest.mark.slow
@pytest.mark.usefixtures("once")
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.told)
def test_the_first_reason_tells_what_to_do(kit: ModelKit, situation: Situation) -> None:
    """A recording that a device, a room or a person spoils is told so first, and is never accepted."""
    decision = told(situation, kit)
    if situation.first is None:
        assert (decision.verdict, decision.reasons) == (Verdict.ACCEPTED, ())
        return
    assert decision.reasons[:1] == (situation.first,), decision
    assert decision.verdict is (Verdict.RETRY if situation.first.kind is Kind.QUALITY else Verdict.REJECTED)


@pytest.mark.slow
@pytest.mark.parametrize("spoilt", ["The microphone is muted.", "The camera is not allowed."])
def test_the_half_that_is_not_spoilt_is_the_same_to_the_bit(kit: ModelKit, once: Once, spoilt: str) -> None:
    """What is taken from where nothing is wrong, the pictures or the sound, is what the models say of the spoilt recording."""
    for situation in (SITUATIONS[0], next(each for each in SITUATIONS if each.told == spoilt)):
        before, (recording, challenge) = once.answered, situation.sent()
        remembered = collect(recording, kit, settings=Settings(), spoken=challenge.spoken)
    assert once.answered > before, "it was shown to the models"
    with pytest.MonkeyPatch.context() as patch:
        Once().put(patch)
        shown = collect(recording, kit, settings=Settings(), spoken=challenge.spoken)
    assert to_bytes(Tracks(remembered)) == to_bytes(Tracks(shown))


def test_the_page_lists_every_situation_with_its_hint() -> None:
    """docs/reasons.md says the same, in the same order."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and line.endswith(". |")]
    told = [row for row in rows if row.count("|") == 4]
    wanted = [f"| {each.told} | `{each.first}` | {each.first.hint} |" for each in SITUATIONS if each.first is not None]
    assert told == wanted
