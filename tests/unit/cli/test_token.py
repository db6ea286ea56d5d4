"""`cameo token`: a server that is told the printed settings believes the token, and no other."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_client.tokens import ROLES
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.server.auth.caller import CallerTokens
from cameo_verifier.server.auth.issuer_tokens import CallerTokenError
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def asked(folder: Path, *arguments: str) -> tuple[str, str]:
    """Return the token, and what is printed beside it."""
    result = CliRunner().invoke(app, ["token", *arguments, "--data", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.strip(), result.stderr


def told(beside: str, folder: Path, *, ahead: timedelta = timedelta()) -> CallerTokens:
    """Return what a server reads that is started with the printed settings."""
    issuer, keys = re.search(r"CAMEO_CALLER_ISSUER=(\S+) CAMEO_CALLER_KEYS=(\S+)", beside).groups()  # type: ignore[union-attr]
    settings = Settings(data=folder, caller_issuer=issuer, caller_keys=keys)
    tokens = CallerTokens.open(settings, clock=lambda: datetime.now(UTC) + ahead)
    assert tokens is not None
    return tokens


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_server_with_the_printed_settings_believes_the_token(tmp_path: Path, role: str) -> None:
    """It is the role and the subject that were asked for, until the time is over."""
    token, beside = asked(tmp_path, role, "ann", "--minutes", "5")

    caller = told(beside, tmp_path).verify(token)

    assert (caller.role.value, caller.id, caller.verified) == (role, "ann", True)
    with pytest.raises(CallerTokenError) as refused:
        told(beside, tmp_path, ahead=timedelta(minutes=5, seconds=1)).verify(token)
    assert refused.value.refusal == "expired"


def test_a_site_has_one_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    """A later token is by the same key; another site's is not believed."""
    (first, beside), (second, _) = asked(tmp_path / "one", "app", "app"), asked(tmp_path / "one", "owner", "ann")
    other, _ = asked(tmp_path / "two", "app", "app")

    server = told(beside, tmp_path / "one")
    assert [server.verify(token).role.value for token in (first, second)] == ["app", "owner"]
    with pytest.raises(CallerTokenError):
        server.verify(other)
    key = tmp_path / "one" / "keys" / "development-callers.jwk"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert '"d"' not in key.with_suffix(".public.json").read_text()


def test_the_settings_are_not_printed_where_they_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the token is left."""
    _, beside = asked(tmp_path, "app", "app")
    for name, value in re.findall(r"(CAMEO_CALLER_\w+)=(\S+)", beside):
        monkeypatch.setenv(name, value)
    assert asked(tmp_path, "app", "app")[1] == ""


def test_an_unknown_role_and_no_subject_are_named(tmp_path: Path) -> None:
    """Nothing is written for them."""
    for arguments, message in ((["king", "ann"], "no role 'king'"), (["app", ""], "names its subject")):
        with pytest.raises(InvalidRequestError, match=message):
            CliRunner().invoke(app, ["token", *arguments, "--data", str(tmp_path)], catch_exceptions=False)
    assert not (tmp_path / "keys").exists()
