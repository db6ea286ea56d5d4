"""The injection suite's plan and matrix, without playing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from cameo_challenges.model import Say
from cameo_verifier.cli import app
from cameo_verifier.review.injection import WHAT, Played, injection_document, injection_tables
from fixtures.injection import sessions
from fixtures.injection.instruments import INSTRUMENTS, LATE_S, Instrument
from fixtures.injection.methods import METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_challenges.model import Step

MATRIX = sessions.matrix()


@dataclass
class Puppet:
    """Writes down what an instrument does, in place of client and person."""

    answered: list[tuple[Step, float]] = field(default_factory=list)
    persona: str = "one"
    others: tuple[str, ...] = ("another",)
    filters: tuple[Any, ...] = ()
    mouths: Any = None
    light: list[Any] = field(default_factory=list)

    @property
    def person(self) -> Puppet:
        """The person."""
        return self

    def answer(self, step: Step, *, late_s: float = 0.0) -> None:
        """Write it down."""
        self.answered.append((step, late_s))

    def told(self, _: str) -> list[Any]:
        """Return the colours revealed."""
        return self.light


def test_each_method_meets_each_instrument_and_bona_fide_sessions_stand_beside_them() -> None:
    """As many of each, with a seed of its own."""
    planned = sessions.plan(2, seed=1)
    cells = [(method.name, instrument.name) for method, instrument, _ in planned if instrument is not None]
    assert sorted(cells) == sorted(2 * [(method, instrument) for method in MATRIX.methods for instrument in MATRIX.instruments])
    assert sum(instrument is None for _, instrument, _ in planned) == 2 * len(METHODS)
    assert len({seed for *_, seed in planned}) == len(planned)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.name)
def test_each_instrument_does_what_it_is_named_for(instrument: Instrument) -> None:
    """A replay knows nothing of what is revealed; the others answer it, and differ in what they add."""
    puppet = Puppet()
    does = instrument.play(puppet, 0.1, np.random.default_rng(1))  # type: ignore[arg-type]
    before = len(puppet.answered)
    for number in range(3):
        does(puppet, number, Say("one two"))  # type: ignore[arg-type]
    late = [late_s for step, late_s in puppet.answered[before:]]
    assert before == (5 if instrument.name == "replay" else 0)
    assert late == {"replay": [], "late": [LATE_S + 0.1] * 3}.get(instrument.name, [0.1] * 3)
    assert (puppet.persona == "another") == (instrument.name == "spliced")
    assert (puppet.mouths is not None) == (instrument.name == "dubbed")
    assert len(puppet.filters) == (instrument.name == "relit")


def test_a_relit_picture_takes_the_colour_that_was_revealed_last() -> None:
    """The face more than what is behind it."""
    puppet = Puppet()
    relit = next(each for each in INSTRUMENTS if each.name == "relit")
    relit.play(puppet, 0.0, np.random.default_rng(1))  # type: ignore[arg-type]
    grey = np.full((480, 640, 3), 100, np.uint8)
    assert (puppet.filters[0](grey, 0.0) == grey).all()
    puppet.light.append(type("Light", (), {"rgb": 0xFF0000}))
    red = puppet.filters[0](grey, 0.0).astype(int)
    assert (red[..., 1:] == 100).all()
    assert red[240, 320, 0] > red[0, 0, 0] + 5 > 100


def test_the_matrix_has_a_cell_each_with_n_and_an_interval() -> None:
    """APCER is of one cell; who is asked again is no error; a session without a verdict counts against the bona fide."""
    played = [
        Played("file", "render", "ACCEPTED", ()),
        Played("file", "render", "RETRY", ("TOO_DARK",)),
        Played("altered_upload", "late", "RETRY", ("ANSWER_TOO_LATE",)),
        Played("", "", "ACCEPTED", ()),
        Played("", "", "REFUSED", ()),
    ]
    found = injection_document(MATRIX, played)
    assert [(each["method"], each["instrument"]) for each in found["cells"]] == [("file", "render"), ("altered_upload", "late")]
    assert found["cells"][0]["accepted"] == pytest.approx(
        {"count": 1, "of": 2, "share": 0.5, "low": 0.0126, "high": 0.9874}, abs=1e-4
    )
    assert found["cells"][1]["reasons"] == {"ANSWER_TOO_LATE": 1}
    assert (found["bona_fide"]["bpcer"]["count"], found["bona_fide"]["bpcer"]["of"]) == (1, 2)
    console = Console(width=220, record=True, quiet=False, file=None)
    with console.capture() as shown:
        for table in injection_tables(MATRIX, played):
            console.print(table)
    assert "1 of 2 (1.3 to 98.7 %)" in shown.get()
    assert "ANSWER_TOO_LATE 1" in shown.get()


def test_the_command_prints_the_matrix_and_writes_it_beside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says that it simulates."""

    async def played(_settings: object, planned: list[Any], **_how: object) -> list[Played]:
        return [Played(method.name, instrument.name, "RETRY", ()) for method, instrument, _ in planned if instrument is not None]

    monkeypatch.setattr(sessions, "play", played)
    command = ["evaluate", "--injection", "--out", str(tmp_path)]
    shown = CliRunner().invoke(app, command, catch_exceptions=False).output
    assert WHAT.split(":")[0] in shown
    assert '"cells"' in (tmp_path / "injection.json").read_text("utf-8")
