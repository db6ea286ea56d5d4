"""`cameo serve` as a process, with the real models: start, stop, and refused starts."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import attempt_pb2
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.challenge_service_pb2_grpc import ChallengeServiceStub
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
from cameo.v1.verification_service_pb2_grpc import VerificationServiceStub
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.settings import Settings
from tests.patience import PATIENCE_S
from tests.waiting import running

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIENCE = "https://generator.example"
CAMEO = Path(sys.executable).with_name("cameo")
RECORDING = Path(__file__).parents[2] / "fixtures" / "astronaut_bona_fide.mp4"

pytestmark = pytest.mark.usefixtures("kit")


@contextmanager
def serving(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `cameo serve` on a free port; yield the process and its address once it says that it is ready."""
    command = [CAMEO, "serve", "--json", "--listen=127.0.0.1:0", f"--data={data}", "--workers=1", *options]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=PATIENCE_S)[1]
        ready = json.loads(line)
        assert ready["event"] == "ready"
        assert ready["ready_s"] > 0
        yield process, ready["address"]


def until_judged(data: Path) -> None:
    """Wait until a worker has a recording."""
    deadline = time.monotonic() + PATIENCE_S
    with closing(sqlite3.connect(data / "cameo.sqlite3")) as database:
        while not database.execute("SELECT 1 FROM attempts WHERE state = 'open'").fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_sigterm_finishes_what_is_under_way_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A recording that is being judged is answered, the process ends with 0, and so do its workers."""
    AudienceFolder(Settings(data=tmp_path).audiences).add(AudienceKey.generate(AUDIENCE))
    with serving(tmp_path) as (process, address), grpc.insecure_channel(address) as channel:
        challenge = ChallengeServiceStub(channel).IssueChallenge(IssueChallengeRequest(subject="account-1"))
        config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=str(uuid4()))
        messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=RECORDING.read_bytes())]
        call = VerificationServiceStub(channel).VerifyResponse.future(iter(messages), timeout=PATIENCE_S)
        until_judged(tmp_path)
        assert not call.done()
        workers = children(process.pid)
        process.send_signal(signal.SIGTERM)
        attempt = call.result().attempt
        assert attempt.verdict == attempt_pb2.VERDICT_REJECTED
        assert process.wait(timeout=PATIENCE_S) == 0
        log = process.stderr.read() if process.stderr else ""
        assert attempt.id in log
        assert workers
        deadline = time.monotonic() + PATIENCE_S
        while any(Path(f"/proc/{worker}").exists() for worker in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_spooled_recording_outlives_a_killed_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in the middle of the pipeline; the next server judges the recording, and the same request gets the verdict."""
    monkeypatch.setenv("CAMEO_SPOOL", "true")
    AudienceFolder(Settings(data=tmp_path).audiences).add(AudienceKey.generate(AUDIENCE))
    with serving(tmp_path) as (process, address), grpc.insecure_channel(address) as channel:
        challenge = ChallengeServiceStub(channel).IssueChallenge(IssueChallengeRequest(subject="account-1"))
        config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=str(uuid4()))
        messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=RECORDING.read_bytes())]
        call = VerificationServiceStub(channel).VerifyResponse.future(iter(messages), timeout=PATIENCE_S)
        until_judged(tmp_path)
        process.kill()
        process.wait(timeout=PATIENCE_S)
        assert call.code() is grpc.StatusCode.UNAVAILABLE
    with serving(tmp_path) as (_, address), grpc.insecure_channel(address) as channel:
        again = VerificationServiceStub(channel).VerifyResponse(iter(messages), timeout=PATIENCE_S)
        assert again.attempt.verdict == attempt_pb2.VERDICT_REJECTED
        assert again.attempt.reasons


def children(pid: int) -> list[int]:
    """Return the processes a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_sigterm_while_the_models_load_ends_the_process(tmp_path: Path) -> None:
    """A server that is told to stop before it is ready ends with 0 and announces nothing."""
    command = [CAMEO, "serve", "--listen=127.0.0.1:0", f"--data={tmp_path}", "--workers=1"]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not children(process.pid):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
        assert process.stdout is not None
        assert not process.stdout.read()


def test_a_taken_port_is_said_before_the_models_load(tmp_path: Path) -> None:
    """Exit code 2 and a message that names the address and the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [CAMEO, "serve", f"--listen={address}", f"--data={tmp_path}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 2
    assert address in done.stderr
    assert "CAMEO_LISTEN" in done.stderr


def test_a_missing_model_is_said_with_the_command_that_fetches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and the message names `cameo models pull`."""
    monkeypatch.setenv("CAMEO_MODELS", str(tmp_path / "none"))
    done = subprocess.run(
        [CAMEO, "serve", "--listen=127.0.0.1:0", f"--data={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "cameo models pull" in done.stderr
