"""`python -m tests.grpc.serve_scripted FOLDER [SETTING=VALUE …]`: a server with the scripted judges, to be killed.

Where there is a file `die-delivering` in FOLDER, it is killed when it has spent a grant, and has yet to deliver the likeness.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from cameo_verifier.server.app import open_server
from cameo_verifier.server.delivering import Delivering
from cameo_verifier.settings import Settings
from tests.grpc.judges import OpenScripted


def _die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: Path, *settings: str) -> None:
    """Serve from the data folder that `tests.grpc.server` serves from, until somebody ends the process."""
    given = dict(setting.split("=", 1) for setting in settings)
    site = Settings(listen="127.0.0.1:0", data=folder / "data", workers=1, queue=0, **given)
    if (folder / "die-delivering").exists():
        Delivering.deliver = _die  # type: ignore[method-assign]
    server = await open_server(site, open_judge=OpenScripted(folder / "journal"))
    print(server.address, flush=True)  # noqa: T201 - read by whoever started this
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
