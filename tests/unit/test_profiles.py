"""Profiles: sourced thresholds, inheritance, clear errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.checks import already_enrolled, protected_person, seen_before, synthetic_voice
from verifier.errors import ProfileError
from verifier.pipeline import questions
from verifier.profiles import Profile, Role, built_in, load, parse
from verifier.settings import Settings
from verifier.types import Direction

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
    """A profile gives a role to each check of the pipeline, to those that need earlier attempts or a detector, to no other."""
    others = {seen_before.NAME, protected_person.NAME, already_enrolled.NAME, synthetic_voice.NAME}
    assert set(load(name).roles) == {question.name for question in questions(Settings())} | others


def test_a_site_profile_overrides_single_thresholds(tmp_path: Path) -> None:
    """A profile file inherits what it does not say, and its digest changes with it."""
    file = tmp_path / "strict.toml"
    file.write_text(
        'extends = "default"\nroles = { blink = "confirm" }\n[thresholds.live_p20_min]\n'
        'value = 0.9\nunit = "p(live)"\ndirection = "at_least"\nsource = "our own red team"\n'
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
        ('roles = { synthetic_voice = "veto" }\n', "'synthetic_voice' may only advise"),
        ('roles = { synthetic_voice = "confirm" }\n', "'synthetic_voice' may only advise"),
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


def test_a_possible_minor_is_judged_more_strictly_and_by_name() -> None:
    """The default profile names one for minors that differs, and has no threshold or role that is milder."""
    default, minor = load(), load("minor")
    moved = default.judging(minor=True)
    assert default.judging(minor=False) is default
    assert (moved.name, moved.digest) == ("minor", minor.digest)
    assert (moved.thresholds, moved.roles) == (minor.thresholds, minor.roles)
    stricter = {key for key, own in default.thresholds.items() if moved[key].value != own.value}
    assert {"same_person_min", "live_p20_min", "voice_group_min"} <= stricter
    for key in stricter:
        assert moved[key].holds(default[key].value) is False
    assert minor.judging(minor=True) is minor


def test_a_site_that_is_stricter_stays_so_for_minors(tmp_path: Path) -> None:
    """Of a site's own line and that for minors the stricter one stands, whichever way it points, and so for roles."""
    file = tmp_path / "site.toml"
    file.write_text(
        'extends = "default"\nroles = { blink = "confirm", splice = "advise" }\n'
        '[thresholds.live_p20_min]\nvalue = 0.9\nunit = "p(live)"\ndirection = "at_least"\nsource = "our own red team"\n'
        '[thresholds.same_person_min]\nvalue = 0.3\nunit = "cosine"\ndirection = "at_least"\nsource = "our own red team"\n'
        '[thresholds.extra_faces_max]\nvalue = 0.5\nunit = "of frames"\ndirection = "at_most"\nsource = "our own red team"\n'
    )
    site, minor = load(str(file)), load("minor")
    moved = site.judging(minor=True)
    assert moved["live_p20_min"].value == 0.9
    assert moved["same_person_min"] == minor["same_person_min"]
    assert (moved["extra_faces_max"].direction, moved["extra_faces_max"]) == (Direction.AT_MOST, minor["extra_faces_max"])
    assert (moved.role("blink"), moved.role("splice")) == (Role.CONFIRM, Role.VETO)
    assert moved.digest not in {site.digest, minor.digest}


def test_a_site_may_do_without_a_profile_for_minors(tmp_path: Path) -> None:
    """An empty name moves nobody; a name there is not is an error, as are thresholds that cannot be compared."""
    file = tmp_path / "site.toml"
    file.write_text('extends = "default"\nminor_profile = ""\n')
    site = load(str(file))
    assert site.judging(minor=True) is site
    file.write_text('extends = "default"\nminor_profile = "children"\n')
    with pytest.raises(ProfileError, match="children"):
        load(str(file))
    file.write_text(
        'extends = "default"\n[thresholds.live_p20_min]\nvalue = 90\nunit = "%"\ndirection = "at_least"\nsource = "x"\n'
    )
    with pytest.raises(ProfileError, match="'live_p20_min'"):
        load(str(file))


def test_the_default_profile_names_the_evaluation_its_rates_come_from() -> None:
    """Whoever reads a profile finds the command and what it came to."""
    assert load().evaluation.startswith("make evaluate SEED=15")
    assert load("minor").evaluation == ""


KNOWN = {name: name for name in built_in()}


@pytest.mark.parametrize(
    "text",
    [
        'thresholds.live_p20_min = 0.9\n[roles]\nblink = "confirm"\n',
        'extends = "default"\n[thresholds.live_p20_min]\nvalue = 0.9\n[roles]\nblink = "confirm"\n',
        '{"thresholds": {"live_p20_min": 0.9}, "roles": {"blink": "confirm"}}',
    ],
)
def test_a_profile_that_is_sent_changes_what_it_names(tmp_path: Path, text: str) -> None:
    """As TOML or JSON, by value or by table: it judges, also minors, as the same profile in a file of the site's own."""
    sent = parse(text, known=KNOWN, extends="default")
    default = load()
    assert (sent.name, sent["live_p20_min"].value, sent.role("blink")) == ("inline", 0.9, Role.CONFIRM)
    assert {key for key in default.thresholds if sent[key] != default[key]} == {"live_p20_min"}
    own = default["live_p20_min"]
    file = tmp_path / "site.toml"
    file.write_text(
        f'extends = "default"\nroles = {{ blink = "confirm" }}\n[thresholds.live_p20_min]\nvalue = 0.9\nunit = "{own.unit}"\n'
        f'direction = "at_least"\nsource = "x"\n'
    )
    for minor in (True, False):
        values = {key: threshold.value for key, threshold in load(str(file)).judging(minor=minor).thresholds.items()}
        assert {key: threshold.value for key, threshold in sent.judging(minor=minor).thresholds.items()} == values


def test_a_profile_that_is_sent_may_use_the_site_s_own(tmp_path: Path) -> None:
    """By its name, which stands for a file that nobody but the site names."""
    file = tmp_path / "site.toml"
    file.write_text('extends = "default"\nroles = { blink = "confirm" }\nminor_profile = ""\n')
    known = {**KNOWN, "site": str(file)}
    assert parse("", known=known, extends="site").role("blink") is Role.CONFIRM
    assert parse("", known=known, extends="site").minor is None
    moved = parse('minor_profile = "minor"', known=known, extends="site").judging(minor=True)
    assert (moved.name, moved.role("blink")) == ("minor", Role.CONFIRM)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("not toml", "not valid TOML"),
        ('{"thresholds": ', "not valid JSON"),
        ("a = " + "[" * 5000, "too deep|not valid"),
        ('{"a": ' + "[" * 200_000, "too deep|not valid"),
        ('extends = "/etc/passwd"', "extends is none of"),
        ('minor_profile = "../x.toml"', "minor_profile is none of"),
        ('extends = ["default"]', "extends is none of"),
        ("threshold.live_p20_min = 0.9", "'threshold' is none of"),
        ("thresholds.live_p21_min = 0.9", "thresholds has no 'live_p21_min'"),
        ('roles.telepathy = "veto"', "roles has no 'telepathy'"),
        ("thresholds = 1", "thresholds is not a table"),
        ('roles.blink = "sometimes"', "'blink'"),
        ('roles.synthetic_voice = "veto"', "may only advise"),
        ("thresholds.live_p20_min = nan", "no number"),
        ("thresholds.live_p20_min = inf", "no number"),
        ('{"thresholds": {"live_p20_min": ' + "9" * 400 + "}}", "'live_p20_min'"),
        ("thresholds.live_p20_min = []", "'live_p20_min'"),
        ('thresholds.live_p20_min = { unit = "%" }', "cannot be another"),
        ('thresholds.live_p20_min = { direction = "at_most" }', "cannot be another"),
        ("thresholds.live_p20_min = { source = 7 }", "no text"),
        ("thresholds.live_p20_min = { valu = 0.9 }", "'live_p20_min'"),
    ],
)  # fmt: skip
def test_a_profile_that_is_sent_malformed_names_the_part(text: str, part: str) -> None:
    """Nothing misspelt, endless or foreign gets through, and no file is opened for it."""
    with pytest.raises(ProfileError, match=part):
        parse(text, known=KNOWN, extends="default")


@given(st.text(max_size=80) | st.from_regex(r"\{?(thresholds|roles|extends)[. ]?\w*[ =:]+.{0,9}\}?", fullmatch=True))
def test_any_text_is_a_profile_or_refused(text: str) -> None:
    """Nothing else comes of it."""
    try:
        assert parse(text, known=KNOWN, extends="default").name == "inline"
    except ProfileError:
        return
