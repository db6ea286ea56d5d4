"""The table of where reasons are shown: every reason has a lane or a figure, or says why it has none."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import getsource
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest

from cameo_verifier import checks, profiles
from cameo_verifier.checks import BY_NAME
from cameo_verifier.console.axis import axis
from cameo_verifier.console.earlier import Earlier
from cameo_verifier.console.pictures import PICTURES, pictures
from cameo_verifier.console.seen_in import DECISION, OF_CHECK, OF_REASON, RECORDING, seen_in
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from tests.unit.review.stored import Judged

PROFILE = profiles.load()
GIVEN = {
    (module.name, Reason(name))
    for module in iter_modules(checks.__path__)
    if module.name in BY_NAME
    for name in re.findall(r"\bReason\.([A-Z_]+)", getsource(import_module(f"{checks.__name__}.{module.name}")))
}
"""Every reason that is named in a check."""


def test_every_reason_is_in_the_table() -> None:
    """Whatever a verdict may say, the table knows it, and names no other."""
    assert set(OF_REASON) == set(Reason)
    assert len(GIVEN) > 60


@pytest.mark.parametrize(("check", "reason"), sorted(GIVEN))
def test_what_a_check_says_is_seen_or_said_to_be_nowhere(check: str, reason: Reason) -> None:
    """One of the two, never neither."""
    assert check in BY_NAME
    seen = seen_in(check, reason)
    assert seen.places or seen.nowhere


def test_attacks_and_mismatches_are_seen() -> None:
    """What is held against a recording has a place, but for clocks, single numbers of all of it, and what nobody looked for."""
    blind = {(check, reason) for check, reason in GIVEN if not seen_in(check, reason).places}
    assert {check for check, _ in blind} == {
        "elapsed",
        "upscaled",
        "audio_mark",
        "synthetic_voice",
        "seen_before",
        "answered_in_time",
        "screen_light",
    }
    for asked in ("seen_before", "answered_in_time"):
        assert {reason for check, reason in blind if check == asked} == {Reason.NOT_CONFIRMED}


def test_every_place_is_drawn(judged: Judged) -> None:
    """Each lane and picture that the table names is on the page of an attempt, and no check is in the table that is none."""
    judgement, challenge = judged("astronaut_bona_fide")
    other = Earlier("earlier", judgement.evidence.fingerprint)
    drawn = axis(judgement.evidence, challenge, PROFILE, moves_as=other, sounds_as=other)
    named = {place for seen in (*OF_REASON.values(), *OF_CHECK.values()) for place in seen.places}
    assert {each.id for each in pictures(judgement.evidence, PROFILE)} == set(PICTURES)
    assert named <= set(drawn.names) | set(PICTURES) | {DECISION, RECORDING}
    assert set(PICTURES) <= named
    assert set(OF_CHECK) <= set(BY_NAME)
