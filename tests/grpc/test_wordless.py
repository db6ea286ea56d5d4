"""A person who cannot speak: what they earn says how they answered, and has no voice."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from cameo.v1 import attempt_pb2, cameo_pb2, challenge_pb2
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo.v1.verification_service_pb2 import Enrolment, GetAttemptRequest
from cameo_challenges.model import Challenge, Gesture, MakeGesture, Turn, TurnHead
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.likeness import from_bytes
from cameo_credential.receipt import open_receipt
from cameo_credential.validator import open_credential
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.cameos import likenesses
from cameo_verifier.store.db.engine import open_database
from tests.grpc.client import AUDIENCE, status_source
from tests.issued_claims import hold_against_schema

if TYPE_CHECKING:
    from cameo_verifier.store.cameos.vault import Vault
    from tests.grpc.server import OpenServer

STEPS = (TurnHead(Turn.LEFT), MakeGesture(Gesture.SMILE), MakeGesture(Gesture.BLINK_4), TurnHead(Turn.UP))


async def test_who_cannot_speak_earns_a_credential_without_a_voice(serve: OpenServer) -> None:
    """Attempt, receipt and credential name the path; whoever is heard in the recording is not taken for the person."""
    async with serve() as client:
        settings = Settings(data=client.journal.with_name("data"))
        now = utc_now()
        engine = open_database(settings.database)
        challenge = Challenge(STEPS, "wordless", now - timedelta(seconds=20), now + timedelta(seconds=160))
        ChallengeStore(engine).add(challenge, subject="account-1")
        consent = cameo_pb2.Consent(text_version="1", locale="en", agree_time=now, text_sha256="5e" * 32)
        enrolment = Enrolment(consent=consent, terms=cameo_pb2.Cameo(offline_audiences=[AUDIENCE]))
        answer = await client.verify(challenge.id, b"accept", enrolment=enrolment)
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert answer.attempt.path == challenge_pb2.ANSWER_PATH_TURNS_AND_GESTURES
        kept = await client.verification.GetAttempt(GetAttemptRequest(attempt_id=answer.attempt.id))
        assert kept.path == answer.attempt.path
        hold_against_schema(answer.credential.token, client.audience_key)
        published = await client.credentials.GetKeys(GetKeysRequest())
        known = {
            "issuer_keys": VerificationKeys.from_jwks(json.loads(published.jwks)),
            "expected_audience": AUDIENCE,
            "expected_issuer": published.issuer,
            "status": status_source(client),
            "now": utc_now(),
        }
        token, key = answer.credential.token, client.audience_key
        opened = await asyncio.to_thread(open_credential, token, audience_key=key, **known)  # type: ignore[arg-type]
        receipt = await asyncio.to_thread(open_receipt, answer.receipt.token, **known)  # type: ignore[arg-type]
        assert (opened.voice, opened.provenance.path) == (None, "turns_and_gestures")
        assert receipt.verification is not None
        assert receipt.verification.path == "turns_and_gestures"
        with engine.connect() as connection:
            sealed = likenesses.of(connection, likenesses.cameo_of(connection, answer.attempt.id))
        engine.dispose()
        vault: Vault = open_vault(settings.vault_key)
        face, voice = from_bytes(vault.open(sealed))
        assert voice is None
        assert (face.model, face.vector.shape) == (opened.face.model, opened.face.vector.shape)
