"""Who reads the blocks of JSON and TOML that a document shows, as the product reads the file."""

from __future__ import annotations

import json
import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cameo_credential.pairwise import PairwiseKey
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.model import Event, EventKind
from cameo_verifier.cameo.removals import Holder, HolderKind, Removal, RemovalState
from cameo_verifier.cameo.webhooks import message
from cameo_verifier.models import index
from cameo_verifier.models.second_opinion import MANIFEST, SecondOpinion
from cameo_verifier.review.cases import read_cases
from cameo_verifier.server.auth.caller import Caller
from cameo_verifier.server.tls import CertificateCallers
from cameo_verifier.settings import Settings
from cameo_verifier.webhooks.endpoints import read_endpoints
from fixtures.manifest import load
from tests.second_opinion import BY_COLOUR, save_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def endpoints(text: str, folder: Path) -> None:
    """A file of `CAMEO_WEBHOOKS`."""
    (folder / "webhooks.toml").write_text(text, "utf-8")
    [endpoint] = read_endpoints(folder / "webhooks.toml")
    assert endpoint.holder == Holder(HolderKind.HELD_BY_PLATFORM, "shorts.example")


def clients(text: str, folder: Path) -> None:
    """A file of `CAMEO_TLS_CLIENTS`."""
    (folder / "clients.toml").write_text(text, "utf-8")
    callers = CertificateCallers.open(Settings(tls_clients=folder / "clients.toml"))
    assert callers is not None
    assert callers.of({"peer_spiffe_id": [b"spiffe://site.example/onboarding"]}) == Caller(CallerRole.APP, "onboarding")


def webhook(text: str, folder: Path) -> None:
    """What a server sends to such an endpoint; only the ids are left out."""
    holder = Holder(HolderKind.HELD_BY_PLATFORM, "shorts.example")
    times = {"requested_at": _NOW, "due_at": _NOW + timedelta(hours=48)}
    removal = Removal("r", 12, "c", "o", "g", "00", "urn", holder, RemovalState.REMOVAL_REQUESTED, "", "", **times)
    event = Event(12, "c", EventKind.REMOVAL_WAS_REQUESTED, _NOW, "g", "o", "r")
    (folder / "webhooks.toml").write_text(f'[[endpoint]]\nname="a"\nurl="https://a.example"\nrole="platform"\nid="{holder.name}"')
    [endpoint] = read_endpoints(folder / "webhooks.toml")
    sent = message(event, removal, endpoint, issuer="https://cameo.localhost", cursor="MTI", pairwise=PairwiseKey(bytes(32)))
    assert json.loads(text) == _without_ids(sent, json.loads(text))


def manifest_line(text: str, folder: Path) -> None:
    """A line of the manifest of `cameo evaluate`."""
    shutil.copy(load()[0].file, folder / json.loads(text)["file"])
    (folder / "manifest.jsonl").write_text(text, "utf-8")
    [case] = read_cases(folder)
    assert case.groups == json.loads(text)["groups"]


def second_opinion(text: str, folder: Path) -> None:
    """The manifest of `CAMEO_PAD_SECOND`, with the digests of small networks of those names."""
    for network in tomllib.loads(text)["network"]:
        save_network(folder / network["file"], BY_COLOUR)
        text = text.replace('sha256 = "…"', f'sha256 = "{index.sha256(folder / network["file"])}"', 1)
    (folder / MANIFEST).write_text(text, "utf-8")
    with SecondOpinion(folder, threads=1) as opened:
        assert opened.digest


def _without_ids(sent: Any, shown: Any) -> Any:
    if isinstance(sent, dict) and isinstance(shown, dict):
        return {name: _without_ids(value, shown.get(name)) for name, value in sent.items()}
    return shown if shown == "…" else sent


READ_BY: dict[tuple[str, str], tuple[Callable[[str, Path], None], ...]] = {
    ("docs/api.md", "toml"): (clients, endpoints),
    ("docs/api.md", "json"): (webhook,),
    ("docs/calibration.md", "toml"): (second_opinion,),
    ("docs/limits.md", "json"): (manifest_line,),
}
"""By page and language, in order of the page's blocks."""
