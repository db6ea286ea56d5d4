"""Replacement of the vault key, or of its epoch, killed at every step: nothing is lost, and the next one completes it."""

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
from cameo_verifier.review.vault_rotation import new_epoch, rotate
from cameo_verifier.store.evidence import rewrapping
from tests.unit.store.conftest import NOW
from tests.unit.store.vault_site import of_folder
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cameo_verifier.review.vault_rotation import Rotated
    from tests.unit.store.vault_site import VaultSite

STEPS = {"open", "os.link", "os.rename", "os.remove"}
"""What changes files, by the names of its audit events."""
KEYS = 5


def _rotate(site: VaultSite) -> Rotated:
    return rotate(site.site.engine, site.path)


def _turn(site: VaultSite) -> Rotated:
    return new_epoch(site.site.engine, site.path, now=NOW)


def _killed_before(replace: Callable[[VaultSite], Rotated], data: Path, step: int) -> None:
    """Replace a key, and die right before the step: a statement, a commit, or a change of a key file."""
    kept = of_folder(data)
    rewrapping.AT_ONCE = 2
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def of_files(name: str, arguments: tuple[object, ...]) -> None:
        if name in STEPS and any(str(data / "keys") in str(each) for each in arguments):
            die()

    event.listen(kept.site.engine, "before_cursor_execute", die)
    event.listen(kept.site.engine, "commit", die)
    sys.addaudithook(of_files)
    replace(kept)


@pytest.mark.slow
@pytest.mark.parametrize("replace", [_rotate, _turn])
def test_a_replacement_that_is_killed_at_any_step_loses_nothing(tmp_path: Path, replace: Callable[[VaultSite], Rotated]) -> None:
    """After each kill everything opens, for who was there before and for who comes after; the next one goes on and ends."""
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
        process = context.Process(target=_killed_before, args=(replace, data, step), daemon=True)
        process.start()
        if (code := ended(process)) == 0:
            break
        assert code == -signal.SIGKILL
        server.check()
        (after := of_folder(data)).check()
        half = any(vault_file.former_path(path).exists() for path in (after.path, vault_file.epoch_path(after.path)))
        rotated = replace(after)
        resumed += half and rotated.changed < KEYS
        begun_anew += rotated.changed == KEYS
        for each in (server, after):
            each.check()
            each.site.engine.dispose()
        names = {path.name for path in after.path.parent.iterdir()}
        assert {name for name in names if name[0] != "."} == {"audit.jwk", "epoch.jwk", "vault.jwk"}
        assert not {name for name in names if ".old." in name}
        shutil.rmtree(data)

    assert resumed
    assert begun_anew
    server.check()
    server.site.engine.dispose()
