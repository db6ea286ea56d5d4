"""The clock watch: a jump is detected, and the clock is trusted again once it is right."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from cameo_verifier.server.clock_watch import AHEAD, AWAY, BACK, ClockWatch, since_boot

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Machine:
    """A machine whose clock can be set, with one server on it after the other."""

    def __init__(self, folder: Path) -> None:
        self.now, self.ticks, self.file = START, 1000.0, folder / "data" / "clock"
        self.start()

    def start(self) -> None:
        """Start a server."""
        self.watch = ClockWatch(self.file, lambda: self.now, elapsed=lambda: self.ticks)

    def pass_(self, time: timedelta, *, clock: timedelta = timedelta(0)) -> datetime | None:
        """Let time pass, and besides set the clock; return what a look says."""
        self.now += time + clock
        self.ticks += time.total_seconds()
        return self.watch.look()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_clock_that_goes_is_believed(machine: Machine) -> None:
    """From the first look on, over a long sleep of the machine, over small steps, and over a restart and a boot."""
    assert machine.watch.look() == START
    for time, step in ((60, 0), (86400 * 400, 0), (60, AHEAD.total_seconds()), (60, -BACK.total_seconds()), (0, 0)):
        assert machine.pass_(timedelta(seconds=time), clock=timedelta(seconds=step)) == machine.now
    machine.ticks = 5.0
    machine.start()
    assert machine.pass_(timedelta(0), clock=AWAY) == machine.now
    assert machine.pass_(60 * SECOND) == machine.now
    assert stat.S_IMODE(machine.file.stat().st_mode) == 0o600
    assert [path.name for path in machine.file.parent.iterdir()] == ["clock"]


@pytest.mark.parametrize("jump", [AHEAD + SECOND, timedelta(days=36500), -BACK - SECOND, timedelta(days=-9000)])
def test_a_jump_is_not_believed_until_it_is_taken_back(machine: Machine, jump: timedelta) -> None:
    """However long it lasts; the log says so once an hour, with the file that its owner can remove."""
    machine.watch.look()
    with capture_logs() as lines:
        assert machine.pass_(60 * SECOND, clock=jump) is None
        for _ in range(120):
            assert machine.pass_(60 * SECOND) is None
        assert machine.pass_(60 * SECOND, clock=-jump) == machine.now
    assert [line["log_level"] for line in lines] == ["error"] * 3 + ["info"]
    assert lines[0]["jump_s"] == jump.total_seconds()
    assert lines[0]["file"] == str(machine.file)


@pytest.mark.parametrize("jump", [AWAY + SECOND, timedelta(days=-9000)])
def test_a_jump_while_no_server_runs_is_found_too(machine: Machine, jump: timedelta) -> None:
    """As after a boot with an empty battery; also when the jump itself was seen and the server started again."""
    machine.watch.look()
    for _ in range(2):
        machine.ticks = 5.0
        machine.start()
        assert machine.pass_(timedelta(0), clock=jump) is None
        assert machine.pass_(60 * SECOND, clock=timedelta(0)) is None
        jump = timedelta(0)


def test_its_owner_can_say_that_it_is_right(machine: Machine) -> None:
    """Without the file there is nothing to hold the clock against; one that holds nonsense is no file."""
    machine.watch.look()
    for says in (None, "nonsense", "2026-03-01T00:00:00"):
        assert machine.pass_(timedelta(0), clock=AWAY * 2) is None
        machine.file.unlink()
        if says is not None:
            machine.file.write_text(says)
        machine.start()
        assert machine.watch.look() == machine.now


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """The looks of one process are still held against each other."""
    (tmp_path / "data").touch()
    machine = Machine(tmp_path)
    assert machine.watch.look() == START
    assert machine.pass_(60 * SECOND) == machine.now
    assert machine.pass_(60 * SECOND, clock=AHEAD * 2) is None


def test_what_the_kernel_counts_never_falls() -> None:
    """It is the clock that no one can set."""
    assert 0 < since_boot() <= since_boot()
