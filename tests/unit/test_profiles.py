"""Profiles: sourced thresholds, inheritance, clear errors."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cameo_verifier
from cameo_verifier.checks import (
    BY_NAME,
    QUESTIONS,
    already_enrolled,
    answered_in_time,
    elapsed,
    protected_person,
    screen_light,
    seen_before,
    synthetic_voice,
)
from cameo_verifier.checks.question import Phase
from cameo_verifier.errors import ProfileError
from cameo_verifier.evidence.likeness_rules import LIKENESS
from cameo_verifier.pipeline import askable
from cameo_verifier.profile import CheckRole, Profile
from cameo_verifier.profiles import built_in, load, parse, varied
from cameo_verifier.settings import Settings
from cameo_verifier.types import Direction


@pytest.mark.parametrize("name", built_in())
def test_every_threshold_says_where_it_comes_from(name: str) -> None:
    """No number without a unit, a source and a date."""
    for threshold in load(name).thresholds.values():
        assert threshold.unit, threshold.name
        assert len(threshold.source) > 20, threshold.name
        assert threshold.date, threshold.name


@pytest.mark.parametrize("name", built_in())
def test_every_question_has_a_role(name: str) -> None:
    """A profile gives a role to each check of the pipeline, to those that need more than the recording, to no other."""
    others = {
        module.NAME
        for module in (elapsed, answered_in_time, seen_before, protected_person, already_enrolled, synthetic_voice, screen_light)
    }
    assert set(load(name).roles) == {question.name for question in askable(Settings())} | others


def test_a_site_profile_overrides_single_thresholds(tmp_path: Path) -> None:
    """A profile file inherits what it does not say, and its digest changes with it."""
    file = tmp_path / "strict.toml"
    file.write_text(
        'extends = "default"\nroles = { blink = "confirm" }\n[thresholds.live_p20_min]\n'
        'value = 0.9\nunit = "p(live)"\ndirection = "at_least"\nsource = "our own red team"\n'
    )
    strict, default = load(str(file)), load()
    assert (strict["live_p20_min"].value, strict.role("blink")) == (0.9, CheckRole.CONFIRM)
    assert strict["same_person_min"] == default["same_person_min"]
    assert strict.digest != default.digest
    assert strict.name == "strict"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("not toml", "not valid TOML"),
        ('[thresholds.overrun_max]\nvalue = 1\nunit = "s"\nsource = "y"\n', "direction"),
        ('[thresholds.overrun_max]\nvalue = "high"\nunit = "s"\ndirection = "at_most"\nsource = "y"\n', "'overrun_max'"),
        ("[threshold.overrun_max]\nvalue = 1\n", "'threshold' is none of .*did you mean 'thresholds'"),
        ('extends = "default"\nminor_profil = ""\n', "'minor_profil' is none of .*did you mean 'minor_profile'"),
        ('extends = "default"\nroles = { seenbefore = "veto" }\n', "roles has no 'seenbefore'; did you mean 'seen_before'"),
        ('extends = "default"\n[thresholds.overrun_min]\nvalue = 1\n', "no 'overrun_min'; did you mean 'overrun_max'"),
        ('extends = "default"\n[thresholds.overrun_max]\nvalue = inf\n', "'overrun_max'.*not a finite one"),
        ('extends = "default"\n[thresholds.overrun_max]\nvalue = nan\n', "'overrun_max'.*not a finite one"),
        ('extends = "default"\n[thresholds.overrun_max]\nvalue = true\n', "'overrun_max'.*no number"),
        ('extends = "default"\n[thresholds.overrun_max]\nvalue = 1\nunits = "s"\n', "'overrun_max' has no 'units'"),
        ('extends = "default"\nroles = "veto"\n', "roles is not a table"),
        ('extends = "default"\nroles = { blink = 1 }\n', "'blink'"),
        ('extends = "default"\nthresholds = 1\n', "thresholds is not a table"),
        ('extends = "default"\ndescription = 7\n', "description is not a text"),
        ("", "has no threshold '[a-z_]+', nor .*extends 'default'"),
        ('roles = { streams = "confirm" }\n', "has no threshold"),
        ('extends = "{file}"\n', "extends itself"),
        ('roles = { light = "sometimes" }\n', "light"),
        ('extends = "nowhere"\n', "nowhere"),
        ('roles = { synthetic_voice = "veto" }\n', "'synthetic_voice' may only advise"),
        ('roles = { synthetic_voice = "confirm" }\n', "'synthetic_voice' may only advise"),
        ('roles = { audio_mark = "veto" }\n', "'audio_mark' may only advise"),
    ],
)
def test_a_malformed_profile_names_the_part(tmp_path: Path, text: str, part: str) -> None:
    """The error says which part of which profile is wrong."""
    file = tmp_path / "bad.toml"
    file.write_text(text.replace("{file}", str(file)))
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
    assert {"extra_faces_max", "live_p20_min", "voice_group_min"} <= stricter
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
    assert (moved.role("blink"), moved.role("splice")) == (CheckRole.CONFIRM, CheckRole.VETO)
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
    assert load().evaluation.startswith("make evaluate SEED=18")
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
    assert (sent.name, sent["live_p20_min"].value, sent.role("blink")) == ("inline", 0.9, CheckRole.CONFIRM)
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
    assert parse("", known=known, extends="site").role("blink") is CheckRole.CONFIRM
    assert parse("", known=known, extends="site").minor is None
    moved = parse('minor_profile = "minor"', known=known, extends="site").judging(minor=True)
    assert (moved.name, moved.role("blink")) == ("minor", CheckRole.CONFIRM)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("not toml", "not valid TOML"),
        ('{"thresholds": ', "not valid JSON"),
        ("a = " + "[" * 5000, "too deep|not valid"),
        ('{"a": ' + "[" * 200_000, "too deep|not valid"),
        ('extends = "/etc/passwd"', "extends is none of"),
        ('minor_profile = "../x.toml"', "minor_profile is none of"),
        ('extends = ["default"]', "extends is not a text"),
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


@given(
    st.text(max_size=80)
    | st.from_regex(r'extends = "default"\n(thresholds|roles|extends)[. ]?\w*[ =:]+.{0,9}', fullmatch=True)
    | st.sampled_from(["thresholds.overrun_max = 0.9", "[threshold.overrun_max]", 'minor_profil = "x"', "roles.lip = 'veto'"])
)
def test_a_file_is_read_as_strictly_as_what_is_sent(text: str) -> None:
    """The same text that says what it extends is the same profile in a file as over the wire, or is refused in both."""
    text = text if "extends" in text else f'extends = "default"\n{text}'
    with TemporaryDirectory() as folder:
        file = Path(folder) / "inline.toml"
        file.write_bytes(text.encode())
        outcomes = []
        for read in (lambda: load(str(file)), lambda: parse(text, known=KNOWN, extends="default")):
            try:
                outcomes.append(read().digest)
            except ProfileError:
                outcomes.append("refused")
    assert outcomes[0] == outcomes[1]


def test_a_file_that_extends_none_needs_everything(tmp_path: Path) -> None:
    """All of the default in one file is a profile; without any one part of it, the part is named at load, also of minors."""
    default = load()
    file = tmp_path / "whole.toml"

    def written(but: str = "") -> str:
        tables = [
            f'[thresholds.{name}]\nvalue = {own.value}\nunit = "{own.unit}"\ndirection = "{own.direction}"\nsource = "x"\n'
            for name, own in default.thresholds.items()
            if name != but
        ]
        return "[roles]\n" + "".join(f'{c} = "{r}"\n' for c, r in default.roles.items() if c != but) + "".join(tables)

    file.write_text(written())
    assert load(str(file)).roles == default.roles
    for but in ("lips", "overrun_max"):
        file.write_text(written(but))
        with pytest.raises(ProfileError, match=f"'{but}'"):
            load(str(file))
    site = tmp_path / "site.toml"
    site.write_text(f'extends = "default"\nminor_profile = "{file}"\n')
    with pytest.raises(ProfileError, match="'overrun_max'"):
        load(str(site))


def test_no_profile_takes_the_name_of_a_built_in_one(tmp_path: Path) -> None:
    """A verdict says by its name what judged it; a file that is the site's own has another."""
    file = tmp_path / "default.toml"
    file.write_text('extends = "default"\n')
    with pytest.raises(ProfileError, match="'default' is the name of a profile that is built in"):
        load(str(file))
    with pytest.raises(ProfileError, match="'minor'"):
        varied("default", "minor", {"overrun_max": 0.5}, source="x", date="2026-11-29")


def test_another_value_is_not_what_was_measured(tmp_path: Path) -> None:
    """A file that moves a line and does not say why claims neither the source nor the error rates of the old one."""
    file = tmp_path / "site.toml"
    file.write_text('extends = "default"\n[thresholds]\noverrun_max = 0.5\n[thresholds.relief_min]\nsource = "ours"\n')
    site, default = load(str(file)), load()
    assert (site["overrun_max"].source, site["overrun_max"].error_rates) == ("given without a source", "")
    assert (site["relief_min"].source, site["relief_min"].dataset) == ("ours", default["relief_min"].dataset)


CODE = Path(cameo_verifier.__file__).parent


def _literals(file: Path) -> set[str]:
    """Return every text in a module's code, but those of its `QUESTION`, which says what the code reads."""
    code = [node for node in ast.parse(file.read_text("utf-8")).body if not _is_question(node)]
    leaves = (leaf for node in code for leaf in ast.walk(node))
    return {leaf.value for leaf in leaves if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)}


def _is_question(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QUESTION"


def _looked_up(file: Path) -> set[str]:
    """Return what `profile["…"]` and its like look up in a file, one of two names included, but names that are put together."""
    tree = ast.parse(file.read_text("utf-8"))
    places = [
        node.slice
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).split(".")[-1].strip("_") == "profile"
    ]
    return {
        leaf.value
        for place in places
        if not any(isinstance(leaf, ast.JoinedStr) for leaf in ast.walk(place))
        for leaf in ast.walk(place)
        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
    }


def test_every_threshold_that_code_reads_is_in_the_profile_and_the_reverse() -> None:
    """The default profile lists what some check or the likeness reads: no more, no fewer; each names what its module reads."""
    listed = set(load().thresholds)
    assert set().union(*(_looked_up(file) for file in CODE.rglob("*.py"))) <= listed
    read = {question.name: _literals(CODE / "checks" / f"{question.name}.py") & listed for question in QUESTIONS}
    made = set().union(*(_literals(CODE / "evidence" / name) & listed for name in ("portraits.py", "voice_clip.py")))
    assert made == set(LIKENESS)
    assert set().union(*read.values()) == listed - made
    assert {question.name: set(question.thresholds) for question in QUESTIONS} == read


def test_every_module_of_checks_is_in_the_list_of_questions_and_in_the_profile() -> None:
    """A check that somebody forgets to list is asked of nobody: each module holds one question, listed once, by its own name."""
    modules = {file.stem for file in (CODE / "checks").glob("*.py")} - {"__init__", "question", "_gallery"}
    assert [question.name for question in QUESTIONS] == list(BY_NAME)
    assert modules == set(BY_NAME) == set(load().roles)
    for name, question in BY_NAME.items():
        assert import_module(f"cameo_verifier.checks.{name}").QUESTION is question
    phases = [list(Phase).index(question.phase) for question in QUESTIONS]
    assert phases == sorted(phases)
