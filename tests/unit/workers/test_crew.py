"""Processes that decode for a command: what they are told, what they may do, and what becomes of what they say."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli import gallery
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.workers.crew import TRIES, Crew
from cameo_verifier.workers.process import ResourceLimits, WorkerLostError
from cameo_verifier.workers.wire import WorkerFaultError
from tests.sources import VERIFIER
from tests.unit.workers.doing import Doing, Smuggler

ROOT = Path(__file__).resolve().parents[3]


def test_what_a_process_says_is_read_as_data(tmp_path: Path) -> None:
    """A pickle that would make its reader act does nothing; whoever sent it is ended, and its job given up."""
    with Crew(Smuggler(str(tmp_path / "owned"))) as crew:
        ((job, lost),) = crew.each(["job"])
    assert job == "job"
    assert isinstance(lost, WorkerLostError)
    assert not (tmp_path / "owned").exists()


def test_gallery_add_reads_faces_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photograph that takes over the process which decodes it gets no further."""
    monkeypatch.setattr(gallery, "_OpenFaces", lambda _: Smuggler(str(tmp_path / "owned")))
    with pytest.raises(InvalidRequestError, match=r"photo\.jpg cannot be decoded"):
        gallery._faces([tmp_path / "photo.jpg"], Settings())
    assert not (tmp_path / "owned").exists()


def test_nothing_unpickles_what_another_process_says() -> None:
    """Outside of `workers` no code has a pipe or a pool of processes; within, a worker alone unpickles: its orders."""
    pickling = {"pickle", "multiprocessing", "shelve", "marshal", "dill", "cloudpickle"}
    found: dict[str, set[str]] = {}
    for path in sorted(VERIFIER.rglob("*.py")):
        tree, said = ast.parse(path.read_text("utf-8")), set()
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=names):
                    said |= {name.name.partition(".")[0] for name in names} & pickling
                case ast.ImportFrom(module=str(module), names=names):
                    said |= {module.partition(".")[0]} & pickling | {name.name for name in names} & {"ProcessPoolExecutor"}
                case ast.Attribute(attr="ProcessPoolExecutor" | "recv" as name):
                    said.add(name)
        if said:
            found[path.relative_to(VERIFIER).as_posix()] = said
    assert found == {
        "models/convert/torch_checkpoint.py": {"pickle"},  # of an unpickler that knows a handful of names
        "workers/main.py": {"multiprocessing", "recv"},
        "workers/process.py": {"multiprocessing"},
    }


def test_a_process_is_told_no_secret_and_held_to_its_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this one's variables it gets what interpreter and libraries need."""
    for name in ("CAMEO_OPENID_CLIENT_SECRET", "CAMEO_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SOMETHING"):
        monkeypatch.setenv(name, "not-for-workers")
    with Crew(Doing(tmp_path), limits=ResourceLimits(memory_bytes=2**30, files=99)) as crew:
        ((_, told),) = crew.each(["confess"])
    told = json.loads(told)
    assert "not-for-workers" not in told["environment"]
    assert (told["CORE"], told["NOFILE"], told["DATA"]) == (0, 99, 2**30)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_job_is_done_once_or_given_up(tmp_path: Path, workers: int) -> None:
    """One that takes its process down is tried again in another; the rest, with its arrays, comes as it was made."""
    jobs = ["one", "die once", "two", "die", "three"]
    with Crew(Doing(tmp_path), workers=workers) as crew:
        found = dict(crew.each(jobs))
        assert sorted(found) == sorted(jobs)
        assert isinstance(lost := found.pop("die"), WorkerLostError)
        assert str(lost) == f"its worker died {TRIES} times"
        assert all(job == said and array.tolist() == [0, 1, 2] for job, (array, said) in found.items())
        assert [job for job, _ in crew.each(["four", "five"])] == ["four", "five"] or workers > 1
    assert {job: len((tmp_path / job).read_text()) for job in jobs} == dict.fromkeys(jobs, 1) | {"die once": 2, "die": TRIES}


def test_what_is_raised_there_is_raised_here(tmp_path: Path) -> None:
    """A refusal keeps its kind, reason and message, a bug its place alone; the crew goes on."""
    with Crew(Doing(tmp_path)) as crew:
        with pytest.raises(UnjudgeableError, match="send it again") as refused:
            list(crew.each(["refuse"]))
        assert refused.value.reason is Reason.CORRUPT_MEDIA
        with pytest.raises(WorkerFaultError, match=r"ZeroDivisionError at .*doing\.py") as fault:
            list(crew.each(["stumble"]))
        assert "1337" not in str(fault.value)
        assert [job for job, _ in crew.each(["one"])] == ["one"]
