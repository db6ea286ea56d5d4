"""Fixtures every test may ask for."""

from __future__ import annotations

import gc
import os

# Two threads of OpenBLAS that share a core with others wait for one another by spinning: a decomposition of 50 ms takes seconds.
# It reads this when NumPy is loaded. The workers of a server are held to one thread in the same way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from cameo_verifier import offline, pipeline, profiles
from cameo_verifier.checks.question import Case
from cameo_verifier.media.remux import judged_only
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.settings import Settings
from cameo_verifier.types import Circumstances
from fixtures.manifest import load
from fixtures.tracks import model_digests, tracks_of
from tests import databases
from tests.hanging import pytest_itemcollected, pytest_runtest_logreport, pytest_runtest_teardown, pytest_xdist_make_scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from cameo_challenges.model import Challenge
    from cameo_verifier.types import Judgement

# Hooks of pytest, found here.
__all__ = ["pytest_itemcollected", "pytest_runtest_logreport", "pytest_runtest_teardown", "pytest_xdist_make_scheduler"]

ASKED = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[1]

# Some tests import ONNX Runtime themselves, before any code of ours; its telemetry is then as it finds it here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# An example may take as long as a busy machine needs. The examples are the same in every run, but those of `make soak`.
settings.register_profile(
    "any machine", deadline=None, derandomize="CAMEO_EXAMPLES" not in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without Python's garbage collector, which looks a hundred times through modules and tests that all stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def nothing_stays_in_the_temp_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the session a temp folder of its own, for its processes too, and fail where anything is left in it at the end."""
    folder = tmp_path_factory.mktemp("t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        with databases.LASTING:
            yield folder
        # That of multiprocessing goes when its process does.
        left = sorted(path.name for path in folder.iterdir() if not path.name.startswith("pymp-"))
    assert not left, f"left in the system's temp folder: {left}"


@pytest.fixture(scope="session", autouse=True)
def still_online() -> Iterator[None]:
    """Let commands that run in this process leave it its network: what the kernel refuses it, it refuses every later test.

    The processes that tests start, workers among them, are cut off as ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline._Process, "filtered", True)
        yield


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """Give new SQLite databases the schema that the migrations led to in the first one."""
    with databases.migrated_once():
        yield


@pytest.fixture(scope="session")
def kit() -> Iterator[ModelKit]:
    """The real model kit; an error here names the missing file and the command that fetches it."""
    with ModelKit.open(Settings()) as opened:
        yield opened


@pytest.fixture(scope="session")
def devdata() -> Path:
    """The folder of calibration recordings: `CAMEO_DEVDATA`, or `../shared/devdata` beside the repository."""
    folder = Path(os.environ.get("CAMEO_DEVDATA") or ROOT.parent / "shared" / "devdata")
    if not folder.is_dir():
        pytest.skip(f"no calibration recordings at {folder} (set CAMEO_DEVDATA)")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens the model kit in this process; tests whose other processes open it say so themselves."""
    for item in items:
        if {"kit", "judged_now"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("models")


COMMITTED = {fixture.id: fixture for fixture in load()}
RECEIVED = ASKED + timedelta(seconds=20)


def asked(identifier: str) -> Challenge:
    """Return what was asked in a committed recording, as if it were issued."""
    return replace(COMMITTED[identifier].challenge, id=f"challenge-{identifier}", issued_at=ASKED)


@pytest.fixture(scope="session")
def judged() -> Callable[[str], tuple[Judgement, Challenge]]:
    """Return a function that judges a committed recording by its id from its golden tracks, as if sent after 20 seconds.

    Nothing is decoded and no model is loaded. The digests are those of the models that made the tracks.
    """

    @cache
    def judge(identifier: str) -> tuple[Judgement, Challenge]:
        challenge, settings, profile = asked(identifier), Settings(), profiles.load()
        evidence = tracks_of(identifier).evidence
        told = Circumstances(received_at=RECEIVED, limits=settings.media.model_dump())
        kept = judged_only(COMMITTED[identifier].file, sound_track=evidence.media.sound_track, limits=settings.media)
        made = pipeline.judge(Case(evidence, challenge, told), profile)
        profile = profile.judging(minor=made.minor_safeguards)
        digests = pipeline.digests(evidence, profile, model_digests(), settings, kept)
        return replace(made, digests=digests, timings_ms={"total": 1.0}, kept=kept), challenge

    return judge


@pytest.fixture(scope="session")
def judged_now(kit: ModelKit) -> Callable[[str], tuple[Judgement, Challenge]]:
    """Return a function that judges a committed recording as `judged` does, with the models, once in a session."""

    @cache
    def judge(identifier: str) -> tuple[Judgement, Challenge]:
        challenge = asked(identifier)
        judgement = verify(
            COMMITTED[identifier].file.read_bytes(),
            challenge,
            profile=profiles.load(),
            kit=kit,
            settings=Settings(),
            received_at=RECEIVED,
            keep=True,
        )
        return judgement, challenge

    return judge
