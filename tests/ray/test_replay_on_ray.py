"""Replays on a Ray cluster of two nodes on this machine: `make test-ray`, for Ray is never part of the default install."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cameo_verifier import profiles
from cameo_verifier.review.replay import Material, NotReplayed, OpenReplay, Replayed, Source, materials
from cameo_verifier.review.replay_diff import difference, document
from cameo_verifier.review.replay_engine import replay_all
from cameo_verifier.review.replay_ray import replay_on_ray
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from tests.unit.review.stored import fixture_site
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import READER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cameo_verifier.review.replay import Replay
    from tests.unit.review.stored import Judged

RECORDINGS = ("dark", "screen_replay")
COPIES = 4


@pytest.fixture(scope="module")
def held(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> list[Material]:
    """Eight attempts of two recordings, opened."""
    folder = tmp_path_factory.mktemp("site")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    site = fixture_site(engine, folder, judged, *RECORDINGS)
    opened = list(materials(site.room.vault, RECORDINGS, Source.TRACKS, reader=READER, now=NOW))
    engine.dispose()
    return [Material(f"{each.attempt_id}-{copy}", each.result, each.tracks) for each in opened for copy in range(COPIES)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without processors and two nodes with one each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - reads the variable above

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        started.add_node(num_cpus=1)
    started.wait_for_nodes()
    yield started
    started.shutdown()
    # Ray keeps the logs of its sessions in the temp folder, for good.
    shutil.rmtree(Path(tempfile.gettempdir()) / "ray", ignore_errors=True)


@dataclass(frozen=True, slots=True)
class OpenMarking:
    """Opens a replay that marks each attempt it begins, waits at one of them, and can be killed there."""

    inner: OpenReplay
    marks: Path
    victim: str
    always: bool

    def __call__(self) -> Replay:
        """Return it."""
        replay = self.inner()

        def run(material: Material) -> Replayed | NotReplayed:
            first = not (self.marks / material.attempt_id).exists()
            (self.marks / material.attempt_id).touch()
            if material.attempt_id == self.victim and (first or self.always):
                os.kill(os.getpid(), signal.SIGKILL)
            return replay(material)

        return run


def compared(found: Iterable[Replayed | NotReplayed]) -> str:
    """Return the diff as it is written."""
    return json.dumps(document(difference(found, {}, verdicts={}, source=Source.TRACKS, profile=profiles.load(), made_at=NOW)))


OPENER = OpenReplay(profiles.load(), Source.TRACKS, Settings())


def test_a_cluster_says_what_one_process_says(held: list[Material], cluster: Any) -> None:
    """Byte for byte, and every score reproduced."""
    found = list(replay_on_ray(held, OPENER, address=cluster.address))
    assert compared(found) == compared(replay_all(held, OPENER))
    assert all(isinstance(each, Replayed) and each.reproduced for each in found)


@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
def test_a_killed_worker_loses_none(held: list[Material], cluster: Any, tmp_path: Path, always: bool) -> None:  # noqa: FBT001
    """Its attempt is judged elsewhere, once in the report; one that kills every worker is reported as that."""
    dying = OpenMarking(OPENER, tmp_path, held[3].attempt_id, always)
    found = list(replay_on_ray(held, dying, address=cluster.address))  # type: ignore[arg-type]  # it opens as the other does
    assert sorted(each.attempt_id for each in found) == sorted(each.attempt_id for each in held)
    lost = [each for each in found if isinstance(each, NotReplayed)]
    assert lost == ([NotReplayed(held[3].attempt_id, "its worker died 3 times")] if always else [])


def test_a_node_that_goes_away_loses_none(held: list[Material], cluster: Any) -> None:
    """One of two nodes is killed while attempts are under way: the report is what it would have been."""
    extra = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    many = [Material(f"{each.attempt_id}-{copy}", each.result, each.tracks) for each in held for copy in range(4)]
    found = []
    for number, each in enumerate(replay_on_ray(many, OPENER, address=cluster.address)):
        found.append(each)
        if number == 2:
            cluster.remove_node(extra, allow_graceful=False)
    assert compared(found) == compared(replay_all(many, OPENER))
