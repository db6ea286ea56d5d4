"""Likenesses delivered for one job: what the generator reads, and every way in which one is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cameo_credential import envelope
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.delivery import LIFETIME, NAMESPACE, Delivery, deliver, open_likeness
from cameo_credential.encoding import from_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.item_kind import ItemKind
from cameo_credential.items import ItemModel, VectorItem
from cameo_credential.signer import TokenType, sign

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ISSUER, GENERATOR = "https://cameo.example", "https://generator.example"
KEYS, AUDIENCE = IssuerKeys(SigningKey.generate(now=NOW)), AudienceKey.generate(GENERATOR)
MODEL = ItemModel("face-embedding", "npm:face@1.0/face.onnx", "ab" * 32, "NCHW; RGB; (x - 127.5) / 127.5", "MIT")


def item(size: int = 512, kind: ItemKind = ItemKind.FACE_VECTOR) -> VectorItem:
    """Return a vector of a size."""
    vector = np.random.default_rng(size).normal(size=size)
    return VectorItem(kind, MODEL, (vector / np.linalg.norm(vector)).astype(np.float32))


def made(*items: VectorItem, **changes: Any) -> str:
    """Deliver for grant g and job j."""
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "requester": "fan",
        "grant_id": "g",
        "job_id": "j",
        "cameo_id": "c",
        "minor_safeguards": False,
        "audience_key": AUDIENCE.public(),
        "keys": KEYS,
        "now": NOW,
    }
    return deliver(items=items or (item(), item(192, ItemKind.VOICE_VECTOR)), **facts | changes).token


def opened(token: str, **changes: Any) -> Delivery:
    """Open it as the generator whose job it is."""
    expected: dict[str, Any] = {
        "audience_key": AUDIENCE,
        "issuer_keys": KEYS.public(),
        "expected_audience": GENERATOR,
        "expected_issuer": ISSUER,
        "expected_grant": "g",
        "now": NOW,
    }
    return open_likeness(token, **expected | changes)


def claims(token: str) -> dict[str, Any]:
    """Return what is inside."""
    signed = envelope.decrypt(token, audience_key=AUDIENCE)
    found: dict[str, Any] = json.loads(from_base64url(signed.split(".")[1]))
    return found


def sealed(said: dict[str, Any], *, typ: TokenType = TokenType.LIKENESS) -> str:
    """Sign and encrypt any claims."""
    return envelope.encrypt(sign(said, key=KEYS.active, typ=typ), audience_key=AUDIENCE.public())


def refused(token: str, **changes: Any) -> str:
    """Return why it is refused."""
    with pytest.raises(CredentialError) as error:
        opened(token, **changes)
    return error.value.reason


def test_the_generator_reads_the_items_of_its_job() -> None:
    """Vectors of any size within rounding, each with the public model and space it belongs to."""
    face, voice = item(), item(192, ItemKind.VOICE_VECTOR)
    delivery = opened(made(face, voice))
    assert (delivery.grant_id, delivery.job_id, delivery.cameo_id) == ("g", "j", "c")
    assert delivery.expires_at == NOW + LIFETIME
    for read, given in zip(delivery.items, (face, voice), strict=True):
        assert (read.kind, read.model, read.model.space) == (given.kind, MODEL, f"sha256:{MODEL.sha256}")
        assert float(read.vector @ given.vector) > 1 - 1e-5
    assert "array" not in repr(delivery)


def test_an_item_says_what_a_reader_needs() -> None:
    """The claim has the members that are documented, and no account."""
    said = claims(made())
    assert said["sub"] == "fan"
    first = said[NAMESPACE]["items"][0]
    assert {name: value for name, value in first.items() if name != "data"} == {
        "kind": "face_vector",
        "space": f"sha256:{MODEL.sha256}",
        "dimension": 512,
        "dtype": "float16-le",
        "normalisation": "l2",
        "zeros": 2,
        "preprocessing": MODEL.preprocessing,
        "model": {"name": MODEL.name, "source": MODEL.source, "sha256": MODEL.sha256},
        "licence": "MIT",
    }


def test_a_delivery_is_for_one_generator_one_job_and_ten_minutes() -> None:
    """Each other expectation has its own refusal."""
    token, other = made(), AudienceKey.generate("https://other.example")
    assert refused(token, audience_key=other) == "not_for_this_key"
    assert refused(token, expected_audience="https://other.example") == "wrong_audience"
    assert refused(token, expected_issuer="https://other.example") == "wrong_issuer"
    assert refused(token, expected_grant="h") == "wrong_grant"
    assert refused(token, now=NOW + LIFETIME) == "expired"
    assert refused(token, now=NOW - timedelta(seconds=31)) == "not_yet_valid"
    assert opened(token, now=NOW - timedelta(seconds=30)).job_id == "j"
    assert refused(token, issuer_keys=IssuerKeys(SigningKey.generate(now=NOW)).public()) == "unknown_key"
    passed_on = envelope.encrypt(envelope.decrypt(token, audience_key=AUDIENCE), audience_key=other.public())
    assert refused(passed_on, audience_key=other, expected_audience=other.audience) == "wrong_audience"


def test_another_kind_of_token_is_no_delivery() -> None:
    """The same claims under another type are refused."""
    for typ in set(TokenType) - {TokenType.LIKENESS}:
        assert refused(sealed(claims(made()), typ=typ)) == "wrong_type"


@pytest.mark.parametrize(
    "change",
    [
        *({"dimension": bad} for bad in (0, 511, True, None, 10**9, "512")),
        *({"data": bad} for bad in ("", "!", "AAAA", 3)),
        *({name: 3} for name in ("space", "dtype", "normalisation", "preprocessing", "model", "licence")),
        {"model": {}},
        {"space": "sha256:" + "00" * 32},
    ],
)
def test_signed_nonsense_is_malformed(change: dict[str, Any]) -> None:
    """Even our own signature makes no item of what is none."""
    said = claims(made())
    said[NAMESPACE]["items"][0].update(change)
    assert refused(sealed(said)) == "malformed"


def test_missing_parts_are_malformed() -> None:
    """Of the token and of our claim."""
    for name in ("iss", "sub", "aud", "iat", "nbf", "exp", "jti", NAMESPACE):
        assert refused(sealed({key: value for key, value in claims(made()).items() if key != name})) == "malformed"
    for name in ("job", "cameo", "minor_safeguards", "items"):
        said = claims(made())
        del said[NAMESPACE][name]
        assert refused(sealed(said)) == "malformed"


def test_a_kind_that_is_not_known_yet_is_left_out() -> None:
    """A reader of today goes on reading when the issuer adds kinds."""
    said = claims(made())
    said[NAMESPACE]["items"].append({"kind": "gait", "anything": 1})
    assert len(opened(sealed(said)).items) == 2


@pytest.mark.parametrize("vector", [np.zeros(8), np.full(8, np.nan), np.ones((2, 4)), np.zeros(0)])
def test_what_is_no_unit_vector_is_not_delivered(vector: np.ndarray) -> None:
    """A bug of ours is found before anything leaves."""
    with pytest.raises(RuntimeError, match="unit length"):
        made(VectorItem(ItemKind.FACE_VECTOR, MODEL, vector.astype(np.float32)))
