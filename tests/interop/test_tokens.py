"""What others' libraries read of everything the issuer signs or encrypts, in both suites."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import numpy as np
import pytest

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import StatusReference
from cameo_credential.delivery import deliver, open_likeness
from cameo_credential.encoding import from_base64url
from cameo_credential.grant_token import sign_grant
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import ES256, IssuerKeys, SigningKey
from cameo_credential.items import ItemKind, ItemModel, VectorItem
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.receipt import issue_receipt
from cameo_credential.status_list import StatusList, publish
from cameo_verifier.cameo.grants import compose
from cameo_verifier.cameo.model import Grant
from tests.conftest import ROOT
from tests.documented_credential import FACE, JTI, PROVENANCE, VOICE
from tests.interop.conftest import LIBRARIES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER, GENERATOR, URI = "https://cameo.example", "https://generator.example", "https://cameo.example/status/1"
SUITES = {"Ed25519 and X25519": ("Ed25519", "X25519"), "P-256": (ES256, "P-256")}
FOLDER, GO_JOSE, PYTHON = Path(__file__).parent, LIBRARIES / "go-jose", ROOT / ".venv-interop" / "bin" / "python"
READERS: dict[str, list[Path | str]] = {
    "jose": ["node", FOLDER / "open_tokens.mjs", LIBRARIES],
    **{name: [PYTHON, FOLDER / "open_tokens.py", name] for name in ("joserfc", "jwcrypto", "PyJWT")},
    "go-jose": [GO_JOSE],
}
VERIFY_ONLY = {"PyJWT"}
"""Libraries that know no encryption."""
P256_ONLY = {"go-jose"}
"""Libraries that know neither Ed25519 by its name nor X25519: they cannot even read such a key."""
KNOWN = [(library, suite) for library in READERS for suite in SUITES if library not in P256_ONLY or suite == "P-256"]


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that one audience gets, by kind; and what it says."""

    jwks: dict[str, Any]
    key: AudienceKey
    tokens: dict[str, str]
    said: dict[str, Any]


def make(signature: str, curve: str) -> Made:
    """Issue to an audience in its suite."""
    two = SigningKey.generate(now=NOW), SigningKey.generate(now=NOW, algorithm=ES256)
    keys, key = IssuerKeys(two[0], (), two[1]), AudienceKey.generate(GENERATOR, curve, signature)
    now, lasts = NOW, timedelta(days=1)
    pairwise = PairwiseKey(bytes(32))
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "subject": "account-7",
        "keys": keys,
        "pairwise": pairwise,
        "now": now,
        "ttl": lasts,
        "jti": JTI,
        "provenance": PROVENANCE,
        "status": StatusReference(3, URI),
    }
    issued = issue(audience_key=key.public(), face=FACE, voice=VOICE, **facts)
    receipt = issue_receipt(audience=GENERATOR, new_salt=lambda: token_urlsafe(16), signature=signature, **facts)
    likeness = deliver(
        issuer=ISSUER,
        requester="fan",
        grant_id="grant-1",
        job_id="job-1",
        cameo_id="cameo-1",
        minor_safeguards=False,
        items=(VectorItem(ItemKind.FACE_VECTOR, ItemModel("face", "", "0" * 64), FACE.vector),),
        audience_key=key.public(),
        keys=keys,
        now=now,
    ).token
    grant = Grant("grant-1", GENERATOR, "fan", "job-1", ("cameo-1",), frozenset(), now, now + lasts)
    granted = compose(grant, (), issuer=ISSUER, pairwise=pairwise)
    listed = publish(
        StatusList.of(np.zeros(16, np.uint8)), uri=URI, keys=keys, now=now, ttl=lasts, lifetime=lasts, algorithm=signature
    )
    tokens = {
        "credential": issued.credential,
        "likeness": likeness,
        "receipt": receipt.token.partition("~")[0],
        "grant": sign_grant(granted, keys=keys, algorithm=signature),
        "status list": listed,
    }
    opened = open_likeness(
        likeness,
        audience_key=key,
        issuer_keys=keys.public(),
        expected_audience=GENERATOR,
        expected_issuer=ISSUER,
        expected_grant="grant-1",
        now=now,
    )
    said = {
        "credential": ("jti", JTI),
        "likeness": ("jti", opened.grant_id),
        "receipt": ("jti", JTI),
        "grant": ("jti", "grant-1"),
        "status list": ("sub", URI),
    }
    return Made(keys.public(ISSUER).to_jwks(), key, tokens, said)


def read(library: str, made: Made, tokens: list[str]) -> list[dict[str, Any]]:
    """Return what a library says of tokens."""
    key = {name: value for name, value in made.key.to_jwk().items() if name != "aud"}
    given = json.dumps({"jwks": made.jwks, "key": key, "tokens": tokens})
    ran = subprocess.run(READERS[library], input=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    said: list[dict[str, Any]] = json.loads(ran.stdout)
    return said


def changed(token: str) -> str:
    """Return a token with another first character in its last part, a signature or an authentication tag."""
    before, _, last = token.rpartition(".")
    return f"{before}.{'B' if last[0] == 'A' else 'A'}{last[1:]}"


@pytest.mark.parametrize(("library", "suite"), KNOWN)
def test_a_foreign_library_opens_what_is_issued(library: str, suite: str) -> None:
    """Each kind that the library knows opens with the published keys and says what was issued; changed, none does."""
    if library == "go-jose" and not GO_JOSE.exists():
        pytest.skip("Debian's go-jose is not on this machine")
    made = make(*SUITES[suite])
    tokens = {name: token for name, token in made.tokens.items() if library not in VERIFY_ONLY or token.count(".") == 2}
    opened = dict(zip(tokens, read(library, made, list(tokens.values())), strict=True))
    said = {name: made.said[name] for name in tokens}
    assert {name: (member, opened[name].get(member)) for name, (member, _) in said.items()} == said, opened
    forged = read(library, made, [changed(token) for token in tokens.values()])
    assert all(set(claims) == {"refused"} for claims in forged)


def test_a_likeness_is_the_vector_that_was_issued() -> None:
    """The values that jose reads out of a delivery are those of the face."""
    made = make(*SUITES["P-256"])
    [claims] = read("jose", made, [made.tokens["likeness"]])
    [item] = claims["urn:cameo:likeness:1"]["items"]
    values = np.frombuffer(from_base64url(item["data"]), "<f2").astype(np.float32)
    assert np.allclose(values, FACE.vector, atol=1e-3)
