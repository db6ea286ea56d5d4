from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier.screening import gallery as module
from cameo_verifier.screening.gallery import Gallery
from cameo_verifier.screening.transform import encode

if TYPE_CHECKING:
    from cameo_verifier.types import F32


@pytest.fixture
def faces() -> F32:
    """Turned faces of 5,000 people."""
    drawn = np.random.default_rng(3).standard_normal((5000, 512), np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def gallery(faces: F32) -> Gallery:
    """All of them, added in three parts, numbered by tens."""
    made = Gallery()
    for start, stop in ((0, 1), (1, 1500), (1500, 5000)):
        made.add(np.arange(start, stop) * 10, encode(faces[start:stop]))
    return made


def test_nobody_is_found_where_nobody_is(faces: F32) -> None:
    """An empty gallery answers with nothing."""
    assert Gallery().nearest(faces[0], floor=-1.0) == []
    assert Gallery().last == 0


def test_the_most_alike_come_first(gallery: Gallery, faces: F32) -> None:
    """What brute force finds is found, in its order, with its cosines, and as many as asked for at least."""
    asked = faces[:3].sum(axis=0) / np.sqrt(3)
    asked /= np.linalg.norm(asked)
    found = gallery.nearest(asked, floor=0.5, least=1)
    cosines = faces @ asked
    assert [match.number // 10 for match in found] == np.argsort(-cosines)[:3].tolist()
    assert [match.cosine for match in found] == pytest.approx(np.sort(cosines)[::-1][:3].tolist(), abs=5e-3)
    assert len(gallery.nearest(asked, floor=2.0, least=5)) == 5


def test_what_is_taken_out_is_neither_found_nor_in_memory(gallery: Gallery, faces: F32) -> None:
    """After some are taken out every other face is still found, those are not, and their codes are overwritten."""
    gone = {0, 17, 1500, 4998, 4999}
    kept = [number for number in range(5000) if number not in gone]
    assert gallery.keep({number * 10 for number in kept}) == 5
    assert len(gallery) == 4995
    assert set(gallery.numbers.tolist()) == {number * 10 for number in kept}
    for number in (1, 16, 18, 4000, 4997):
        assert gallery.nearest(faces[number], floor=0.9)[0].number == number * 10
    for number in gone:
        assert gallery.nearest(faces[number], floor=0.9, least=1)[0].cosine < 0.9
        assert not (gallery._codes == encode(faces[number])).all(axis=1).any()
    assert gallery.keep(gallery.numbers.tolist()) == 0


def test_all_can_be_taken_out_and_others_added(gallery: Gallery, faces: F32) -> None:
    """An emptied gallery takes new faces."""
    assert gallery.keep([]) == 5000
    assert gallery.nearest(faces[0], floor=-1.0) == []
    gallery.add(np.array([7]), encode(faces[9:10]))
    assert [match.number for match in gallery.nearest(faces[9], floor=0.9)] == [7]


def test_the_shortlist_holds_whoever_is_above_the_threshold(
    gallery: Gallery, faces: F32, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for one in a hundred, all of 200 faces at a cosine of 0.45 are found."""
    monkeypatch.setattr(module, "SHORTLIST", 50)
    away = np.random.default_rng(4).standard_normal((200, 512), np.float32)
    away -= (away * faces[:200]).sum(1, keepdims=True) * faces[:200]
    asked = 0.45 * faces[:200] + np.sqrt(1 - 0.45**2) * away / np.linalg.norm(away, axis=1, keepdims=True)
    for number, face in enumerate(asked):
        assert gallery.nearest(face, floor=0.43)[0].number == number * 10
