from __future__ import annotations

import re

import pytest

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import manifest

ENTRY = """
schema = 1
[[model]]
id = "one"
task = "t"
file = "one.bin"
registry = "pypi"
package = "p"
version = "1"
licence = "MIT"
layout = ""
colour = ""
scaling = ""
dims = ""
measured = ""
[[model.source]]
path = "p/one.bin"
file = "one.bin"
bytes = 3
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
"""


def test_every_model_says_where_it_comes_from_how_it_is_licensed_and_what_was_measured() -> None:
    """The manifest that ships leaves no field of any model open."""
    models = manifest.load().models

    assert set(models) == {
        *("face-landmarker", "face-embedding", "presentation-attack", "age", "age-dlib"),
        *("transcription", "phonemes", "voice-activity", "speaker-embedding", "audio-mark"),
        "transcription-multilingual",
    }
    for model in models.values():
        assert all(
            (model.task, model.package, model.version, model.licence, model.layout, model.scaling, model.dims, model.measured)
        )
        assert model.alternatives, model.id
        assert all(source.bytes > 0 for source in model.sources)


def test_the_digests_are_those_the_design_measured() -> None:
    """The files pinned are the very files whose figures the design gives."""
    prefixes = {source.sha256[:16] for model in manifest.load().models.values() for source in model.sources}

    assert prefixes >= {
        *("64184e229b263107", "87aacdfe57510db2", "afa783b7e902fdfc"),
        *("2c7d2d62b76c9752", "4f9f0075200bd8ea", "1a5afae06a4db91c", "c1b6c1cd9ba649c7", "a15bce457ebc53ce"),
    }


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('sha256 = "0123', 'sha256 = "123', "not a SHA-256"),
        ('sha256 = "0123', 'sha256 = "ABCD', "not a SHA-256"),
        ('file = "one.bin"', 'file = "../one.bin"', "not a path inside the kit"),
        ('file = "one.bin"', 'file = "/one.bin"', "not a path inside the kit"),
        ('registry = "pypi"', 'registry = "ftp"', "'ftp' is not a valid Registry"),
        ("bytes = 3", 'bytes = "3"', "bytes is not of type int"),
        ('licence = "MIT"', 'license = "MIT"', "license"),
        ('task = "t"', "", "task"),
    ],
)
def test_a_slip_in_an_entry_is_refused_by_name(old: str, new: str, complaint: str) -> None:
    """A malformed entry is an error that names the entry and the part."""
    with pytest.raises(ModelKitError, match=re.escape(complaint)) as caught:
        manifest.parse(ENTRY.replace(old, new))
    assert "'one'" in str(caught.value)


def test_a_language_pack_is_no_part_of_the_kit() -> None:
    """The kit is what every site has; a pack is named by its language, and one that there is not is refused by name."""
    contents = manifest.load()
    kit, spanish = contents.kit(), contents.kit(["es"])

    assert [model.id for model in spanish if model not in kit] == ["transcription-multilingual"]
    assert not any(model.languages for model in kit)
    with pytest.raises(ModelKitError, match="no language pack 'tlh'; there is es"):
        contents.kit(["es", "tlh"])


def test_one_id_cannot_stand_for_two_models() -> None:
    """A second entry with the same id is an error, so none is silently dropped."""
    with pytest.raises(ModelKitError, match="one id twice"):
        manifest.parse(ENTRY + ENTRY.replace("schema = 1", ""))


def test_another_schema_is_refused() -> None:
    """A manifest of a later version is not read as if it were this one."""
    with pytest.raises(ModelKitError, match="schema 2"):
        manifest.parse(ENTRY.replace("schema = 1", "schema = 2"))


def test_a_licence_the_site_does_not_allow_is_refused_by_model_and_licence() -> None:
    """The policy names the model, its licence and what is allowed."""
    with pytest.raises(ModelKitError, match=r"model 'one' \(one.bin\) is licensed MIT.*allowed: Apache-2.0, BSD-3-Clause"):
        manifest.parse(ENTRY).require_allowed({"Apache-2.0", "BSD-3-Clause"})


def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    """Asking for a model by a wrong id says which ids exist."""
    with pytest.raises(ModelKitError, match="no 'two'; it has: one"):
        manifest.parse(ENTRY)["two"]
