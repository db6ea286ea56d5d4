"""Enrolment: a receipt for the answer, and with the owner's consent cameo and credential in the same reply."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from cameo.v1 import cameo_pb2
from cameo.v1.cameo_service_pb2 import GetCameoRequest
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.verification_service_pb2 import Enrolment
from cameo_credential.errors import CredentialError
from cameo_verifier.settings import Settings
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.aliases import alias, pairwise
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.holders import OTHER
from tests.grpc.world import NOTE, OWNER, reason

if TYPE_CHECKING:
    from pathlib import Path


INTERVAL = timedelta(seconds=300)


async def test_nothing_of_the_likeness_leaves_before_the_owner_consents(open_site: Any, tmp_path: Path) -> None:
    """An acceptance brings a receipt alone; there is no cameo to issue of, and nothing for an audience that may not hold it."""
    async with open_site() as site:
        challenge = await site.client.challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=site.app)
        answer = await site.verify(challenge.id)
        assert answer.receipt.token
        assert not answer.HasField("cameo")
        assert not answer.HasField("credential")
        engine = open_database(Settings(data=tmp_path / "data").database)
        with engine.connect() as connection:
            [sealed] = connection.scalars(select(tables.likenesses.c.cameo_id))
            assert not connection.execute(select(tables.credentials)).all()
        engine.dispose()
        assert await reason(site.issue(cameo_pb2.Cameo(id=sealed), by=site.app)) == "CAMEO_UNKNOWN"
        cameo = await site.create(answer.attempt.id)
        assert cameo.id == sealed
        assert list(cameo.offline_audiences) == []
        unchosen = await refused(site.issue(cameo))
        assert (unchosen.reason, unchosen.metadata["term"]) == ("USE_NOT_PERMITTED", "offline_audiences")
        cameo = await site.update(cameo, offline_audiences=[OTHER])
        assert await reason(site.issue(cameo)) == "USE_NOT_PERMITTED"
        opened = await site.open(await site.issue(cameo, OTHER), OTHER)
        assert opened.provenance.cameo_id == alias(tmp_path, cameo.id, OTHER)


async def test_consent_and_terms_in_the_upload_bring_cameo_and_credential_at_once(open_site: Any, tmp_path: Path) -> None:
    """In one reply, with the terms in force; the same request again gets the same, as long as the cameo is active."""
    async with open_site() as site:
        challenge = await site.client.challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=site.app)
        asked, request_id = site.enrolment(who_may_use="WHO_MAY_USE_EVERYONE", appearance_notes=NOTE), str(uuid4())
        answer = await site.verify(challenge.id, request_id=request_id, enrolment=asked)
        assert (answer.cameo.who_may_use, answer.cameo.version) == (cameo_pb2.WHO_MAY_USE_EVERYONE, 1)
        assert (answer.cameo.consent.text_version, answer.cameo.minor_safeguards) == ("3", False)
        assert answer.cameo == await site.stub.GetCameo(GetCameoRequest(cameo_id=answer.cameo.id), metadata=site.owner)
        opened = await site.open(answer.credential)
        assert opened.terms.appearance_notes == (NOTE,)
        known = tuple(alias(tmp_path, each.id, AUDIENCE) for each in (answer.cameo, answer.attempt))
        assert (opened.provenance.cameo_id, opened.provenance.attempt_id) == known
        assert opened.terms.consent_sha256 == pairwise(tmp_path).digest(answer.cameo.consent.digest, AUDIENCE)
        [created] = await site.events(count=1)
        assert (created.kind, created.cameo_id) == (cameo_pb2.CAMEO_EVENT_KIND_CREATED, answer.cameo.id)
        assert await site.verify(challenge.id, request_id=request_id, enrolment=asked) == answer
        assert await reason(site.create(answer.attempt.id)) == "ATTEMPT_USED"
        await site.end(answer.cameo, "REVOCATION_MODE_PAUSE")
        paused = await site.verify(challenge.id, request_id=request_id, enrolment=asked)
        assert (paused.receipt, paused.cameo.state) == (answer.receipt, cameo_pb2.CAMEO_STATE_PAUSED)
        assert not paused.HasField("credential")
        await site.delete(answer.cameo)
        assert await reason(site.verify(challenge.id, request_id=request_id, enrolment=asked)) == "CHALLENGE_SPENT"


@pytest.mark.parametrize(
    "terms",
    [
        {"offline_audiences": []},
        {"offline_audiences": [OTHER]},
        {"generators": cameo_pb2.Generators(names=[OTHER])},
        {"generators": cameo_pb2.Generators()},
    ],
)
async def test_the_reply_brings_no_credential_that_the_terms_do_not_let(open_site: Any, terms: dict[str, Any]) -> None:
    """The cameo is made all the same, under these terms, and no request gets one either."""
    async with open_site() as site:
        answer = await site.enrolled(**terms)
        assert answer.cameo.id
        assert not answer.HasField("credential")
        assert await reason(site.issue(answer.cameo)) == "USE_NOT_PERMITTED"


async def test_a_possible_minor_is_not_enrolled_at_once(open_site: Any) -> None:
    """Nor is an answer that is refused; the minor's app makes the cameo by itself, and the terms go to the guardians."""
    async with open_site() as site:
        answer = await site.enrolled(b"minor")
        assert answer.receipt.token
        assert not answer.HasField("cameo")
        assert not answer.HasField("credential")
        assert not (await site.enrolled(b"reject")).HasField("cameo")
        assert list((await site.create(answer.attempt.id)).offline_audiences) == []


async def test_a_consent_that_cannot_be_is_refused_before_the_challenge_is_spent(open_site: Any) -> None:
    """Of before the challenge or of the future, malformed terms, no text: the challenge can still be answered."""
    async with open_site() as site:
        challenge = await site.client.challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=site.app)
        for away in (timedelta(minutes=-5), timedelta(minutes=5)):
            asked = site.enrolment()
            asked.consent.agree_time.FromDatetime(site.clock() + away)
            assert await reason(site.verify(challenge.id, enrolment=asked)) == "CONSENT_OUT_OF_TIME"
        for bent in (
            site.enrolment(offline_audiences=[""]),
            site.enrolment(offline_audiences=["a"] * 101),
            site.enrolment(generators=cameo_pb2.Generators(every_registered=True, names=[AUDIENCE])),
            Enrolment(terms=cameo_pb2.Cameo()),
        ):
            assert await reason(site.verify(challenge.id, enrolment=bent)) == "REQUEST_INVALID"
        assert (await site.verify(challenge.id, enrolment=site.enrolment())).credential.token


async def test_the_receipt_names_the_device_and_follows_the_person(open_site: Any) -> None:
    """A device key is in the receipt, one that is none is refused unspent; it is revoked once the person's data are deleted."""
    async with open_site() as site:
        challenge = await site.client.challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=site.app)
        device = ECKey.generate_key("P-256")
        for bad in ("x", json.dumps(device.as_dict(private=True))):
            assert (await refused(site.verify(challenge.id, device_key=bad))).metadata == {"field": "device_key"}
        jwk = device.as_dict(private=False)
        answer = await site.verify(challenge.id, device_key=json.dumps(jwk), enrolment=site.enrolment())
        assert (await site.read(answer.receipt)).device_key == jwk
        await site.end(answer.cameo, "REVOCATION_MODE_PAUSE")
        site.clock.ahead += INTERVAL
        assert (await site.read(answer.receipt)).jti == answer.receipt.id
        await site.delete(answer.cameo)
        site.clock.ahead += INTERVAL
        with pytest.raises(CredentialError, match="was revoked"):
            await site.read(answer.receipt)
