"""A rotation of the vault key killed at every step: nothing is lost, and the next one completes it."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from cameo_verifier.review import vault_file
from cameo_verifier.review.vault_rotation import rotate
from cameo_verifier.store.evidence import rewrapping
from tests.unit.store.vault_site import of_folder
from tests.waiting import ended

if TYPE_CHECKING:
    from pathlib import Path

STEPS = {"open", "os.link", "os.rename", "os.remove"}
"""What changes files, by the names of its audit events."""
KEYS = 5


def _killed_before(data: Path, step: int) -> None:
    """Rotate, and die right before the step: a statement, a commit, or a change of a key file."""
    kept = of_folder(data)
    rewrapping.AT_ONCE = 2
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def of_files(name: str, arguments: tuple[object, ...]) -> None:
        if name in STEPS and any("vault" in str(each) and str(data) in str(each) for each in arguments):
            die()

    event.listen(kept.site.engine, "before_cursor_execute", die)
    event.listen(kept.site.engine, "commit", die)
    sys.addaudithook(of_files)
    rotate(kept.site.engine, kept.path)


@pytest.mark.slow
def test_a_rotation_that_is_killed_at_any_step_loses_nothing(tmp_path: Path) -> None:
    """After each kill everything opens, for who was there before and for who comes after; the next rotation goes on and ends."""
    before = of_folder(tmp_path / "site")
    before.fill()
    before.site.engine.dispose()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    resumed = begun_anew = 0
    for step in itertools.count():
        data = tmp_path / str(step)
        shutil.copytree(tmp_path / "site", data)
        (server := of_folder(data)).check()
        process = context.Process(target=_killed_before, args=(data, step), daemon=True)
        process.start()
        if (code := ended(process)) == 0:
            break
        assert code == -signal.SIGKILL
        server.check()
        (after := of_folder(data)).check()
        half = vault_file.former_path(after.path).exists()
        rotated = rotate(after.site.engine, after.path)
        resumed += half and rotated.changed < KEYS
        begun_anew += rotated.changed == KEYS
        for each in (server, after):
            each.check()
            each.site.engine.dispose()
        assert {path.name for path in after.path.parent.glob("vault*")} == {"vault.jwk"}
        assert not list(after.path.parent.glob(".vault.old*"))
        shutil.rmtree(data)

    assert resumed
    assert begun_anew
    server.check()
    server.site.engine.dispose()
