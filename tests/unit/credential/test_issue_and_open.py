from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from joserfc import jwe

from cameo_credential import likeness
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.capture_assurance import CaptureAssurance
from cameo_credential.claims import MAX_DIMENSION, NAMESPACE, Embedding, StatusReference
from cameo_credential.encoding import from_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.refusal import Refusal

if TYPE_CHECKING:
    from conftest import World

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def _signed_inside(world: World, token: str) -> str:
    plain = jwe.decrypt_compact(token, world.audience_key.key, algorithms=["ECDH-ES+A256KW", "A256GCM"]).plaintext
    assert plain is not None
    return plain.decode()


def _claims(signed: str) -> dict[str, object]:
    return json.loads(from_base64url(signed.split(".")[1]))


def test_the_audience_reads_what_the_issuer_said(world: World) -> None:
    """Every fact that went in comes out, and the embeddings come back as unit vectors within float16 rounding."""
    vector = np.random.default_rng(3).normal(size=512)
    face = Embedding("face-model", "0" * 64, (vector / np.linalg.norm(vector)).astype(np.float32))

    issued = world.issue(face=face, status=StatusReference(17, "https://issuer.example/status/1"))
    opened = world.open(issued.credential)

    assert (opened.issuer, opened.audience, opened.jti) == ("https://issuer.example", "https://generator.example", "jti-1")
    assert opened.subject == issued.subject == world.pairwise.pseudonym("account-7", "https://generator.example")
    assert opened.issued_at == datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    assert opened.expires_at == issued.expires_at == datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
    assert opened.kid == world.keys.active.kid
    audience, told = opened.audience, world.provenance
    ids = {name: world.pairwise.alias(getattr(told, name), audience) for name in ("cameo_id", "attempt_id", "challenge_id")}
    digest = world.pairwise.digest(told.evidence_sha256, audience)
    assert opened.provenance == replace(told, **ids, evidence_sha256=digest)
    assert opened.status == StatusReference(17, "https://issuer.example/status/1")
    assert opened.face.vector.dtype == np.float32
    assert float(np.linalg.norm(opened.face.vector)) == pytest.approx(1.0, abs=1e-6)
    # Each value of a unit vector of 512 stays within half a unit in the last place of binary16: 2**-11 of itself.
    np.testing.assert_allclose(opened.face.vector, face.vector, rtol=2**-10, atol=1e-7)
    assert (opened.voice.model, opened.voice.model_sha256) == ("voice-model", f"{2:064x}")


def test_the_claims_are_laid_out_as_documented(world: World) -> None:
    """Registered names come first, everything else lies under our one name, and no account name is anywhere."""
    signed = _signed_inside(world, world.issue().credential)
    claims = _claims(signed)

    assert list(claims) == ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", NAMESPACE]
    assert claims["aud"] == "https://generator.example"
    identity = claims[NAMESPACE]
    assert isinstance(identity, dict)
    assert identity["liveness"] == {"path": "speech_and_turns", "capture": "none", "confirmed": ["phrase", "movements"]}
    assert identity["minor_safeguards"] is True
    face = {name: value for name, value in identity["face"].items() if name != "data"}
    assert face == {
        "model": "face-model",
        "model_sha256": f"{1:064x}",
        "dim": 512,
        "dtype": "float16-le",
        "normalisation": "l2",
    }
    assert len(from_base64url(identity["face"]["data"])) == 1024
    assert "account-7" not in json.dumps(claims)
    header = json.loads(from_base64url(signed.split(".")[0]))
    assert header == {"alg": "Ed25519", "typ": "cameo-credential+jwt", "kid": world.keys.active.kid}


def test_a_receipt_is_no_credential_and_a_credential_is_no_receipt(world: World) -> None:
    """Neither kind passes for the other, bare or put into an envelope: `wrong_type`."""
    receipt, issued = world.receipt(), world.issue()
    enveloped = jwe.encrypt_compact(
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "JWT", "kid": world.audience_key.kid},
        receipt.partition("~")[0],
        world.audience_key.public().key,
        algorithms=["ECDH-ES+A256KW", "A256GCM"],
    )
    for token in (receipt, enveloped):
        with pytest.raises(CredentialError) as refused:
            world.open(token)
        assert refused.value.reason == "wrong_type"
    disclosures = receipt.partition("~")[2]
    for token in (_signed_inside(world, issued.credential), f"{_signed_inside(world, issued.credential)}~{disclosures}"):
        with pytest.raises(CredentialError) as refused:
            world.open_receipt(token)
        assert refused.value.reason == "wrong_type"


def test_a_credential_never_outlives_its_key(world: World) -> None:
    """Validity is cut short where the signing key ends, and nothing is issued after that."""
    keys = IssuerKeys(SigningKey.generate(now=NOW, lifetime=timedelta(days=1)))

    issued = world.issue(keys=keys)

    assert issued.expires_at == keys.active.expires_at == datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
    with pytest.raises(RuntimeError, match="signing key has ended"):
        world.issue(keys=keys, now=NOW + timedelta(days=1))


def test_old_keys_keep_verifying(world: World) -> None:
    """After a new key took over, what the old one signed still opens."""
    issued = world.issue()
    rotated = IssuerKeys(SigningKey.generate(now=NOW), (world.keys.active.public(),))

    opened = world.open(issued.credential, issuer_keys=rotated.public())

    assert opened.kid == world.keys.active.kid != rotated.active.kid


def test_two_audiences_cannot_tell_it_is_one_person(world: World) -> None:
    """`sub` differs per audience, is the same each time for one audience, and depends on the secret."""
    first = world.issue().subject
    other = world.issue(audience_key=AudienceKey.generate("https://other.example")).subject

    assert first == world.issue(jti="jti-2").subject
    assert first != other
    assert world.pairwise.pseudonym("ab", "c") != world.pairwise.pseudonym("a", "bc")


def test_who_was_not_asked_to_speak_has_no_voice(world: World) -> None:
    """The path is said, the voice is absent, and so it is in the kept likeness."""
    provenance = replace(world.provenance, path="turns_and_gestures")
    issued = world.issue(provenance=provenance, voice=None).credential
    opened = world.open(issued)
    assert (opened.voice, opened.provenance.path) == (None, "turns_and_gestures")
    assert "voice" not in _claims(_signed_inside(world, issued))[NAMESPACE]
    face, voice = likeness.from_bytes(likeness.to_bytes(opened.face, None))
    assert (face.model, voice) == (opened.face.model, None)


def test_a_credential_from_before_there_were_paths_is_of_the_first(world: World) -> None:
    """It says no path, and is opened as one for words and turns."""
    claims = _claims(_signed_inside(world, world.issue().credential))
    del claims[NAMESPACE]["liveness"]["path"]
    assert world.open(world.sign_credential(claims)).provenance.path == "speech_and_turns"
    claims[NAMESPACE]["liveness"]["path"] = 1
    with pytest.raises(CredentialError) as refusal:
        world.open(world.sign_credential(claims))
    assert refusal.value.reason is Refusal.MALFORMED


def test_what_vouches_for_the_capture_is_said(world: World) -> None:
    """A token from before says nothing of it, and one with an unknown word is not read."""
    provenance = replace(world.provenance, capture=CaptureAssurance.SESSION_SIGNED)
    issued = world.issue(provenance=provenance).credential
    assert world.open(issued).provenance.capture is CaptureAssurance.SESSION_SIGNED
    claims = _claims(_signed_inside(world, issued))
    assert claims[NAMESPACE]["liveness"]["capture"] == "session_signed"
    del claims[NAMESPACE]["liveness"]["capture"]
    assert world.open(world.sign_credential(claims)).provenance.capture is CaptureAssurance.NONE
    claims[NAMESPACE]["liveness"]["capture"] = "sworn"
    with pytest.raises(CredentialError) as refusal:
        world.open(world.sign_credential(claims))
    assert refusal.value.reason is Refusal.MALFORMED


@pytest.mark.parametrize(("face", "voice"), [(512, 192), (512, 256), (128, 512), (1, MAX_DIMENSION)])
def test_how_many_values_a_vector_has_is_the_models_to_say(world: World, face: int, voice: int) -> None:
    """Networks of other sizes, ECAPA-TDNN's 192 among them, are issued, kept and opened like the kit's."""
    given = [Embedding("model", "0" * 64, np.full(size, size**-0.5, np.float32)) for size in (face, voice)]
    opened = world.open(world.issue(face=given[0], voice=given[1]).credential)
    kept = likeness.from_bytes(likeness.to_bytes(*given))
    for found in ((opened.face, opened.voice), kept):
        for one, other in zip(found, given, strict=True):
            np.testing.assert_allclose(one.vector, other.vector, atol=1e-6)


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(512, np.float32),
        np.full(512, np.nan, np.float32),
        np.full(512, 1.0, np.float32),
        np.full((2, 256), 512**-0.5, np.float32),
        np.full(MAX_DIMENSION + 1, (MAX_DIMENSION + 1) ** -0.5, np.float32),
        np.zeros(0, np.float32),
    ],
    ids=["zero", "nan", "long", "two rows", "too many values", "empty"],
)
def test_only_unit_vectors_are_signed(world: World, vector: np.ndarray) -> None:
    """An embedding that is not (D,) of unit length is a bug of ours, found before anything is signed."""
    with pytest.raises(RuntimeError, match=r"unit length|shape"):
        world.issue(face=Embedding("face-model", "0" * 64, vector))


def test_embeddings_are_in_no_text_form(world: World) -> None:
    """Neither the repr of an opened credential nor that of a key shows a secret or a biometric value."""
    opened = world.open(world.issue().credential)

    assert "array" not in repr(opened)
    assert "secret" not in repr(world.pairwise)
    assert "OKPKey" not in repr(world.keys)
