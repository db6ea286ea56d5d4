"""The issuer's key in a token of SoftHSM2: all that is signed there, and what can be wrong with a token."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from structlog.testing import capture_logs

from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import Embedding, Provenance
from cameo_credential.errors import KeyFileError
from cameo_credential.grant_token import sign_grant
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import ES256, VerificationKeys
from cameo_credential.key_set import KeyFile, KeySet, change, new_key
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign
from cameo_credential.signing_backends import open_backend
from cameo_credential.status_list import StatusList, publish, read_list
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_credential.validator import open_credential
from cameo_credential.webhook import open_webhook, sign_webhook
from tests.pkcs11.conftest import MODULE, P256, SECP256K1, Token, bring_back, make_key, take_away

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_a_server_signs_with_a_token_and_outlives_its_absence(token: Token, serve: OpenServer, tmp_path: Path) -> None:
    """The server issues with the token's key; while it is away the log says so, and what was accepted waits until it is back."""
    async with serve(issuer_key_uri=token.uri()) as client:
        keys = VerificationKeys.from_jwks(json.loads((await client.credentials.GetKeys(GetKeysRequest())).jwks))
        [kid] = keys.keys
        answer = await client.verify((await client.challenge()).id, b"accept")
        assert verified_claims(answer.receipt.token.partition("~")[0], keys, TokenType.RECEIPT)[0].kid == kid
        take_away(token, tmp_path / "away")
        challenge = await client.challenge()
        with capture_logs() as lines:
            waiting = client.verify(challenge.id, b"accept")
            while not waiting.done() and "token 'cameo' is not there" not in str(lines):  # noqa: ASYNC110 - a log line is the event
                await asyncio.sleep(0)
        assert not waiting.done()
        bring_back(token, tmp_path / "away")
        answer = await waiting
        assert verified_claims(answer.receipt.token.partition("~")[0], keys, TokenType.RECEIPT)[0].kid == kid
    assert '"d"' not in (tmp_path / "data/keys/issuer.jwks").read_text()


def test_a_site_signs_everything_with_a_key_on_a_token(token: Token, tmp_path: Path) -> None:
    """Credential, receipt, grant, status list and webhook verify under the key file's public key, which holds no private half."""
    path = tmp_path / "issuer.jwks"
    keys = KeyFile(path, clock=lambda: NOW, report=pytest.fail, key_uri=token.uri()).current()
    assert '"d"' not in path.read_text()
    assert "1234" not in path.read_text()
    audience, vector = AudienceKey.generate("https://generator.example"), np.full(512, 512**-0.5, np.float32)
    issued = issue(
        issuer="https://cameo.example",
        subject="account-7",
        audience_key=audience.public(),
        keys=keys,
        pairwise=PairwiseKey(bytes(32)),
        now=NOW,
        ttl=timedelta(days=1),
        jti="jti-1",
        provenance=Provenance("c", "a", "h", {}, "default", "1" * 64, "2" * 64, ("phrase",), minor_safeguards=False),
        face=Embedding("face", "3" * 64, vector),
        voice=Embedding("voice", "4" * 64, vector),
    )
    public = KeySet.load(path).at(NOW).public()
    opened = open_credential(
        issued.credential,
        audience_key=audience,
        issuer_keys=public,
        expected_audience=audience.audience,
        expected_issuer="https://cameo.example",
        status=UNSAFE_NO_STATUS_CHECK,
        now=NOW,
    )
    assert opened.kid == keys.active.kid
    receipt = sign({"sub": "x"}, key=keys.active, typ=TokenType.RECEIPT)
    assert verified_claims(receipt, public, TokenType.RECEIPT)[1] == {"sub": "x"}
    assert verified_claims(sign_grant({"sub": "x"}, keys=keys), public, TokenType.GRANT)[1] == {"sub": "x"}
    lasts = timedelta(hours=1)
    listed = publish(StatusList.of(np.zeros(8, np.uint8)), uri="https://s.example", keys=keys, now=NOW, ttl=lasts, lifetime=lasts)
    assert read_list(listed, issuer_keys=public, expected_uri="https://s.example", now=NOW).issued_at == NOW
    body = b'{"issuer":"i","audience":"a","type":"t","timestamp":"2026-03-01T12:00:00Z","data":{}}'
    headers = sign_webhook("w-1", body, key=keys.active, now=NOW)
    assert open_webhook(headers, body, issuer_keys=public, expected_issuer="i", expected_audience="a", now=NOW).id == "w-1"


def test_a_site_moves_from_its_file_to_a_token_and_on(token: Token, tmp_path: Path) -> None:
    """Rotation takes a key on a token, then another one of the same token, while a server has the file open."""
    path = tmp_path / "issuer.jwks"
    file = KeyFile(path, clock=lambda: NOW, report=pytest.fail)
    first = file.current().active
    make_key("next", id=b"\x02")
    for uri in (token.uri(), token.uri(object="", id="%02")):
        change(path, lambda kept, uri=uri: kept.rotated(new_key(starts=NOW, now=NOW, key_uri=uri), now=NOW))  # type: ignore[misc]
        active = file.current().active
        assert active.kid != first.kid
        assert active.key_uri == uri
        first = active
        public = file.current().public()
        assert verified_claims(sign_grant({}, keys=file.current()), public, TokenType.GRANT)[0].kid == active.kid


def test_a_key_on_p256_signs_by_es256(token: Token) -> None:
    """Its tokens verify under its public key; a key of another algorithm than is asked for, or on another curve, is refused."""
    make_key("second", curve=P256)
    make_key("third", curve=SECP256K1)
    ours = KeySet(
        (new_key(starts=NOW, now=NOW), new_key(starts=NOW, now=NOW, key_uri=token.uri(object="second"), algorithm=ES256))
    )
    keys = KeySet.from_jwks(ours.to_jwks()).at(NOW)
    assert keys.es256 is not None
    assert keys.es256.key_uri == token.uri(object="second")
    for number in range(20):
        signed = sign_grant({"sub": str(number)}, keys=keys, algorithm=ES256)
        key, claims = verified_claims(signed, keys.public(), TokenType.GRANT)
        assert (key.kid, key.algorithm, claims) == (keys.es256.kid, ES256, {"sub": str(number)})
    for label, algorithm, says in (
        ("second", "Ed25519", "signs by ES256: add --alg ES256"),
        ("issuer", ES256, "signs by Ed25519: add --alg Ed25519"),
        ("third", ES256, "has no public key: ValueError"),
    ):
        with pytest.raises(KeyFileError, match=says):
            new_key(starts=NOW, now=NOW, key_uri=token.uri(object=label), algorithm=algorithm)


def test_many_threads_sign_at_once(token: Token) -> None:
    """Two keys of a token, four threads: each signature is of its own message."""
    make_key("next")
    backends = [open_backend(token.uri()), open_backend(token.uri(object="next"))]
    publics = [backend.public_key() for backend in backends]
    assert publics[0] != publics[1]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: (number, backends[number % 2].sign(b"%d" % number)), range(60)))
    for number, signature in made:
        Ed25519PublicKey.from_public_bytes(publics[number % 2]).verify(signature, b"%d" % number)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"module_path": "/nowhere/module.so"}, "no PKCS#11 module /nowhere/module.so"),
        ({"module_path": "/etc/hostname"}, "cannot be used: .*hostname"),
        ({"token": "another"}, "token 'another' is not there"),
        ({"object": "another"}, "token 'cameo' has no key pair of this name"),
        ({"pin_source": "/nowhere/pin"}, "no PIN file /nowhere/pin"),
        ({"pin_value": "1234"}, "a PIN does not belong into a URI"),
        ({"pin_source": ""}, "pin-source="),
        ({"slot_id": "1"}, "'slot-id' is unknown"),
    ],
)
def test_what_is_missing_is_told_in_one_line(token: Token, changes: dict[str, str], says: str) -> None:
    """Module, token, key, PIN file and each wrong part of the URI have a message of their own."""
    with pytest.raises(KeyFileError, match=says) as refused:
        open_backend(token.uri(**changes))
    assert "\n" not in str(refused.value)


def test_a_wrong_pin_is_told_and_not_shown(token: Token) -> None:
    """The message names the file; a PIN that others could read is refused before it is tried."""
    token.pin.write_text("9999")
    with pytest.raises(KeyFileError, match=r"the PIN in .*token.pin is not that of token 'cameo'") as refused:
        open_backend(token.uri())
    assert "9999" not in str(refused.value)
    token.pin.write_text("1234")
    assert len(open_backend(token.uri()).sign(b"x")) == 64
    token.pin.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_backend(token.uri())


def test_a_token_that_is_removed_and_comes_back_signs_again(token: Token, tmp_path: Path) -> None:
    """While it is away each signature says so; then the same server signs with the same keys; nothing was written meanwhile."""
    path = tmp_path / "issuer.jwks"
    make_key("next")
    file = KeyFile(path, clock=lambda: NOW, report=pytest.fail, key_uri=token.uri())
    other = open_backend(token.uri(object="next"))
    before, keys = path.read_bytes(), file.current()
    away = tmp_path / "away"
    take_away(token, away)
    for _ in range(2):
        with pytest.raises(KeyFileError, match="token 'cameo' is not there"):
            sign_grant({}, keys=keys)
    assert path.read_bytes() == before
    bring_back(token, away)
    for _ in range(2):
        assert verified_claims(sign_grant({}, keys=keys), keys.public(), TokenType.GRANT)[1] == {}
        assert len(other.sign(b"x")) == 64


def test_another_key_under_the_same_name_signs_nothing(token: Token) -> None:
    """A token that was replaced by another of the same name is told apart by its public key."""
    backend = open_backend(token.uri())
    module = pkcs11.lib(str(MODULE))
    with module.get_token(token_label="cameo").open(rw=True) as session:  # noqa: S106 - a name; logged in already
        for found in list(session.get_objects({pkcs11.Attribute.LABEL: "issuer"})):
            found.destroy()
    make_key("issuer", pin=None)
    with pytest.raises(KeyFileError, match="another key under this name"):
        backend.sign(b"x")
