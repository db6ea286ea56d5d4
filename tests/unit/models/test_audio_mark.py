"""The detector of Perth's audio mark, on one synthetic voice with the mark and without.

`marked_voice.webm` is what `python -m tests.real.marking fixtures/astronaut_bona_fide.mp4 --out FILE` writes: three seconds of
that fixture's voice, marked by the encoder of the same checkpoint, as Opus of 24 kbit/s.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier.errors import ModelKitError
from cameo_verifier.evidence.sound import listen
from cameo_verifier.media import open_recording
from cameo_verifier.models.convert.mark import convert
from cameo_verifier.profiles import load
from cameo_verifier.settings import MediaLimits
from tests.conftest import ROOT
from tests.real.marking import RATE_HZ

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32

MARKED = Path(__file__).with_name("marked_voice.webm")
PLAIN = ROOT / "fixtures" / "astronaut_bona_fide.mp4"


def _sound(path: Path) -> F32:
    with open_recording(path, limits=MediaLimits()) as recording:
        return recording.sound()


def test_a_marked_voice_is_told_from_the_same_one_unmarked(kit: ModelKit) -> None:
    """One second is enough, and the codec leaves the mark in; the voice itself has none."""
    line = load()["audio_mark_max"].value
    marked, plain = _sound(MARKED), _sound(PLAIN)
    for seconds in (1, 2, 3):
        assert kit.audio_mark.score(marked[: seconds * RATE_HZ]) > 0.5 + line / 2
        assert kit.audio_mark.score(plain[: seconds * RATE_HZ]) < line / 2


def test_the_score_comes_with_the_sounds_evidence(kit: ModelKit) -> None:
    """It is that of the speech without its pauses, and no number without speech."""
    line = load()["audio_mark_max"].value
    assert listen(_sound(MARKED), kit).mark > line
    assert listen(_sound(PLAIN), kit).mark < line
    assert math.isnan(listen(np.zeros(2 * RATE_HZ, np.float32), kit).mark)


def test_what_is_no_speech_has_no_mark(kit: ModelKit) -> None:
    """Digital silence scores 0, less than half a second nothing; what comes after six seconds is not looked at."""
    marked = _sound(MARKED)
    assert kit.audio_mark.score(np.zeros(2 * RATE_HZ, np.float32)) == 0.0
    assert math.isnan(kit.audio_mark.score(marked[: round(0.49 * RATE_HZ)]))
    long = np.concatenate([marked, marked, marked])[: 6 * RATE_HZ]
    assert kit.audio_mark.score(np.concatenate([long, long])) == kit.audio_mark.score(long)


def test_a_file_that_is_no_such_checkpoint_is_refused(tmp_path: Path) -> None:
    """The fault names the file; nothing is written."""
    (tmp_path / "perth.pth.tar").write_bytes(b"no checkpoint")
    with pytest.raises(ModelKitError, match="is not a PyTorch checkpoint"):
        convert(tmp_path / "perth.pth.tar", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()
