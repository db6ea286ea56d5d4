"""The whole path without substitutes: committed recordings, the real models, a real server and client."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import av
import cv2
import grpc
import numpy as np
import pytest
import pytest_asyncio

from cameo.v1 import attempt_pb2, cameo_pb2, reason_pb2
from cameo.v1.attempt_pb2 import ATTEMPT_VIEW_FULL
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo.v1.verification_service_pb2 import Enrolment, GetAttemptRequest, VerifyResponseResponse
from cameo_challenges.model import Challenge
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.likeness import from_bytes, media_from_bytes
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.validator import open_credential
from cameo_verifier.evidence.portraits import TEMPLATE
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.server.app import open_server, utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.cameos import likenesses
from cameo_verifier.store.db.engine import open_database
from fixtures.manifest import load
from tests.grpc.client import AUDIENCE, Client, refused, status_source
from tests.grpc.server import UNHURRIED
from tests.issued_claims import hold_against_schema
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIXTURES = {fixture.id: fixture for fixture in load()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(kit: ModelKit, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """Serve with the real pipeline in one worker."""
    assert kit.digests
    data = tmp_path_factory.mktemp("data")
    settings = Settings(listen="127.0.0.1:0", data=data, workers=1, expose_scores=True, judging_s=600, **UNHURRIED)
    key = AudienceKey.generate(AUDIENCE)
    AudienceFolder(settings.audiences).add(key)
    server = await open_server(settings)
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield Client(server, channel, data / "journal", key)
    finally:
        await server.stop()


def issued(client: Client, name: str, ago_s: float = 20.0) -> str:
    """Keep the challenge a fixture answers as if it had been issued `ago_s` seconds ago, and return its id."""
    then = utc_now() - timedelta(seconds=ago_s)
    challenge = Challenge(FIXTURES[name].challenge.steps, uuid4().hex, then, then + timedelta(seconds=180))
    engine = open_database(Settings(data=client.journal.parent).database)
    ChallengeStore(engine).add(challenge, subject="account-1")
    engine.dispose()
    return challenge.id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def accepted(client: Client) -> VerifyResponseResponse:
    """The answer to the bona fide recording, which is sent first of all."""
    consent = cameo_pb2.Consent(text_version="1", locale="en", agree_time=utc_now(), text_sha256="5e" * 32)
    enrolment = Enrolment(consent=consent, terms=cameo_pb2.Cameo(offline_audiences=[AUDIENCE]))
    recording = FIXTURES["astronaut_bona_fide"].file.read_bytes()
    return await client.verify(issued(client, "astronaut_bona_fide"), recording, enrolment=enrolment)


async def test_a_person_who_answers_and_consents_gets_a_credential_with_both_embeddings(
    client: Client, accepted: VerifyResponseResponse
) -> None:
    """The bona fide recording is accepted, and its audience finds a face and a voice of unit length in the credential."""
    answer = accepted
    full = await client.verification.GetAttempt(GetAttemptRequest(attempt_id=answer.attempt.id, view=ATTEMPT_VIEW_FULL))
    assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED, full
    published = await client.credentials.GetKeys(GetKeysRequest())
    hold_against_schema(answer.credential.token, client.audience_key)
    opened = await asyncio.to_thread(
        open_credential,
        answer.credential.token,
        audience_key=client.audience_key,
        issuer_keys=VerificationKeys.from_jwks(json.loads(published.jwks)),
        expected_audience=AUDIENCE,
        expected_issuer=published.issuer,
        status=status_source(client),
        now=utc_now(),
    )
    for embedding in (opened.face, opened.voice):
        assert embedding.vector.shape == (512,)
        assert np.linalg.norm(embedding.vector) == pytest.approx(1, abs=1e-3)
    assert {"phrase", "movement", "same_person"} <= set(opened.provenance.confirmed)
    assert opened.provenance.evidence_sha256 == PairwiseKey.open(Settings(data=client.journal.parent).pairwise_key).digest(
        FIXTURES["astronaut_bona_fide"].sha256, AUDIENCE
    )
    assert full.timings_ms["total"] > 0
    assert {check.name for check in full.checks if check.outcome == attempt_pb2.OUTCOME_PASS} == set(opened.provenance.confirmed)


async def test_the_likeness_is_kept_with_pictures_of_that_face_and_sound(
    client: Client, accepted: VerifyResponseResponse, kit: ModelKit
) -> None:
    """Crops that come to the same vector by the template that they name, and a clip of as many samples as it says."""
    settings = Settings(data=client.journal.parent)
    engine = open_database(settings.database)
    with engine.connect() as connection:
        sealed = likenesses.of(connection, likenesses.cameo_of(connection, accepted.attempt.id))
    engine.dispose()
    opened = open_vault(settings.vault_key).open(sealed)
    face, _ = from_bytes(opened)
    *crops, clip = media_from_bytes(opened) or ()
    assert 3 <= len(crops) <= 5
    mesh = np.zeros((478, 3), np.float32)
    mesh[[33, 362, 1, 61, 291], :2] = mesh[[133, 263, 1, 61, 291], :2] = TEMPLATE
    for crop in crops:
        rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(crop.data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert rgb.shape == (512, 512, 3)
        aligned = kit.face_embedder.align(rgb, mesh)
        assert float(kit.face_embedder.embed(aligned) @ face.vector) > 0.85
        assert (crop.kind, crop.media_type) == ("face_crop", "image/jpeg")
    assert (clip.kind, clip.media_type, clip.facts["sample_rate_hz"]) == ("voice_clip", "audio/flac", 24_000)
    with av.open(io.BytesIO(clip.data)) as flac:
        samples = sum(frame.samples for frame in flac.decode(audio=0))
    assert samples / 24_000 == pytest.approx(clip.facts["duration_s"], abs=1e-3)
    assert len(clip.facts["words"]) >= 6
    assert clip.facts["shorter"] == (clip.facts["duration_s"] < 6)


async def test_what_cannot_be_read_is_an_error_with_its_reason_and_wrong_words_are_rejected(client: Client) -> None:
    """Text, a file without headers and a clip that was cut off are INVALID_ARGUMENT, and the challenge is good.

    A good recording of other words, sent then, is a reply with its reason, without a credential.
    """
    challenge_id = issued(client, "wrong_words")
    for recording, reason in (
        (b"Dear service, this is a letter.\n" * 100, "UNSUPPORTED_MEDIA"),
        (b"\x1a\x45\xdf\xa3" + bytes(400), "CORRUPT_MEDIA"),
        (FIXTURES["astronaut_bona_fide"].file.read_bytes()[:40_000], "CORRUPT_MEDIA"),
    ):
        unread = await refused(client.verify(challenge_id, recording))
        assert (unread.code, unread.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
        assert unread.metadata["hint"]
        assert unread.metadata["challenge"] == "good"
    answer = await client.verify(challenge_id, FIXTURES["wrong_words"].file.read_bytes())
    assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED
    assert reason_pb2.REASON_PHRASE_MISMATCH in answer.attempt.reasons
    assert not answer.HasField("receipt")
    assert not answer.HasField("credential")


async def test_a_caller_that_goes_away_frees_the_pipeline_and_what_was_sent_before_is_rejected(
    client: Client, accepted: VerifyResponseResponse
) -> None:
    """The real pipeline stops between two frames; the same process judges the next recording.

    That is the right answer to a challenge, sent a second time under another one with the same steps: it was seen before.
    """
    assert accepted.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
    recording = FIXTURES["astronaut_bona_fide"].file.read_bytes()
    workers = client.server.pool.processes
    call = client.verify(issued(client, "astronaut_bona_fide"), recording)
    with closing(sqlite3.connect(client.journal.with_name("cameo.sqlite3"))) as database:
        async with asyncio.timeout(PATIENCE_S):
            while not database.execute("SELECT 1 FROM attempts WHERE state = 'open'").fetchall():  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(0.02)
    call.cancel()
    answer = await client.verify(issued(client, "astronaut_bona_fide"), recording)
    assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED
    assert list(answer.attempt.reasons) == [reason_pb2.REASON_SEEN_BEFORE]
    assert client.server.pool.processes == workers


async def test_an_answer_that_took_no_time_was_recorded_in_advance(client: Client) -> None:
    """The right answer, uploaded sooner after its challenge than it is long, is rejected."""
    recording = FIXTURES["astronaut_bona_fide"].file.read_bytes()
    answer = await client.verify(issued(client, "astronaut_bona_fide", ago_s=0.0), recording)
    assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED
    assert reason_pb2.REASON_SPOKE_TOO_EARLY in answer.attempt.reasons


@pytest.mark.parametrize("mirrored", [False, True], ids=["cropped", "mirrored"])
async def test_an_accepted_recording_in_another_form_is_rejected(
    client: Client, accepted: VerifyResponseResponse, *, mirrored: bool
) -> None:
    """Encoded again, cropped, and mirrored too: under a fresh challenge with the same steps it was seen before."""
    assert accepted.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
    recording = FIXTURES["astronaut_bona_fide"].file.read_bytes()
    answer = await client.verify(issued(client, "astronaut_bona_fide"), encoded_again(recording, mirrored=mirrored))
    assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED
    assert reason_pb2.REASON_SEEN_BEFORE in answer.attempt.reasons


def encoded_again(recording: bytes, *, mirrored: bool) -> bytes:
    """Return the recording with an edge of its pictures cut off, as H.264 and AAC of a lower quality."""
    written = io.BytesIO()
    with av.open(io.BytesIO(recording)) as source, av.open(written, "w", format="mp4") as target:
        pictures = [frame.to_ndarray(format="rgb24")[16:, 24:-8] for frame in source.decode(video=0)]
        rate = source.streams.video[0].average_rate
        source.seek(0)
        sound_rate = source.streams.audio[0].rate
        resampler = av.AudioResampler("fltp", "mono", sound_rate)
        sound = [block for frame in source.decode(audio=0) for block in resampler.resample(frame)]
        video = target.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "30"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = target.add_stream("aac", rate=sound_rate, layout="mono", options={"b": "48k"})
        for picture in pictures:
            seen = np.ascontiguousarray(picture[:, ::-1] if mirrored else picture)
            target.mux(video.encode(av.VideoFrame.from_ndarray(seen, format="rgb24")))
        target.mux(video.encode(None))
        for block in sound:
            target.mux(audio.encode(block))
        target.mux(audio.encode(None))
    return written.getvalue()
