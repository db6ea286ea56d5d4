"""What the attacks are held to, and that they can be aimed at nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo.v1.credential_service_pb2_grpc import CredentialServiceStub
from tests.attack.__main__ import ATTACKS, main
from tests.attack.bounds import Row, Seen
from tests.attack.honest import Honest, answer
from tests.attack.site import channel
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.grpc.server import OpenServer


def row(honest: Honest, *broken: str, down_s: float = 0.0, peak_mb: float = 250.0) -> Row:
    return Row("attack", Seen("refused", honest, broken), usual_s=8.0, down_s=down_s, peak_mb=peak_mb)


@pytest.mark.parametrize(
    "held",
    [
        row(Honest("ACCEPTED", 16.0)),
        row(Honest("ACCEPTED", 26.0, told_s=(5.0, 1.0), refused=("WORKERS_UNAVAILABLE",) * 2)),
        row(Honest("ACCEPTED", 27.0), down_s=11.0),
        row(Honest("ACCEPTED", 8.0), peak_mb=599.0),
    ],
)
def test_what_is_within_the_bounds_holds(held: Row) -> None:
    """Twice the usual time, or twice what was told and the usual time; what nobody could have helped is no fault."""
    assert held.broken == ()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (row(Honest("ACCEPTED", 16.1)), "took 16.1 s"),
        (row(Honest("ACCEPTED", 26.1, told_s=(5.0, 60.0), refused=("WORKERS_UNAVAILABLE",) * 2)), "it was told 5.0 s"),
        (row(Honest("ACCEPTED", 27.1), down_s=11.0), "11.0 s of it"),
        (row(Honest("REJECTED", 8.0)), "REJECTED, not ACCEPTED"),
        (row(Honest("ACCEPTED", 8.0), peak_mb=600.0), "600 MB"),
        (row(Honest("ACCEPTED", 8.0), "a worker was lost"), "a worker was lost"),
    ],
)
def test_what_is_not_is_said(broken: Row, told: str) -> None:
    """Each bound by itself, with its figure."""
    [said] = broken.broken
    assert told in said


@pytest.mark.parametrize("address", ["192.0.2.1:50051", "cameo.example:443", "0.0.0.0:50051", "[2001:db8::1]:50051", ""])
def test_nobody_else_is_attacked(address: str) -> None:
    """An address that is not this machine's is refused before anything is sent."""
    with pytest.raises(ValueError, match="not of this machine"):
        channel(address)


async def test_no_proxy_lies_between(serve: OpenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of proxies, the server itself is called."""
    for name in ("http_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    async with serve() as client, channel(client.server.address) as direct:
        stub: Any = CredentialServiceStub(direct)
        assert await answer(stub.GetKeys(GetKeysRequest(), timeout=PATIENCE_S)) is None


def test_every_attack_says_what_the_attacker_does_and_what_must_hold() -> None:
    """Each module that has an attack is tried by default, and begins with its name."""
    here = Path(__file__).parent
    assert set(ATTACKS) == {path.stem for path in here.glob("*.py") if "\nasync def attack(" in path.read_text("utf-8")}
    for name, module in ATTACKS.items():
        title, does, holds, *_ = (module.__doc__ or "").split("\n\n")
        assert title.lower().removesuffix(".").replace(" ", "_").startswith(name)
        assert len(does) > 80
        assert holds.startswith("Must hold: ")


def test_an_attack_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, before a server is started."""
    monkeypatch.setattr("sys.argv", ["attack", "gzip_swell", "gzip_swel"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "gzip_swel" in capsys.readouterr().err
