from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from speechbrain.lobes.features import MFCC, Fbank

from cameo_verifier.models.mfcc import filter_bank, mfcc_model
from cameo_verifier.models.onnx_graph import OnnxGraph

MAX_DIFFERENCE = 1e-3
# A single band just above the floor, 80 dB below the loudest, carries both sides' float32 rounding undiluted.
MAX_BAND_DIFFERENCE_DB = 5e-3


@pytest.mark.parametrize("sound", ["noise", "speech_like"])
def test_mfcc_is_speechbrains(sound: str, request: pytest.FixtureRequest) -> None:
    """The kit's MFCC is SpeechBrain's to within 1e-3, frame by frame."""
    samples = request.getfixturevalue(sound)
    expected = MFCC(n_mfcc=24, n_mels=44, deltas=False, context=False)(torch.from_numpy(samples)[None]).numpy()
    session = onnxruntime.InferenceSession(mfcc_model().SerializeToString())
    [actual] = session.run(None, {"sound": samples[None]})

    assert actual.shape == (1, 24, 1 + len(samples) // 160)
    assert np.abs(expected).max() > 10
    np.testing.assert_allclose(actual.transpose(0, 2, 1), expected, rtol=0, atol=MAX_DIFFERENCE)


@pytest.mark.parametrize("sound", ["noise", "speech_like"])
def test_filter_bank_is_speechbrains(sound: str, request: pytest.FixtureRequest) -> None:
    """The 80 filter banks ECAPA-TDNN listens to are SpeechBrain's to within 0.005 dB."""
    samples = request.getfixturevalue(sound)
    expected = Fbank(n_mels=80)(torch.from_numpy(samples)[None]).numpy()
    graph = OnnxGraph("filter_bank")
    model = graph.model({"sound": ("batch", "samples")}, filter_bank(graph, "sound", n_mels=80), "banks", ("batch", 80, "frames"))
    [actual] = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"sound": samples[None]})

    np.testing.assert_allclose(actual.transpose(0, 2, 1), expected, rtol=0, atol=MAX_BAND_DIFFERENCE_DB)
