"""Challenges are issued in the languages that a site judges, and in no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo.v1 import error_reason_pb2
from cameo_verifier.models.index import judged_languages
from cameo_verifier.server.services.challenge_service import recipe_of
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_site_judges_the_languages_whose_pack_it_has(tmp_path: Path) -> None:
    """Before a pack is installed, only the kit's own; afterwards its language too."""
    assert judged_languages(tmp_path) == {"en"}
    (tmp_path / "transcription_multilingual").mkdir()
    assert judged_languages(tmp_path) == {"en", "es"}


def test_no_challenge_is_issued_in_a_language_without_its_pack() -> None:
    """It is refused by name with those there are; with the pack there is one, and an empty tag is the default."""
    assert recipe_of("es", {"en", "es"}).language == "es"
    assert recipe_of("", {"en"}).language == "en"
    for tag, judged in (("es", {"en"}), ("tlh", {"en", "es"})):
        with pytest.raises(RequestError, match=f"`language`: .*{tag!r}.*en") as refused:
            recipe_of(tag, judged)
        assert refused.value.reason == error_reason_pb2.ERROR_REASON_LANGUAGE_UNKNOWN
