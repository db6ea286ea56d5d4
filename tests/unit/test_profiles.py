"""Profiles: sourced thresholds, inheritance, clear errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from verifier.checks import seen_before
from verifier.errors import ProfileError
from verifier.pipeline import questions
from verifier.profiles import Profile, Role, built_in, load
from verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", built_in())
def test_every_threshold_says_where_it_comes_from(name: str) -> None:
    """No number without a unit, a source and a date."""
    for threshold in load(name).thresholds.values():
        assert threshold.unit, threshold.name
        assert len(threshold.source) > 20, threshold.name
        assert threshold.date, threshold.name


@pytest.mark.parametrize("name", built_in())
def test_every_question_has_a_role(name: str) -> None:
    """A profile gives a role to each check of the pipeline, to the one that needs earlier attempts, and to no other."""
    assert set(load(name).roles) == {question.name for question in questions(Settings())} | {seen_before.NAME}


def test_a_site_profile_overrides_single_thresholds(tmp_path: Path) -> None:
    """A profile file inherits what it does not say, and its digest changes with it."""
    file = tmp_path / "strict.toml"
    file.write_text(
        'extends = "default"\nroles = { blink = "confirm" }\n[thresholds.live_p20_min]\n'
        'value = 0.9\nunit = "p"\ndirection = "at_least"\nsource = "our own red team"\n'
    )
    strict, default = load(str(file)), load()
    assert (strict["live_p20_min"].value, strict.role("blink")) == (0.9, Role.CONFIRM)
    assert strict["same_person_min"] == default["same_person_min"]
    assert strict.digest != default.digest
    assert strict.name == "strict"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("not toml", "not valid TOML"),
        ('[thresholds.x]\nvalue = 1\nunit = "s"\nsource = "y"\n', "direction"),
        ('[thresholds.x]\nvalue = "high"\nunit = "s"\ndirection = "at_most"\nsource = "y"\n', "'x'"),
        ('roles = { light = "sometimes" }\n', "light"),
        ('extends = "nowhere"\n', "nowhere"),
    ],
)
def test_a_malformed_profile_names_the_part(tmp_path: Path, text: str, part: str) -> None:
    """The error says which part of which profile is wrong."""
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ProfileError, match=part):
        load(str(file))


def test_unknown_names_are_errors() -> None:
    """A missing profile, threshold or role never reads as a default."""
    with pytest.raises(ProfileError, match="built in: "):
        load("lenient")
    profile: Profile = load()
    with pytest.raises(ProfileError, match="no threshold 'live_p21_min'"):
        profile["live_p21_min"]
    with pytest.raises(ProfileError, match="'telepathy'"):
        profile.role("telepathy")


def test_nan_is_never_on_the_good_side() -> None:
    """A score that could not be computed passes no threshold."""
    for threshold in load().thresholds.values():
        assert not threshold.holds(float("nan"))
