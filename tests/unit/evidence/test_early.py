"""Evidence of a recording that was analysed as it arrived: the same, bit for bit, as of the whole."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import AbandonedError
from cameo_verifier.evidence import tracks
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.early import EarlyAnalysis
from cameo_verifier.evidence.picture import Stopwatch
from cameo_verifier.settings import Settings
from cameo_verifier.types import Circumstances, Evidence, FaceTrack
from tests.conftest import COMMITTED
from tests.unit.media.test_early import CONTAINERS, cut, remuxed

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit

FIXTURE = COMMITTED["astronaut_bona_fide"]
SPOKEN, SPREAD_S = FIXTURE.challenge.spoken, FIXTURE.challenge.usual_s


def packed(evidence: object) -> bytes:
    assert isinstance(evidence, Evidence)
    return tracks.to_bytes(tracks.Tracks(evidence, Circumstances()))


@pytest.mark.parametrize(
    ("kind", "pieces", "overlap"), [("matroska", 3, True), ("mp4, in fragments", 100, False), ("mp4, its index last", 10, True)]
)
def test_evidence_does_not_depend_on_how_the_bytes_arrived(kit: ModelKit, kind: str, pieces: int, *, overlap: bool) -> None:
    """Three pieces or a hundred, or an index at the end, for which the recording has to be whole: the same bytes of evidence."""
    settings = Settings(overlap=overlap)
    data = remuxed(FIXTURE.file.read_bytes(), *CONTAINERS.get(kind, ("mp4", {})), until_s=3.0)
    expected = collect(data, kit, settings=settings, spoken=SPOKEN, spread_s=SPREAD_S)
    early = EarlyAnalysis(kit, settings=settings, spread_s=SPREAD_S)
    for chunk in cut(data, range(0, len(data), len(data) // pieces)):
        early.feed(chunk)
    early.end()
    watch = Stopwatch()
    found = collect(early, kit, settings=settings, spoken=SPOKEN, spread_s=SPREAD_S, timings_ms=watch)
    assert isinstance(found.face, FaceTrack)
    assert packed(found) == packed(expected)
    assert ("decode_picture" in watch) == (kind not in CONTAINERS)


def test_what_nobody_waits_for_ends(kit: ModelKit) -> None:
    """A sender that breaks off, and a caller that goes away: the analysis ends, and gives the models back."""
    data = remuxed(FIXTURE.file.read_bytes(), *CONTAINERS["matroska"])
    early = EarlyAnalysis(kit, settings=Settings(), spread_s=SPREAD_S)
    early.feed(data[: len(data) // 2])
    early.stop()
    with pytest.raises(AbandonedError):
        early.whole()
    left = EarlyAnalysis(kit, settings=Settings(), spread_s=SPREAD_S)
    left.feed(data)
    with pytest.raises(AbandonedError):
        collect(left, kit, settings=Settings(), spread_s=SPREAD_S, cancelled=lambda: True)


def test_feeding_never_waits_for_the_analysis(kit: ModelKit) -> None:
    """All bytes are taken at once, also by one whose thread has ended."""
    early = EarlyAnalysis(kit, settings=Settings(), spread_s=SPREAD_S)
    fed = Event()

    def feed() -> None:
        for _ in range(100):
            early.feed(bytes(10_000))
        early.end()
        fed.set()

    Thread(target=feed).start()
    fed.wait()
    assert early.result(lambda: False) is None
    assert early.whole() == bytes(1_000_000)
