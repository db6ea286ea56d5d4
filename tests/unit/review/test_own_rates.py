"""A site's own error rates, over labelled attempts of which some were accepted, count by count."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cameo_verifier import profiles
from cameo_verifier.cli import app
from cameo_verifier.review.kept import Kept, kept_of, told
from cameo_verifier.review.rejudge import complete
from cameo_verifier.settings import Retention, Settings
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import Recalled, Verdict
from tests.conftest import ASKED
from tests.unit.review.stored import RECORDINGS, keep
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.review.stored import Judged

GOOD = "astronaut_bona_fide"
ATTEMPTS = {
    "ann": (GOOD, ""),
    "ben": (GOOD, ""),
    "cem": (GOOD, ""),
    "dan": ("wrong_words", ""),
    "eve": (GOOD, "mask"),
    "fay": ("still_photo", "mask"),
    "gus": ("screen_replay", "screen"),
}
"""Recording and species of each: three people accepted and one rejected, one mask accepted and one rejected, one screen."""
DAYS = timedelta(days=8)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: Judged) -> Path:
    """A site with these attempts, labelled, which the commands work on."""
    monkeypatch.setenv("CAMEO_DATA", str(tmp_path))
    engine = open_database(Settings().database)
    site, labels = open_site(engine, tmp_path), LabelStore(engine)
    for name, (recording, species) in ATTEMPTS.items():
        judgement, challenge = judged(recording)
        circumstances = replace(judgement.circumstances, recalled=Recalled(0.1, "earlier", 0.05, "earlier", 3))
        judgement = complete(judgement, challenge, circumstances, profiles.load())
        assert (judgement.decision.verdict is Verdict.ACCEPTED) == (recording == GOOD)
        keep(site, name, judgement, challenge, RECORDINGS[recording].read_bytes(), name)
        truth = Truth.ATTACK if species else Truth.BONA_FIDE
        labels.add(f"l-{name}", attempt_id=name, truth=truth, species=species, analyst="ana", now=ASKED)
    engine.dispose()
    return tmp_path


def swept(data: Path, policy: Retention) -> None:
    """Sweep the site by a policy, eight days after its attempts."""
    engine = open_database(Settings().database)
    open_site(engine, data, retention=policy).room.sweeper.sweep(now=ASKED + DAYS)
    engine.dispose()


def run(*arguments: str) -> str:
    """Run a command and return what it prints."""
    ran = CliRunner().invoke(app, list(arguments))
    assert ran.exit_code == 0, (ran.output, ran.exception)
    return str(ran.stdout)


def evaluated(data: Path) -> Any:
    """Return the report of the site's own rates."""
    return json.loads(run("evaluate", "--labelled", "--why", "rates", "--out", str(data / "report"), "--json"))


def counts(found: Any) -> dict[str, tuple[int, int]]:
    """Return errors and trials by label."""
    rates = {each["species"]: each["apcer"] for each in found["species"]} | {"bona_fide": found["bona_fide"]["bpcer"]}
    return {name: (rate["count"], rate["of"]) for name, rate in rates.items()}


def test_the_rates_of_a_site_are_right_to_the_last_count(data: Path) -> None:
    """Under the policy as it is, recordings of accepted attempts are gone and every rate is that of all that was labelled."""
    swept(data, Retention())
    found = evaluated(data)
    assert counts(found) == {"mask": (1, 2), "screen": (0, 1), "bona_fide": (1, 4)}
    assert found["rates_of"] == [
        {"name": "bona_fide", "verdict": "ACCEPTED", "kept": 3, "labelled": 3},
        {"name": "bona_fide", "verdict": "REJECTED", "kept": 1, "labelled": 1},
        {"name": "mask", "verdict": "ACCEPTED", "kept": 1, "labelled": 1},
        {"name": "mask", "verdict": "REJECTED", "kept": 1, "labelled": 1},
        {"name": "screen", "verdict": "REJECTED", "kept": 1, "labelled": 1},
    ]
    text = run("evaluate", "--labelled", "--why", "rates", "--out", str(data / "report"))
    assert "BPCER is of 3 accepted, 1 rejected\n" in text
    assert "APCER mask is of 1 accepted, 1 rejected\n" in text
    assert "3 accepted, 1 rejected" in (data / "report" / "report.html").read_text()
    again = json.loads(run("replay", "--where", "profile=default", "--why", "rates", "--json"))
    assert {each["name"]: (each["before"]["count"], each["before"]["of"]) for each in again["apcer"]} == {
        "mask": (1, 2),
        "screen": (0, 1),
    }
    assert (again["bpcer"]["before"]["count"], again["bpcer"]["before"]["of"]) == (1, 4)
    assert again["rates_of"] == found["rates_of"]


def test_rates_of_a_site_that_keeps_nothing_of_who_was_accepted_say_so(data: Path) -> None:
    """BPCER is 1 of 1 and APCER 0 of 1 then, and both say that they are wrong, and which way."""
    swept(data, Retention(accepted_tracks_days=0, enrolled_days=0))
    assert counts(evaluated(data)) == {"mask": (0, 1), "screen": (0, 1), "bona_fide": (1, 1)}
    text = run("evaluate", "--labelled", "--why", "rates", "--out", str(data / "report"))
    assert "BPCER is of 1 rejected; no evidence of 3 accepted: the rate is too high\n" in text
    assert "APCER mask is of 1 rejected; no evidence of 1 accepted: the rate is too low\n" in text
    assert "APCER screen is of 1 rejected\n" in text
    text = run("replay", "--where", "profile=default", "--why", "rates")
    assert "BPCER is of 1 rejected; no evidence of 3 accepted: the rate is too high\n" in text


def test_a_profile_says_what_it_costs_everyone_else(data: Path) -> None:
    """Of all that were accepted, labelled or not, a stricter line says how many would not be."""
    stricter = data / "stricter.toml"
    stricter.write_text('extends = "default"\n[thresholds]\nlips_part_min = 0.99\n')
    found = json.loads(run("replay", "--where", "profile=default", "--why", "x", "--profile", str(stricter), "--json"))
    lost, let_in = found["accepted_before_not_after"], found["accepted_after_not_before"]
    assert (lost["count"], lost["of"], lost["attempts"]) == (4, 4, ["ann", "ben", "cem", "eve"])
    assert (let_in["count"], let_in["of"]) == (0, 3)


@pytest.mark.parametrize(
    ("accepted", "rejected", "name", "said"),
    [
        ((2, 2), (3, 3), "bona_fide", "2 accepted, 3 rejected"),
        ((1, 2), (3, 3), "bona_fide", "1 accepted, 3 rejected; no evidence of 1 accepted: the rate is too high"),
        ((1, 2), (3, 3), "mask", "1 accepted, 3 rejected; no evidence of 1 accepted: the rate is too low"),
        ((2, 2), (1, 3), "bona_fide", "2 accepted, 1 rejected; no evidence of 2 rejected: the rate is too low"),
        ((1, 2), (2, 4), "mask", "1 accepted, 2 rejected; no evidence of 1 accepted, 2 rejected"),
        ((0, 2), (0, 0), "bona_fide", "none; no evidence of 2 accepted"),
    ],
)
def test_what_is_missing_says_which_way_the_rate_errs(
    accepted: tuple[int, int], rejected: tuple[int, int], name: str, said: str
) -> None:
    """The shares that are left decide, not the numbers."""
    verdicts = {f"a{n}": Verdict.ACCEPTED for n in range(accepted[1])} | {f"r{n}": Verdict.REJECTED for n in range(rejected[1])}
    there = {f"a{n}" for n in range(accepted[0])} | {f"r{n}" for n in range(rejected[0])}
    kept = kept_of(dict.fromkeys(verdicts, name), verdicts, there)
    assert told([*kept, Kept("other", Verdict.ACCEPTED, 0, 9)], name) == said
