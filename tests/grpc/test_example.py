"""The client program of the README."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.grpc.client import AUDIENCE

if TYPE_CHECKING:
    from tests.grpc.server import OpenServer

EXAMPLE = Path(__file__).parents[2] / "docs" / "client.py"


async def run(address: str, recording: Path, *, code: int) -> tuple[str, list[str]]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE, address, AUDIENCE), stdin=pipe, stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate(f"{recording}\n".encode())
    assert process.returncode == code
    return out.decode(), err.decode().splitlines()


async def test_the_example_runs_and_is_as_short_as_promised(serve: OpenServer, tmp_path: Path) -> None:
    """It asks and sends; a credential alone goes to standard output, what people are to read beside it."""
    count = len(EXAMPLE.read_text().splitlines())
    assert f"A working client in {count} lines" in (EXAMPLE.parent / "api.md").read_text("utf-8")
    (tmp_path / "good").write_bytes(b"accept")
    (tmp_path / "bad").write_bytes(b"reject")
    async with serve() as client:
        token, told = await run(client.server.address, tmp_path / "good", code=0)
        assert told[0].startswith('say: "')
        assert told[-1] == "ACCEPTED"
        assert token.count(".") == 4
        assert len(token.splitlines()) == 1
        none, told = await run(client.server.address, tmp_path / "bad", code=1)
        assert none == ""
        assert told[-2:] == [
            "REJECTED PHRASE_MISMATCH MOVEMENT_MISSING",
            "Say exactly the words shown, clearly, one after another.",
        ]
