"""Screen light as a check: its lines, and when it says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cameo_challenges.colours import sequence
from cameo_challenges.model import Challenge
from cameo_verifier.checks import screen_light
from cameo_verifier.checks.question import Case
from cameo_verifier.live_record import LiveRecord, Reveal
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Circumstances, Evidence, FaceTrack, MediaInfo, Missing, Outcome
from tests.lit import SENT_S, T_S, landmarks, lit, record

ASKED = sequence(1_234_567)
LIT = Challenge((), colours=ASKED)


def face(seen: np.ndarray) -> FaceTrack:
    none = np.zeros(0, np.float32)
    return FaceTrack(
        t_s=T_S, faces=np.ones(len(T_S), np.int32), landmarks=landmarks(), pose_deg=np.zeros((len(T_S), 3), np.float32),
        blendshapes=np.zeros((len(T_S), 52), np.float32), face_px=none, luma=none, sharpness=none, eye_white=none,
        identity_t_s=np.zeros(0), identity_yaw_deg=none, embeddings=np.zeros((0, 512), np.float32), live_t_s=np.zeros(0),
        live=none, ages=none, lit_t_s=T_S, lit=seen.astype(np.float32),
    )  # fmt: skip


def asked(seen: FaceTrack | Missing, live: LiveRecord | None = None) -> tuple[Outcome, str]:
    evidence = Evidence(MediaInfo("webm", 0, "", 8.0), seen, Missing(Reason.NO_AUDIO))
    result = screen_light.check(Case(evidence, LIT, Circumstances(live=live or record())), load())
    return result.outcome, result.unit


def test_a_lit_face_passes() -> None:
    """A face that the display lights passes, and the detail names the delay."""
    assert asked(face(lit(ASKED))) == (Outcome.PASS, "correlation")


@pytest.mark.parametrize(
    ("seen", "unit"),
    [
        (lit(sequence(7_654)), "correlation"),
        (lit(ASKED[::-1]), "correlation"),
        (lit(ASKED, share=0.3, background=1.0), None),
        (lit(ASKED, share=0.0), None),
    ],
    ids=["another sequence", "backwards", "lit like its background", "not lit"],
)
def test_another_light_fails(seen: np.ndarray, unit: str | None) -> None:
    """Another order, a flat answer and none are not confirmed."""
    outcome, by = asked(face(seen))
    assert outcome is Outcome.FAIL
    assert unit in {None, by}


def test_a_late_light_fails_by_its_delay() -> None:
    """The right colours later than a slow line is allowed fail, whatever they match."""
    late = LiveRecord(colours=tuple(Reveal(sent - 1.0) for sent in SENT_S), arrivals=record().arrivals)
    assert asked(face(lit(ASKED)), late) == (Outcome.FAIL, "s")


def test_a_face_alone_is_not_told() -> None:
    """Where the face fills the picture, or there is none, the check is unable."""
    close = lit(ASKED)
    close[:, 40:] = np.nan
    assert asked(face(close))[0] is Outcome.UNABLE
    assert asked(Missing(Reason.NO_FACE))[0] is Outcome.UNABLE


def test_it_is_asked_in_live_sessions_with_light_alone() -> None:
    """Uploads have no live record, and a session without light no colours."""
    question = screen_light.QUESTION
    assert question.applies(LIT)
    assert not question.applies(Challenge(()))
    assert question.known(Circumstances(live=record()))
    assert not question.known(Circumstances())
    assert not question.known(Circumstances(live=replace(record(), colours=())))
