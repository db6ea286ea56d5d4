"""`cameo webhooks` before any delivery; with a server, it is in tests/grpc/test_webhooks.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.settings import Settings
from tests.new_site import new_site

if TYPE_CHECKING:
    from pathlib import Path


def test_a_site_without_endpoints_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting."""
    monkeypatch.setenv("CAMEO_DATA", str(new_site(Settings(data=tmp_path / "data")).data))
    monkeypatch.delenv("CAMEO_WEBHOOKS", raising=False)
    with pytest.raises(InvalidRequestError, match="set CAMEO_WEBHOOKS"):
        CliRunner().invoke(app, ["webhooks"], catch_exceptions=False)


def test_an_endpoint_that_no_server_has_seen_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed with nothing delivered, and cannot be tried again."""
    monkeypatch.setenv("CAMEO_DATA", str(new_site(Settings(data=tmp_path / "data")).data))
    monkeypatch.setenv("CAMEO_WEBHOOKS", str(tmp_path / "webhooks.toml"))
    (tmp_path / "webhooks.toml").write_text('[[endpoint]]\nname = "a"\nurl = "https://a.example/x"\nrole = "app"\n')
    result = CliRunner().invoke(app, ["webhooks", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == {
        "endpoints": [
            {
                "name": "a",
                "role": "app",
                "id": "app",
                "url": "https://a.example/x",
                "state": "not begun",
                "delivered": 0,
                "last_delivery": None,
                "failures": 0,
                "failing_since": None,
                "next_attempt": None,
                "last_error": "",
            }
        ]
    }
    with pytest.raises(InvalidRequestError, match="nothing was sent to 'a' yet"):
        CliRunner().invoke(app, ["webhooks", "--retry", "a"], catch_exceptions=False)
