"""Invalid values of settings: the error names the variable, the value, and what is allowed."""

from __future__ import annotations

import sys

import pytest
from typer.main import get_command

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli import app, main
from cameo_verifier.settings import _OURS, Settings, require_allowed

WRONG = [
    ("CAMEO_WORKERS", "0", "a whole number at least 1"),
    ("CAMEO_WORKERS", "two", "a whole number at least 1"),
    ("CAMEO_RETENTION_REJECTED_DAYS", "abc", "a number at least 0 and at most 3650"),
    ("CAMEO_RETENTION_MAX_BYTES", "0", "a whole number at least 1"),
    ("CAMEO_KEEPALIVE_S", "inf", "a number above 0"),
    ("CAMEO_MEDIA_MAX_PIXELS", "-1", "a whole number above 0"),
    ("CAMEO_GALLERY", "perhaps", "true or false"),
    ("CAMEO_LICENCES", "MIT", 'a JSON list of texts, such as ["MIT"]'),
    ("CAMEO_MEDIA", "x", "a JSON object; better set CAMEO_MEDIA_…"),
    ("CAMEO_CONSOLE_SESSION_H", "nan", "a number above 0 and at most 72"),
    ("CAMEO_SYNTHETIC_VOICE_INDEX", "1.5", "a whole number at least 0"),
]


def refusal() -> str:
    try:
        require_allowed()
    except InvalidRequestError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG)
def test_a_wrong_value_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, allowed: str) -> None:
    """It names the variable, the value and what is allowed."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidRequestError) as refused:
        require_allowed()
    assert str(refused.value) == f"{variable} is {value!r}, and has to be {allowed}"


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody finds them one by one; what is given beside the environment is checked alike."""
    monkeypatch.setenv("CAMEO_QUEUE", "-1")
    with pytest.raises(InvalidRequestError, match=r"^CAMEO_WORKERS is 0, and .*; CAMEO_QUEUE is '-1', and [^\n]*$"):
        Settings(workers=0)


@pytest.mark.parametrize("value", ["a b", "[]", "{}"])
def test_no_value_of_any_setting_ends_in_another_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Each variable there is, with what it was hardly meant to have."""
    for each in _OURS:
        for name in each.model_fields:
            with monkeypatch.context() as patch:
                patch.setenv(each.variable(name), value)
                said = refusal()
                assert not said or each.variable(name) in said
                assert "\n" not in said


def test_every_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error and exit code 2, also of a command that reads no settings."""
    monkeypatch.setenv("CAMEO_WORKERS", "0")
    commands = sorted(get_command(app).commands)  # type: ignore[attr-defined]
    for command in commands:
        monkeypatch.setattr(sys, "argv", ["cameo", command, "--help"])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert (ended.value.code, told.out) == (2, "")
        assert told.err == "error: CAMEO_WORKERS is '0', and has to be a whole number at least 1\n"
    assert {"serve", "challenge", "models"} <= set(commands)
