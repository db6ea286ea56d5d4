"""Caller tokens that `cameo_client` signs, as the service reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from cameo_client import CallerTokenSigner
from cameo_client.tokens import ROLES
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.server.auth.caller import CallerTokens
from cameo_verifier.server.auth.issuer_tokens import CallerTokenError
from cameo_verifier.server.auth.requester import RequesterTokens
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ISSUER, SERVER = "https://app.example", "https://cameo.example"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEYS: dict[str, dict[str, Any]] = {
    "Ed25519": OKPKey.generate_key("Ed25519").as_dict(private=True),
    "P-256": ECKey.generate_key("P-256").as_dict(private=True),
}


def reader(signer: CallerTokenSigner, folder: Path, *, now: datetime = NOW) -> CallerTokens:
    """Return the service's reader of tokens, given what the signer publishes."""
    jwks = folder / "callers.jwks"
    jwks.write_text(json.dumps(signer.public_jwks))
    opened = CallerTokens.open(Settings(issuer=SERVER, caller_issuer=ISSUER, caller_keys=jwks), clock=lambda: now)
    assert opened
    return opened


@pytest.mark.parametrize("curve", KEYS)
@pytest.mark.parametrize("role", sorted(ROLES))
def test_the_service_knows_the_caller_of_a_token(curve: str, role: str, tmp_path: Path) -> None:
    """A token of either kind of key names its role and subject."""
    signer = CallerTokenSigner(KEYS[curve], issuer=ISSUER, audience=SERVER)
    caller = reader(signer, tmp_path).verify(signer.token(role, "account-7", now=NOW))
    assert (caller.role, caller.id, caller.verified) == (CallerRole(role), "account-7", True)


@pytest.mark.parametrize("curve", KEYS)
def test_the_service_knows_who_asks_by_a_token_of_either_kind_of_key(curve: str, tmp_path: Path) -> None:
    """It names the person to one generator, for one job; without either, nobody."""
    signer = CallerTokenSigner(KEYS[curve], issuer=ISSUER, audience=SERVER)
    tokens = RequesterTokens(reader(signer, tmp_path).issuer)
    token = signer.requester_token("account-7", generator="g", job_id="j", now=NOW)
    assert tokens.requester(token, generator="g", job_id="j") == "account-7"
    assert _refusal(tokens, token, generator="h") == "wrong_generator"
    assert _refusal(tokens, token, job_id="k") == "wrong_job"
    with pytest.raises(ValueError, match="a generator and a job"):
        signer.requester_token("account-7", generator="g", job_id="", now=NOW)
    for lifetime, refusal in ((timedelta(hours=1), ""), (timedelta(hours=1, seconds=1), "lives_too_long")):
        token = signer.requester_token("account-7", generator="g", job_id="j", now=NOW, lifetime=lifetime)
        assert _refusal(tokens, token) == refusal


def _refusal(tokens: RequesterTokens, token: str, *, generator: str = "g", job_id: str = "j") -> str:
    try:
        tokens.requester(token, generator=generator, job_id=job_id)
    except RequestError as error:
        return error.metadata["refusal"]
    return ""


def test_roles_are_those_of_the_service() -> None:
    """No role is missing in the client, and none is made up; capture tokens are the server's own."""
    assert {role.value for role in CallerRole} - {CallerRole.CAPTURE} == ROLES


def test_a_token_ends_with_its_lifetime(tmp_path: Path) -> None:
    """Five minutes, unless the app says otherwise."""
    signer = CallerTokenSigner(KEYS["Ed25519"], issuer=ISSUER, audience=SERVER)
    token = signer.token("app", "backend", now=NOW)
    assert reader(signer, tmp_path, now=NOW + timedelta(minutes=5, seconds=-1)).verify(token)
    with pytest.raises(CallerTokenError) as refused:
        reader(signer, tmp_path, now=NOW + timedelta(minutes=5)).verify(token)
    assert refused.value.refusal == "expired"


def test_what_is_published_holds_no_private_key() -> None:
    """The JWK Set is for the server's file of keys."""
    for key in KEYS.values():
        [public] = CallerTokenSigner(key, issuer=ISSUER, audience=SERVER).public_jwks["keys"]
        assert "d" not in public
        assert key["d"] not in json.dumps(public)


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        {name: value for name, value in KEYS["Ed25519"].items() if name != "d"},
        {**KEYS["Ed25519"], "crv": "X25519"},
        ECKey.generate_key("P-384").as_dict(private=True),
    ],
)
def test_a_key_of_another_kind_is_refused(key: dict[str, Any]) -> None:
    """A secret, a public key and other curves are no key of an issuer."""
    with pytest.raises(ValueError, match="private JWK"):
        CallerTokenSigner(key, issuer=ISSUER, audience=SERVER)


@pytest.mark.parametrize(
    ("role", "subject", "now", "says"),
    [("root", "a", NOW, "no role"), ("app", "", NOW, "subject"), ("app", "a", NOW.replace(tzinfo=None), "zone")],
)
def test_a_token_that_names_nobody_is_not_made(role: str, subject: str, now: datetime, says: str) -> None:
    """An unknown role, an empty subject and a time without a zone are refused."""
    signer = CallerTokenSigner(KEYS["Ed25519"], issuer=ISSUER, audience=SERVER)
    with pytest.raises(ValueError, match=says):
        signer.token(role, subject, now=now)
