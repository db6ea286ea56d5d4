"""Tracks come back as they were, and nothing else ever does."""

from __future__ import annotations

import dataclasses
import gc
import io
import json
import struct
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from cameo_verifier.evidence.tracks import VERSION, Tracks
from cameo_verifier.evidence.tracks import from_bytes as tracks_from
from cameo_verifier.evidence.tracks import to_bytes as bytes_of
from cameo_verifier.reasons import Reason
from cameo_verifier.types import (
    Circumstances,
    Evidence,
    FaceTrack,
    Fingerprint,
    GalleryAnswer,
    Match,
    MediaInfo,
    Missing,
    PictureTrace,
    Recalled,
    ScoredWord,
    SoundRepeat,
    SoundTrack,
    Word,
)

ANY_FLOAT = st.floats() | st.sampled_from([np.float32(0.1), np.float64(1 / 3), float("nan"), float("-inf"), -0.0])
WORDS = st.text(max_size=8)
SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
ARRAYS = st.one_of(
    *(
        arrays_of.arrays(dtype, SHAPES)
        for dtype in (np.float32, np.float64, np.int8, np.int32, np.uint8, np.bool_, np.dtype(">f4"))
    ),
    # Not laid out row by row.
    arrays_of.arrays(np.float32, (4, 3)).map(lambda array: array.T[::2]),
)


def records(record: type, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any record whose fields are arrays but those given; what has a default may be left at it."""
    known = {field.name: given.get(field.name, ARRAYS) for field in dataclasses.fields(record)}
    return st.fixed_dictionaries(known).map(lambda fields: record(**fields))


MISSING = st.sampled_from(Reason).map(Missing)
SAID = {"text": WORDS, "start_s": ANY_FLOAT, "end_s": ANY_FLOAT}
MEDIA = st.builds(MediaInfo, WORDS, st.integers(0), WORDS, ANY_FLOAT, WORDS, WORDS, st.integers(), fps=ANY_FLOAT)
SOUND = records(
    SoundTrack,
    **dict.fromkeys(("duration_s", "level_dbfs", "noise_dbfs", "peak_dbfs"), ANY_FLOAT),
    text=WORDS,
    words=st.lists(st.builds(Word, probability=ANY_FLOAT, **SAID), max_size=2).map(tuple),
    forced=st.lists(st.builds(ScoredWord, log_prob=ANY_FLOAT, gain=ANY_FLOAT, **SAID), max_size=2).map(tuple),
)
PAIRS = st.tuples(ANY_FLOAT, ANY_FLOAT)
PICTURE = st.builds(PictureTrace, ARRAYS, ARRAYS, ANY_FLOAT, ANY_FLOAT, PAIRS, ANY_FLOAT, PAIRS, ANY_FLOAT, ANY_FLOAT)
EVIDENCE = st.builds(
    Evidence,
    MEDIA,
    MISSING | records(FaceTrack),
    MISSING | SOUND,
    MISSING | PICTURE,
    MISSING | st.builds(SoundRepeat, ANY_FLOAT, ANY_FLOAT, ANY_FLOAT),
    records(Fingerprint),
)
MATCHES = st.none() | st.builds(Match, st.integers(0), ANY_FLOAT)
CIRCUMSTANCES = st.builds(
    Circumstances,
    received_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    limits=st.dictionaries(WORDS, ANY_FLOAT | st.integers(), max_size=3),
    synthetic_voice=st.booleans(),
    recalled=st.none() | st.builds(Recalled, ANY_FLOAT, WORDS, ANY_FLOAT, WORDS, st.integers(0)),
    has_gallery=st.booleans(),
    gallery=st.none() | st.builds(GalleryAnswer, ANY_FLOAT, MATCHES, MATCHES),
)
MOTION = np.arange(18, dtype=np.int8).reshape(3, 6)
SMALL = Tracks(
    Evidence(
        MediaInfo("mp4", 9, "00", 1.5, fps=np.float64(25)),
        Missing(Reason.NO_FACE),
        Missing(Reason.NO_AUDIO),
        fingerprint=Fingerprint(motion=MOTION),
    ),
    Circumstances(received_at=datetime(2026, 3, 1, tzinfo=UTC), limits={"min_s": 2.0}),
)


def exactly(value: object) -> object:
    """Return a value as something that is equal only where every bit and every type is."""
    if isinstance(value, np.ndarray | np.generic):
        return type(value), value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return struct.pack(">d", value)
    if dataclasses.is_dataclass(value):
        return type(value), [exactly(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, tuple):
        return [exactly(each) for each in value]
    if isinstance(value, dict):
        return {key: exactly(each) for key, each in value.items()}
    return type(value), value


@given(EVIDENCE, CIRCUMSTANCES)
@settings(max_examples=200)
def test_tracks_come_back_to_the_bit(evidence: Evidence, circumstances: Circumstances) -> None:
    """Whatever the shapes, the orders, the not-a-numbers and the texts: what is read is what was written, type by type."""
    tracks = Tracks(evidence, circumstances)
    assert exactly(tracks_from(bytes_of(tracks))) == exactly(tracks)


@given(EVIDENCE, CIRCUMSTANCES)
@settings(max_examples=50)
def test_the_same_tracks_make_the_same_bytes(evidence: Evidence, circumstances: Circumstances) -> None:
    """Tracks that were read are written as they were before."""
    kept = bytes_of(Tracks(evidence, circumstances))
    assert bytes_of(tracks_from(kept)) == kept


def test_no_time_is_in_the_bytes() -> None:
    """When tracks were written cannot be told from them."""
    with zipfile.ZipFile(io.BytesIO(bytes_of(SMALL))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_numpy_opens_them() -> None:
    """Anybody with numpy reads each array by the name of the field it is in, and the rest as JSON."""
    with np.load(io.BytesIO(bytes_of(SMALL)), allow_pickle=False) as opened:
        assert set(opened) == {"header", "fingerprint.motion", "fingerprint.sound", "fingerprint.words"}
        assert exactly(opened["fingerprint.motion"]) == exactly(MOTION)
        assert json.loads(opened["header"].tobytes())["version"] == VERSION


def test_arrays_that_were_read_cannot_be_written_to() -> None:
    """Tracks are values: a check that wrote into them would change the next answer."""
    motion = tracks_from(bytes_of(SMALL)).evidence.fingerprint.motion
    with pytest.raises(ValueError, match="read-only"):
        motion[0, 0] = 0
    with pytest.raises(ValueError, match="WRITEABLE"):
        motion.flags.writeable = True


class Garbage:
    """What the collector of Python's garbage runs code for, in which another thread may take over."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:  # noqa: D105
        for _ in range(50):
            pass


def test_several_threads_read_tracks_at_once() -> None:
    """As a server does that hears several workers: CPython 3.11 fails where two threads evaluate literals at once."""
    kept = bytes_of(SMALL)

    def read(_: int) -> bytes:
        Garbage()
        return bytes_of(tracks_from(kept))

    switch, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(3)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = set(threads.map(read, range(800)))
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*threshold)
    assert found == {kept}
