from __future__ import annotations

import io
import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.claims import StatusReference
from cameo_credential.key_set import KeySet
from cameo_credential.status_list import StatusList, publish
from cameo_credential.token_status import Status
from cameo_verifier import cli
from cameo_verifier.settings import Settings
from tests.new_site import new_site
from tests.served_list import serving

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import World

    from cameo_credential.issuer_keys import IssuerKeys


PLACE = StatusReference(1, "https://issuer.example/status/1")


class Shell:
    """Run `cameo …` in this process over a data folder of its own; return exit code, standard output and standard error."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("CAMEO_DATA", str(folder / "data"))
        monkeypatch.setenv("CAMEO_ISSUER", "https://issuer.example")

    def __call__(self, *arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        """Run one command."""
        self._monkeypatch.setattr(sys, "argv", ["cameo", "credential", *map(str, arguments)])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell."""
    return Shell(tmp_path, monkeypatch, capsys)


@pytest.fixture
def token(shell: Shell, world: World) -> str:
    """A credential issued now, by the keys of the data folder, to the audience whose key is in audience.jwk."""
    code, *_ = shell("keygen", "--audience", "https://generator.example", "--out", shell.folder / "audience.jwk")
    assert code == 0
    new_site(Settings(data=shell.folder / "data"))
    assert shell("register", shell.folder / "audience.jwk.pub")[0] == 0
    now = datetime.now(UTC)
    keys = KeySet.open(shell.folder / "data" / "keys" / "issuer.jwks", now=now).at(now)
    (shell.folder / "jwks.json").write_text(shell("keys", "--json")[1])
    audience = AudienceFolder(shell.folder / "data" / "audiences").get("https://generator.example")
    _publish(shell, keys, now, Status.VALID)
    return world.issue(audience_key=audience, keys=keys, now=now, status=PLACE).credential


def _open(shell: Shell, token: str, *more: object, stdin: bytes = b"") -> tuple[int, str, str]:
    return shell(
        *("open", token, "--key", shell.folder / "audience.jwk", "--issuer-keys", shell.folder / "jwks.json"),
        *("--status-list", shell.folder / "status.jwt", *more),
        stdin=stdin,
    )


def _publish(shell: Shell, keys: IssuerKeys, now: datetime, status: Status) -> None:
    lasts = timedelta(minutes=5)
    token = publish(
        StatusList.of(np.array([Status.VALID, status], np.uint8)), uri=PLACE.uri, keys=keys, now=now, ttl=lasts, lifetime=lasts
    )
    (shell.folder / "status.jwt").write_text(token + "\n")


def test_a_credential_opens_from_argument_file_and_stdin(shell: Shell, token: str, world: World) -> None:
    """The same facts come out however the token is handed over, and no embedding's values without the flag."""
    (shell.folder / "token").write_text(token + "\n")

    code, out, err = _open(shell, token, "--json")
    document = json.loads(out)

    assert (code, err, document["valid"]) == (0, "", True)
    assert (document["issuer"], document["audience"]) == ("https://issuer.example", "https://generator.example")
    assert document["confirmed"] == ["phrase", "movements"]
    assert document["minor_safeguards"] is True
    assert document["face"] == {"model": "face-model", "model_sha256": f"{1:064x}", "dim": 512}
    assert json.loads(_open(shell, f"@{shell.folder / 'token'}", "--json")[1]) == document
    assert json.loads(_open(shell, "-", "--json", stdin=token.encode())[1]) == document
    values = json.loads(_open(shell, token, "--json", "--embeddings")[1])["voice"]["values"]
    assert values == pytest.approx(_voice(world), abs=1e-3)


def _voice(world: World) -> list[float]:
    return [float(value) for value in world.open(world.issue().credential).voice.vector]


def test_people_get_a_table(shell: Shell, token: str) -> None:
    """Without --json the facts are a table that sums the embeddings up."""
    code, out, _ = _open(shell, token)

    assert code == 0
    assert "verified credential" in out
    assert "512 values of face-model" in out


def test_a_refusal_says_its_reason(shell: Shell, token: str) -> None:
    """A changed token, another audience and another issuer exit 1, each with its reason for people and programs."""
    changed = token[:-1] + ("A" if token[-1] != "A" else "Q")
    for given, more, reason in (
        (changed, (), "tampered"),
        (token, ("--audience", "https://other.example"), "wrong_audience"),
        (token, ("--issuer", "https://other.example"), "wrong_issuer"),
        ("é", (), "malformed"),
    ):
        code, out, err = _open(shell, given, *more)
        assert (code, out) == (1, "")
        assert err.startswith(f"refused: {reason}: ")
        code, out, err = _open(shell, given, "--json", *more)
        assert (code, err) == (1, "")
        assert json.loads(out)["reason"] == reason
        assert json.loads(out)["valid"] is False


def test_an_expired_credential_is_refused_and_the_leeway_counts(shell: Shell, token: str, world: World) -> None:
    """A credential that ended a minute ago is `expired`, unless the clocks may differ by more."""
    assert token
    now = datetime.now(UTC)
    keys = KeySet.open(shell.folder / "data" / "keys" / "issuer.jwks", now=now).at(now)
    audience = AudienceKey.load_public(shell.folder / "audience.jwk.pub")
    then = now - timedelta(minutes=2)
    old = world.issue(audience_key=audience, keys=keys, now=then, ttl=timedelta(minutes=1), status=PLACE).credential

    assert _open(shell, old)[2].startswith("refused: expired: ")
    assert _open(shell, old, "--leeway-s", 3600)[0] == 0


def test_the_keys_are_fetched_from_where_they_are_published(shell: Shell, token: str) -> None:
    """A URI of this machine is fetched; http elsewhere is a mistake, and keys that cannot be had are a refusal."""
    opening = ("open", token, "--key", shell.folder / "audience.jwk", "--unsafe-no-status", "--issuer-keys")
    with serving((shell.folder / "jwks.json").read_bytes, "application/jwk-set+json") as uri:
        assert shell(*opening, uri)[0] == 0
    code, _, err = shell(*opening, uri)
    assert (code, err.startswith("refused: keys_unknown: ")) == (1, True)
    code, _, err = shell(*opening, "http://issuer.example/keys")
    assert (code, "https" in err) == (2, True)


def test_bad_input_exits_2_and_says_what_to_do(shell: Shell, token: str) -> None:
    """A missing file, an open secret, a key without a name and a foreign file are not refusals but mistakes."""
    key, public = shell.folder / "audience.jwk", shell.folder / "audience.jwk.pub"
    jwks = shell.folder / "jwks.json"
    nameless = {name: value for name, value in json.loads(key.read_text()).items() if name != "aud"}
    (shell.folder / "nameless.jwk").write_text(json.dumps(nameless))
    (shell.folder / "nameless.jwk").chmod(0o600)
    (shell.folder / "public.jwk").write_text(public.read_text())
    (shell.folder / "public.jwk").chmod(0o600)

    for arguments, message in (
        ((f"@{shell.folder / 'none'}", "--key", key, "--issuer-keys", jwks), "cannot read the credential"),
        ((token, "--key", shell.folder / "none", "--issuer-keys", jwks), "no key file"),
        ((token, "--key", key, "--issuer-keys", key), "not a JWK set"),
        ((token, "--key", public, "--issuer-keys", jwks), "chmod 600"),
        ((token, "--key", shell.folder / "public.jwk", "--issuer-keys", jwks), "only the public half"),
        ((token, "--key", shell.folder / "nameless.jwk", "--issuer-keys", jwks), "give --audience"),
    ):
        code, out, err = shell("open", *arguments)
        assert (code, out) == (2, "")
        assert message in err

    code, out, _ = shell(
        *("open", token, "--key", shell.folder / "nameless.jwk", "--issuer-keys", jwks),
        *("--audience", "https://generator.example", "--unsafe-no-status", "--json"),
    )
    assert (code, json.loads(out)["audience"]) == (0, "https://generator.example")


def test_the_status_list_decides_and_cannot_be_forgotten(shell: Shell, token: str) -> None:
    """What the list says is refused as that, without a good list it is unknown, and leaving it out takes an unsafe word."""
    keys = KeySet.open(shell.folder / "data" / "keys" / "issuer.jwks", now=datetime.now(UTC)).at(datetime.now(UTC))
    for status, reason in ((Status.INVALID, "revoked"), (Status.SUSPENDED, "suspended")):
        _publish(shell, keys, datetime.now(UTC), status)
        assert _open(shell, token)[2].startswith(f"refused: {reason}: ")
    _publish(shell, keys, datetime.now(UTC) - timedelta(minutes=6), Status.VALID)
    assert _open(shell, token)[2].startswith("refused: status_unknown: ")
    without = ("open", token, "--key", shell.folder / "audience.jwk", "--issuer-keys", shell.folder / "jwks.json")
    assert shell(*without, "--unsafe-no-status")[0] == 0
    code, _, err = _open(shell, token, "--unsafe-no-status")
    assert (code, "contradict" in err) == (2, True)
    code, _, err = shell(*without, "--status-list", shell.folder / "none")
    assert (code, "cannot read the status list" in err) == (2, True)


def test_keygen_writes_a_pair_and_overwrites_nothing(shell: Shell) -> None:
    """The private half is for its owner only, the public half holds no secret, and a second run is refused."""
    private = shell.folder / "audience.jwk"
    run = ("keygen", "--audience", "https://generator.example", "--out", private, "--json")

    code, out, _ = shell(*run)
    before = private.read_text()

    assert (code, json.loads(out)["private"]) == (0, str(private))
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert json.loads(private.with_name("audience.jwk.pub").read_text())["aud"] == "https://generator.example"
    assert "d" not in json.loads(private.with_name("audience.jwk.pub").read_text())
    code, _, err = shell(*run)
    assert (code, private.read_text()) == (2, before)
    assert "never overwritten" in err


def test_an_audience_that_asks_for_es256_needs_a_key_for_it(shell: Shell) -> None:
    """It is registered once the issuer has a key on P-256, whose first one signs at once; both are published."""
    new_site(Settings(data=shell.folder / "data"))
    KeySet.open(shell.folder / "data" / "keys" / "issuer.jwks", now=datetime.now(UTC))
    key = shell.folder / "audience.jwk"
    asked = ("--curve", "P-256", "--signature", "ES256")
    assert shell("keygen", "--audience", "https://generator.example", "--out", key, *asked)[0] == 0
    code, _, err = shell("register", f"{key}.pub")
    assert (code, "cameo credential rotate --alg ES256" in err) == (2, True)
    made = json.loads(shell("rotate", "--alg", "ES256", "--json")[1])
    assert datetime.fromisoformat(made["signs_from"]) <= datetime.now(UTC)
    assert shell("register", f"{key}.pub")[0] == 0
    assert [jwk["crv"] for jwk in json.loads(shell("keys", "--json")[1])["keys"]] == ["Ed25519", "P-256"]
    later = json.loads(shell("rotate", "--alg", "ES256", "--json")[1])
    assert datetime.fromisoformat(later["signs_from"]) > datetime.now(UTC) + timedelta(hours=23)
    code, _, err = shell("rotate", "--alg", "RS256")
    assert (code, "Ed25519 or ES256" in err) == (2, True)


def test_keys_are_shown_once_they_exist(shell: Shell) -> None:
    """Before the first start there are none to show; after it the table names the one that signs."""
    code, _, err = shell("keys")
    assert code == 2
    assert "cameo serve" in err

    new_site(Settings(data=shell.folder / "data"))
    made = KeySet.open(shell.folder / "data" / "keys" / "issuer.jwks", now=datetime.now(UTC)).at(datetime.now(UTC))
    code, out, _ = shell("keys")
    assert code == 0
    assert made.active.kid in out
    assert json.loads(shell("keys", "--json")[1])["issuer"] == "https://issuer.example"


def test_keys_rotate_and_retire(shell: Shell) -> None:
    """A new key is published at once and shown with when it signs; the old one retires once another signs; all are named."""
    path = shell.folder / "data" / "keys" / "issuer.jwks"
    assert "cameo serve" in shell("rotate")[2]
    new_site(Settings(data=shell.folder / "data"))
    now = datetime.now(UTC)
    first = KeySet.open(path, now=now).at(now).active.kid

    code, out, _ = shell("rotate", "--json")
    waiting = json.loads(out)
    assert code == 0
    assert datetime.fromisoformat(waiting["signs_from"]) > datetime.now(UTC) + timedelta(hours=23)
    published = json.loads(shell("keys", "--json")[1])
    assert [key["kid"] for key in published["keys"]] == [first, waiting["kid"]]
    assert "from 20" in shell("keys")[1]
    code, _, err = shell("retire", first)
    assert (code, "--overlap-h 0" in err) == (2, True)

    hurried = json.loads(shell("rotate", "--overlap-h", "0", "--json")[1])["kid"]
    code, out, _ = shell("retire", first)
    assert (code, out) == (0, f"key {first} is retired; {hurried} signs\n")
    assert json.loads(shell("retire", first, "--distrust", "--json")[1]) == {"kid": first, "distrusted": True, "active": hurried}
    assert first not in shell("keys")[1]
    code, _, err = shell("rotate", "--key-uri", "nokms://key")
    assert (code, "nokms" in err) == (2, True)
