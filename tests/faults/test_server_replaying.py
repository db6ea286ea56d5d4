"""The replay process, with small replays in place of the models: its failures."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cameo_verifier import profiles
from cameo_verifier.errors import ModelKitError
from cameo_verifier.review.replay import Material, NotReplayed, OpenReplay, Source
from cameo_verifier.server.replaying import replay_aside
from cameo_verifier.server.wire.errors import RequestError, reason_of
from cameo_verifier.settings import Settings
from cameo_verifier.workers.wire import WorkerFaultError
from tests import started
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.replay import Replay


@dataclass(frozen=True, slots=True)
class OpenDoing(OpenReplay):
    """Opens what does as the recording says: die, sleep, stumble; or answers with its priority."""

    noted: Path

    def __call__(self) -> Replay:
        """Note the process, unless it is told not to open at all."""
        if not self.noted.parent.exists():
            raise ModelKitError("a model file is missing")
        return self.do

    def do(self, material: Material) -> NotReplayed:
        """Do it."""
        self.noted.write_text(str(os.getpid()))
        match material.recording:
            case b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"sleep":
                time.sleep(60)
            case b"stumble":
                raise ZeroDivisionError("the face of ann")
        overlap, threads = self.settings.overlap, os.environ["OMP_NUM_THREADS"]
        return NotReplayed(material.attempt_id, f"{os.getpriority(os.PRIO_PROCESS, 0)} {overlap} {threads}")


def opener(noted: Path, profile: Profile | None = None) -> OpenDoing:
    """Return one."""
    return OpenDoing(profile or profiles.load(), Source.RECORDING, Settings(threads=1), noted)


def material(recording: bytes = b"") -> Material:
    """Return what it is given."""
    return Material("a1", recording=recording)


async def test_it_steps_back_and_is_gone_when_it_has_answered(tmp_path: Path) -> None:
    """A lower priority than this process, threads as a worker has them, and no process left."""
    found = await replay_aside(opener(tmp_path / "pid"), material())
    assert found == NotReplayed("a1", f"{min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)} False 1")
    assert started.judging() == set()


async def test_each_trouble_has_its_own_error(tmp_path: Path) -> None:
    """A process that dies can be asked again; a missing model is the site's, a bug is ours and tells nothing."""
    with pytest.raises(RequestError, match="interrupted; ask again") as died:
        await replay_aside(opener(tmp_path / "pid"), material(b"die"))
    assert reason_of(died.value) == "JUDGING_INTERRUPTED"
    with pytest.raises(ModelKitError, match="a model file is missing"):
        await replay_aside(opener(tmp_path / "nowhere" / "pid"), material())
    with pytest.raises(WorkerFaultError) as bug:
        await replay_aside(opener(tmp_path / "pid"), material(b"stumble"))
    assert "ann" not in str(bug.value)
    assert started.judging() == set()


async def test_a_caller_that_leaves_ends_the_process(tmp_path: Path) -> None:
    """In the middle of judging, at once."""
    noted = tmp_path / "pid"
    waiting = asyncio.create_task(replay_aside(opener(noted), material(b"sleep")))
    async with asyncio.timeout(PATIENCE_S):
        while not (noted.exists() and noted.read_text()):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert started.judging() == set()
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)
