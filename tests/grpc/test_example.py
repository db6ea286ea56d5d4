"""The client that the README shows."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.grpc.client import AUDIENCE

if TYPE_CHECKING:
    from tests.grpc.server import OpenServer

EXAMPLE = Path(__file__).parents[2] / "docs" / "client.py"


async def run(address: str, recording: Path) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE, address, AUDIENCE), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(f"{recording}\n".encode())
    assert process.returncode == 0
    return out.decode().splitlines()


async def test_the_example_runs_and_is_as_short_as_promised(serve: OpenServer, tmp_path: Path) -> None:
    """Twenty lines ask, send and print a credential for a good answer, reasons and a hint for a bad one."""
    assert len(EXAMPLE.read_text().splitlines()) <= 20
    (tmp_path / "good").write_bytes(b"accept")
    (tmp_path / "bad").write_bytes(b"reject")
    async with serve() as client:
        *_, verdict, token = await run(client.server.address, tmp_path / "good")
        assert verdict.endswith("ACCEPTED")
        assert token.count(".") == 4
        *_, verdict, hint = await run(client.server.address, tmp_path / "bad")
        assert verdict.endswith("REJECTED PHRASE_MISMATCH NO_BLINK")
        assert hint == "Say exactly the words shown, clearly, one after another."
