from __future__ import annotations

import json
import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwe
from joserfc.jwk import OKPKey

from cameo_credential import claims
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import NAMESPACE, StatusReference
from cameo_credential.encoding import from_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.key_files import create_json
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.receipt import issue_receipt
from cameo_credential.refusal import Refusal
from cameo_credential.status_list import StatusList, publish
from cameo_credential.token_status import Status
from tests.documented_credential import FACE, JTI, PROVENANCE, VOICE
from tests.served_list import serving

if TYPE_CHECKING:
    from conftest import World

PAGE = (Path(__file__).parents[3] / "docs" / "credential.md").read_text("utf-8")
README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
ISSUER = "https://cameo.localhost"
"""A site's own name where it sets none."""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _example() -> dict[str, Any]:
    """Issue the page's example, with keys anyone can recompute, and take the token apart; vectors are cut after 24 characters."""
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **_raw(1)})
    signing = SigningKey.of_private(key, issued_at=NOW, not_before=NOW, expires_at=NOW + timedelta(days=730))
    audience = AudienceKey.generate("https://generator.example")
    issued = issue(
        issuer="https://cameo.example",
        subject="account-7",
        audience_key=audience.public(),
        keys=IssuerKeys(signing),
        pairwise=PairwiseKey(bytes(range(32))),
        now=NOW,
        ttl=timedelta(days=180),
        jti=JTI,
        provenance=PROVENANCE,
        face=FACE,
        voice=VOICE,
        status=StatusReference(591337, "https://cameo.example/status/1"),
    )
    opened = jwe.decrypt_compact(issued.credential, audience.key, algorithms=["ECDH-ES+A256KW", "A256GCM"])
    header, payload = (json.loads(from_base64url(part)) for part in (opened.plaintext or b"").decode().split(".")[:2])
    for which in ("face", "voice"):
        payload[NAMESPACE][which]["data"] = payload[NAMESPACE][which]["data"][:24] + "…"
    return {"header": header, "claims": payload}


def _receipt() -> tuple[dict[str, Any], list[Any]]:
    """Issue the page's receipt, and take it apart: what is signed, and the disclosures."""
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **_raw(1)})
    signing = SigningKey.of_private(key, issued_at=NOW, not_before=NOW, expires_at=NOW + timedelta(days=730))
    token = issue_receipt(
        issuer="https://cameo.example",
        subject="account-7",
        audience="https://generator.example",
        keys=IssuerKeys(signing),
        pairwise=PairwiseKey(bytes(range(32))),
        now=NOW,
        ttl=timedelta(days=180),
        jti=JTI,
        provenance=PROVENANCE,
        new_salt=iter(["eluV5Og3gSNII8EYnsxA_A", "6Ij7tM-a5iVPGboS5tmvVA", "eI8ZWm9QnKPpNPeNenHdhQ"]).__next__,
        status=StatusReference(591338, "https://cameo.example/status/1"),
        device_key={"kty": "OKP", "crv": "Ed25519", "x": _raw(2)["x"]},
    ).token
    signed, *disclosures, _ = token.split("~")
    return json.loads(from_base64url(signed.split(".")[1])), [json.loads(from_base64url(each)) for each in disclosures]


def _raw(seed: int) -> dict[str, str]:
    made = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))).as_dict(private=True)
    return {"x": str(made["x"]), "d": str(made["d"])}


def _block(language: str, number: int) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def test_the_page_shows_what_the_code_makes() -> None:
    """Header and claims on the page are those of a token issued now with the page's inputs."""
    example = _example()
    assert json.loads(_block("json", 0)) == example["header"], json.dumps(example["header"], indent=2)
    shown = json.dumps(example["claims"], indent=2, ensure_ascii=False)
    assert _block("json", 1).strip() == shown, shown


def test_the_page_shows_what_an_owner_s_word_adds() -> None:
    """The members on the page are those the code composes, in its order."""
    notes = ("never in a uniform", "say the name like Ah-da")
    terms = claims.OwnerTerms("55" * 32, ("no cats, please",), ("gambling", "satire"), notes)
    assert _block("json", 2).strip() == json.dumps(claims._terms(terms, consent="55" * 32), indent=2)


def test_the_page_shows_what_a_receipt_is() -> None:
    """What is signed and what is disclosed on the page are those of a receipt issued now with the page's inputs."""
    for number, made in enumerate(_receipt(), 3):
        shown = json.dumps(made, indent=2, ensure_ascii=False)
        assert _block("json", number).strip() == shown, shown


def test_the_page_names_every_refusal() -> None:
    """Each reason a token can be refused for has its row."""
    section = PAGE.split("## Why it may be refused")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [refusal.value for refusal in Refusal]


def test_the_page_program_runs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's programs, the first of which is the README's, open fresh tokens from files with line ends, none once revoked."""
    programs = [_block("python", number) for number in range(2)]
    assert programs[0] in README
    assert len(programs[0].splitlines()) == 17
    monkeypatch.chdir(tmp_path)
    create_json(tmp_path / "audience.jwk", world.audience_key.to_jwk(), secret=True)
    jwks = json.dumps(world.keys.public(ISSUER).to_jwks()).encode()
    (tmp_path / "jwks.json").write_bytes(jwks)
    now, lasts = datetime.now(UTC), timedelta(minutes=1)
    published = {"token": ""}
    with (
        serving(lambda: published["token"].encode("ascii")) as uri,
        serving(lambda: jwks, "application/jwk-set+json") as keys_uri,
    ):
        programs = [re.sub(r"http://127\.0\.0\.1:8080/[\w./-]+", keys_uri, program) for program in programs]
        at: dict[str, Any] = {"issuer": ISSUER, "now": now, "status": StatusReference(0, uri)}
        issued = world.issue(**at)
        (tmp_path / "receipt.sd-jwt").write_text(f"{world.receipt(**at)}\n")
        (tmp_path / "credential.jwe").write_text(f"{issued.credential}\n")
        for status in (Status.VALID, Status.INVALID):
            listed = StatusList.of(np.array([status], np.uint8))
            published["token"] = publish(listed, uri=uri, keys=world.keys, now=now, ttl=lasts, lifetime=lasts)
            refused = status is Status.INVALID
            for program in programs:
                with pytest.raises(CredentialError, match="was revoked") if refused else nullcontext():
                    exec(compile(program, "docs/credential.md", "exec"), {})  # noqa: S102 - the page's own program

    printed = f"{issued.subject} (512,) speech_and_turns ('phrase', 'movements')\n{issued.subject} True\n"
    assert capsys.readouterr().out == printed
