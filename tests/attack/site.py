"""The server that is attacked: `cameo serve` with the real models, in a process of its own, on a free loopback port.

It serves with the settings it comes with, but for four things: callers carry tokens, recordings are spooled, its data lie in a
folder that is thrown away, and one person may try as often as there are attacks.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.server.auth.caller import is_loopback
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from tests.faults.test_server_process import children, serving
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE, Client
from tests.grpc.server import UNHURRIED
from tests.grpc.test_messages import peak_kib

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.grpc.callers import Metadata

WORKERS = 2
_KEPT = ("CAMEO_MODELS",)


def require_loopback(address: str) -> str:
    """Return the address.

    Raises:
        ValueError: others than this machine can be at it.
    """
    if not is_loopback(address):
        raise ValueError(f"{address} is not of this machine: these attacks are for the server they start themselves")
    return address


def channel(address: str) -> grpc.aio.Channel:
    """Open a connection of its own to a loopback address, never by way of a proxy."""
    options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
    return grpc.aio.insecure_channel(require_loopback(address), options=options)


class Log:
    """What the server writes to standard error, read in a thread for as long as `read` is set."""

    def __init__(self, descriptor: int) -> None:
        """Begin to read."""
        self.read = threading.Event()
        self.read.set()
        self._descriptor, self._bytes, self._ended = os.dup(descriptor), b"", False
        threading.Thread(target=self._go_on, daemon=True).start()

    def count(self, words: str) -> int:
        """Return how many lines have these words in them."""
        return sum(words in line for line in self._bytes.decode(errors="replace").splitlines())

    def close(self) -> None:
        """Read no more."""
        self._ended = True
        self.read.set()

    def _go_on(self) -> None:
        while self.read.wait() and not self._ended:
            if select.select([self._descriptor], [], [], 0.1)[0] and self.read.is_set():
                piece = os.read(self._descriptor, 65536)
                self._bytes += piece
                if not piece:
                    break
        os.close(self._descriptor)


class Site:
    """The server and its folder. What is attacked is `client`, of which there is another after a restart."""

    client: Client
    process: subprocess.Popen[str]
    log: Log
    address: str

    def __init__(self, folder: Path) -> None:
        """Make the app's keys and the audience's in a folder; nothing runs yet."""
        self.data = folder / "data"
        self.app = App.make(folder)
        settings = {**self.app.settings, **UNHURRIED, "spool": "true"}
        for name in [name for name in os.environ if name.startswith("CAMEO_") and name not in _KEPT]:
            del os.environ[name]
        os.environ.update({f"CAMEO_{name.upper()}": str(value) for name, value in settings.items()})
        self.key = AudienceKey.generate(AUDIENCE)
        AudienceFolder(Settings(data=self.data).audiences).add(self.key)
        self.up = asyncio.Event()
        self.down_s = 0.0
        """How long no server could have given a verdict that was due: an attack counts it here."""
        self.undisturbed_s: list[float] = []
        """How long each honest verdict took that nobody disturbed."""
        self._peak_kib = 0
        self._running = ExitStack()

    async def start(self) -> None:
        """Start a server on the data there is, and wait until it is ready."""
        self.process, self.address = await asyncio.to_thread(
            self._running.enter_context, serving(self.data, f"--workers={WORKERS}")
        )
        assert self.process.stderr is not None
        self.log = Log(self.process.stderr.fileno())
        self._running.callback(self.log.close)
        # Typed for servers within this process; here it is another's.
        server: Any = self.process
        self.client = Client(server, channel(self.address), self.data / "journal", self.key)
        self.up.set()

    def kill(self) -> None:
        """End the server as the kernel does when memory runs out."""
        self.up.clear()
        self._peak_kib = max(self._peak_kib, peak_kib(self.process.pid))
        self._running.close()

    def metadata(self, role: str = "app", subject: str = "app") -> Metadata:
        """Return what a caller of that role sends along."""
        return self.app.metadata(role, subject)

    @property
    def usual_s(self) -> float:
        """How long an honest verdict takes: on a machine that is busy with other things, the slower of the last two."""
        return max(self.undisturbed_s[-2:])

    @property
    def workers(self) -> list[int]:
        """The processes that judge."""
        mine = children(self.process.pid)
        return [pid for pid in mine if b"cameo_verifier.workers.main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def count_anew(self) -> None:
        """Count the front process's peak, and what no verdict was possible for, from here on."""
        self._peak_kib, self.down_s = 0, 0.0
        # Without the right to do so the peak is the one since the start, which is bounded as well.
        with suppress(OSError):
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", "ascii")

    @property
    def peak_mb(self) -> float:
        """The most memory the front process had since then, in MB."""
        return max(self._peak_kib, peak_kib(self.process.pid)) * 1024 / 1e6

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """Open the site's database beside the server."""
        engine = open_database(Settings(data=self.data).database)
        try:
            yield engine
        finally:
            engine.dispose()
