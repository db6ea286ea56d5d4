from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.errors import ModelKitError
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.convert.phonemes import convert, read_archive
from cameo_verifier.models.phonemes import BLANK, RATE_HZ
from cameo_verifier.settings import MediaLimits
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32


def _archive(values: F32, *, claimed: int | None = None) -> bytes:
    """Return an archive of one float16 array, `claimed` bytes long as it says."""
    raw = values.astype("<f2").tobytes()
    head = b"HAMAPK\x01\x02" + struct.pack("<IH", 1, 1) + b"w" + struct.pack("<BB", 1, values.ndim)
    head += struct.pack(f"<{values.ndim}I", *values.shape) + struct.pack("<QQ", 0, len(raw) if claimed is None else claimed)
    return head + b"\0" * (-len(head) % 16) + raw


def _heard(kit: ModelKit, log_probs: F32) -> str:
    """Return the tokens heard, each once for as long as it lasts."""
    best = [kit.phonemes.tokens[column] for column in log_probs.argmax(axis=1)]
    changes = [token for token, before in zip(best, ["", *best], strict=False) if token != before]
    return "".join(token for token in changes if token != BLANK).replace("<wb>", " ").strip()


def test_words_are_heard_as_their_phonemes(kit: ModelKit) -> None:
    """What a synthetic voice answers to a challenge is heard sound by sound, at 50 rows a second."""
    with open_recording(ROOT / "fixtures" / "astronaut_bona_fide.mp4", limits=MediaLimits()) as recording:
        sound = recording.sound()
    log_probs = kit.phonemes.log_probs(sound)
    heard = _heard(kit, log_probs)
    assert len(log_probs) == pytest.approx(len(sound) / 16_000 * RATE_HZ, abs=2)
    np.testing.assert_allclose(np.exp(log_probs.astype(np.float64)).sum(axis=1), 1.0, atol=1e-4)
    assert "sɛvən" in heard
    # The last sound of "nine", before a th, may be heard as an M.
    assert re.search("faɪv wɪndoʊ one naɪ[nm] θɹi$", heard)


def test_long_sound_is_heard_in_pieces_without_a_seam(kit: ModelKit) -> None:
    """Sound longer than a piece has as many rows as it lasts, and what is said late is heard as when it is heard alone."""
    with open_recording(ROOT / "fixtures" / "astronaut_bona_fide.mp4", limits=MediaLimits()) as recording:
        sound = recording.sound()
    silence = np.zeros(round((20.0 - len(sound) / 16_000 / 2) * 50) * 320, np.float32)
    together = kit.phonemes.log_probs(np.concatenate([silence, sound]))
    assert len(together) == pytest.approx((len(silence) + len(sound)) / 320, abs=2)
    alone = kit.phonemes.log_probs(sound)
    alike = together[len(silence) // 320 :][: len(alone)].argmax(axis=1) == alone[: len(together)].argmax(axis=1)
    assert alike.mean() > 0.95


def test_less_than_a_window_has_no_rows(kit: ModelKit) -> None:
    """Sound of less than 25 ms says nothing, and silence is a number."""
    assert kit.phonemes.log_probs(np.zeros(399, np.float32)).shape == (0, len(kit.phonemes.tokens))
    assert np.isfinite(kit.phonemes.log_probs(np.zeros(16_000, np.float32))).all()


def test_an_archive_of_weights_is_read_whole() -> None:
    """An array comes out with its name, shape and values."""
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    read = read_archive(_archive(values))
    assert list(read) == ["w"]
    np.testing.assert_array_equal(read["w"], values)


@pytest.mark.parametrize("data", [b"PK\x03\x04", _archive(np.ones(4, np.float32), claimed=10**9)])
def test_an_archive_that_lies_is_refused(data: bytes) -> None:
    """Another kind of file, or one that claims more than it holds, is no archive."""
    with pytest.raises(ValueError, match=r"no archive of weights|does not fit"):
        read_archive(data)


@given(st.integers(0, 60))
def test_a_cut_archive_is_refused(left: int) -> None:
    """However much of its end is missing, an archive is never read as if it were whole."""
    whole = _archive(np.ones(16, np.float32))
    with pytest.raises((ValueError, struct.error)):
        read_archive(whole[: min(left, len(whole) - 1)])


def test_other_weights_are_named_in_our_words(tmp_path: Path) -> None:
    """An archive without the network's weights says so as a fault of the kit."""
    archive, vocabulary = tmp_path / "weights", tmp_path / "vocabulary"
    archive.write_bytes(_archive(np.ones(4, np.float32)))
    vocabulary.write_text('{"decoder": ["a"]}')
    with pytest.raises(ModelKitError, match="does not hold the expected phoneme network"):
        convert(archive, vocabulary, tmp_path / "out.onnx")
