"""Network isolation: workers open no internet socket, and do not wait for a name that is not resolved.

`strace` records what is asked of the kernel, whether it is refused or not. `unshare` gives a network in which the one resolver
takes every question and answers none, as where a firewall drops them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import av
import pytest

from cameo_verifier.settings import Settings
from fixtures.manifest import load
from tests.new_site import new_site
from tests.sources import PYTHONPATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CLIP_S = 1.0
CHALLENGE = json.dumps({"steps": [{"say": "one two"}]})
INTERNET = re.compile(r"\b(?:socket\((?:AF|PF)_(?!UNIX|LOCAL).*|io_uring_setup\(.*)")
"""Anything but what stays on the machine."""


@cache
def _traces() -> bool:
    return bool(shutil.which("strace")) and not subprocess.run(["strace", "-o", os.devnull, "true"], check=False).returncode  # noqa: S607


@cache
def _has_networks_of_its_own() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode


traced = pytest.mark.skipif("not _traces()", reason="strace is not installed, or may not trace: apt-get install strace")
_ALONE = ("unshare", "--user", "--map-root-user", "--net", "--mount")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first second of a genuine answer."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = next(fixture.file for fixture in load() if fixture.id == "admiral_bona_fide")
    with av.open(str(source)) as whole, av.open(str(path), "w") as cut:
        streams = {stream.index: cut.add_stream_from_template(stream) for stream in whole.streams}
        for packet in whole.demux():
            if packet.dts is not None and packet.dts * packet.time_base < CLIP_S:
                packet.stream = streams[packet.stream.index]
                cut.mux(packet)
    return path


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has told no library anything, and in whose folders nothing lies."""
    told = ("ORT_DISABLE_TELEMETRY", "HF_HUB_", "GOOGLE_SANDBOX")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    own = {"HOME": str(tmp_path), "CAMEO_MODELS": str(Settings().models), "CAMEO_DATA": str(tmp_path / "data")}
    return {**kept, **own, "PYTHONPATH": PYTHONPATH}


def _trace(command: list[str], calls: str, environment: dict[str, str], log: Path, *, refused: bool) -> list[str]:
    """Return the calls of a command and of its children; those that a filter refuses only where asked for: it takes longer."""
    watched = ["strace", "-f", "-qq", "-e", "signal=none", "-e", f"trace={calls}", "-o", str(log)]
    watched += [] if refused else ["--seccomp-bpf"]
    ended = subprocess.run([*watched, *command], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode in {0, 1, 3}, ended.stderr
    return log.read_text("utf-8", "replace").splitlines()


@traced
@pytest.mark.parametrize("how", ["worker", "open"])
def test_judging_asks_for_no_internet_socket(how: str, clip: Path, home: dict[str, str], tmp_path: Path) -> None:
    """A worker tries none, from its start to its verdict; nor does what it runs where the kernel refuses nothing."""
    calls = _trace(
        [sys.executable, "-m", "tests.alone", how, CHALLENGE, str(clip)],
        "socket,io_uring_setup,seccomp,openat",
        home,
        tmp_path / "calls",
        refused=how == "worker",
    )

    assert any("face_landmarker.task" in call for call in calls), "nothing was judged"
    assert [call for call in calls if INTERNET.search(call)] == []
    assert any("seccomp(SECCOMP_SET_MODE_FILTER" in call for call in calls) == (how == "worker")


@traced
@pytest.mark.parametrize("command", ["verify", "inspect", "evaluate", "gallery"])
def test_a_command_gives_up_its_network_before_it_opens_a_model(
    command: str, clip: Path, home: dict[str, str], tmp_path: Path
) -> None:
    """The filter is there before the first model file is opened, in the process that opens it or in one it comes from."""
    photo = tmp_path / "photo.png"
    with av.open(str(clip)) as recording:
        next(recording.decode(video=0)).to_image().save(photo)
    (tmp_path / "manifest.jsonl").write_text(json.dumps({"file": str(clip), "bona_fide": True}) + "\n")
    new_site(Settings(data=tmp_path / "data"))
    arguments = {
        "verify": ["verify", str(clip), "--challenge", CHALLENGE],
        "inspect": ["inspect", str(photo), "--json"],
        "evaluate": ["evaluate", str(tmp_path / "manifest.jsonl"), "--out", str(tmp_path / "report"), "--workers", "1"],
        "gallery": ["gallery", "add", "Ada", str(photo)],
    }[command]
    calls = _trace(
        [sys.executable, "-m", "cameo_verifier.cli", *arguments],
        "socket,io_uring_setup,seccomp,openat,clone,clone3,fork,vfork",
        home,
        tmp_path / "calls",
        refused=False,
    )

    parents = {made[1]: call.split()[0] for call in calls if (made := re.search(r"\b(?:clone3?|v?fork)\b.* = (\d+)$", call))}

    def line_of_descent(process: str | None) -> Iterator[str]:
        while process is not None:
            yield process
            process = parents.get(process)

    offline: set[str] = set()
    opened = []
    for call in calls:
        process = call.split()[0]
        if "seccomp(SECCOMP_SET_MODE_FILTER" in call:
            offline.add(process)
        elif "face_landmarker.task" in call:
            opened.append(any(each in offline for each in line_of_descent(process)))
    assert opened, "no model was opened"
    assert all(opened)
    assert [call for call in calls if INTERNET.search(call)] == []


_SILENT = """
import fcntl, os, socket, struct, subprocess, sys
# Bring up the loopback interface of this new network, and listen there as a resolver that answers nothing.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as request:
    fcntl.ioctl(request, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
questions = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
questions.bind(("127.0.0.1", 53))
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
ended = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, check=True)
questions.setblocking(False)
try:
    raise SystemExit(f"somebody asked: {questions.recv(512)!r}")
except BlockingIOError:
    sys.stdout.buffer.write(ended.stdout)
"""


@pytest.mark.skipif("not _has_networks_of_its_own()", reason="unshare is not installed, or may not make networks here")
def test_judging_asks_no_resolver(clip: Path, home: dict[str, str], tmp_path: Path) -> None:
    """Where questions for names are dropped, each would cost five seconds: none is asked."""
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    alone = [*_ALONE, sys.executable, "-c", _SILENT, str(resolver)]
    judging = [sys.executable, "-m", "tests.alone", "open", CHALLENGE, str(clip)]
    ended = subprocess.run([*alone, *judging], env=home, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["verdict"]
