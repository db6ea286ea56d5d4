"""Credentials of a cameo: issued under its owner's consent and terms, and revoked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from cameo.v1 import cameo_pb2
from cameo.v1.cameo_service_pb2 import GetCameoRequest
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.credential_service_pb2 import IssueCredentialRequest
from cameo.v1.verification_service_pb2 import Enrolment
from cameo_credential.errors import CredentialError
from cameo_verifier.server import reissuing
from cameo_verifier.settings import Settings
from cameo_verifier.store.credentials.reissues import ReissueStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.aliases import alias, pairwise
from tests.databases import only_sqlite
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.reissue import OTHER
from tests.grpc.test_cameos import NOTE, OWNER, WORD, reason
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

INTERVAL = timedelta(seconds=300)
KEPT = 2 * INTERVAL
"""How long a reader may keep a list."""


async def test_another_audience_is_told_the_same_without_a_new_recording(open_site: Any, tmp_path: Path) -> None:
    """The judgement, models, profile and embeddings are the first credential's; id, pseudonym and status index are fresh."""
    async with open_site() as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        first = await site.open(answer.credential)
        again = await site.open(await site.reissue(cameo), status=site.over_grpc())
        other = await site.open(await site.reissue(cameo, OTHER), OTHER, status=site.over_grpc())
        assert first.provenance == again.provenance
        theirs = {name: getattr(other.provenance, name) for name in ("cameo_id", "attempt_id", "challenge_id", "evidence_sha256")}
        assert replace(first.provenance, **theirs) == other.provenance
        assert not set(theirs.values()) & {getattr(first.provenance, name) for name in theirs}
        assert first.provenance.cameo_id == alias(tmp_path, cameo.id, AUDIENCE)
        for which in ("face", "voice"):
            one, *rest = (getattr(opened, which) for opened in (first, again, other))
            assert all((each.model, each.vector.tobytes()) == (one.model, one.vector.tobytes()) for each in rest)
        assert len({opened.jti for opened in (first, again, other)}) == 3
        assert len({opened.status for opened in (first, again, other)}) == 3
        assert again.subject == first.subject != other.subject


async def test_what_was_judged_stays_what_it_was(open_site: Any) -> None:
    """A server that judges by another profile by now still says by which this person was judged, and that they may be a minor."""
    async with open_site() as site:
        cameo = await site.create((await site.answer(b"minor")).attempt.id)
        guardian = await site.guardian_of(cameo)
        cameo = await site.approve(await site.update(cameo, offline_audiences=[AUDIENCE]), by=guardian)
        first = await site.open(await site.reissue(cameo, by=guardian))
    async with open_site(profile="minor") as site:
        again = await site.open(await site.reissue(cameo))
    assert again.provenance == first.provenance
    assert (again.provenance.minor_safeguards, again.provenance.profile) == (True, "minor")


async def test_a_minor_s_likeness_goes_to_an_audience_by_a_guardian_only(open_site: Any) -> None:
    """Not before a guardian let the audience hold it, then first by a guardian; owner and app renew; a stranger gets nothing."""
    async with open_site() as site:
        cameo = await site.create((await site.answer(b"minor")).attempt.id)
        assert await reason(site.update(cameo, offline_audiences=[AUDIENCE])) == "MINOR_NEEDS_GUARDIAN"
        stranger = site.signed_in("guardian", "account-21")
        guardian = await site.guardian_of(cameo)
        cameo = await site.update(cameo, offline_audiences=[AUDIENCE, OTHER])
        assert (list(cameo.offline_audiences), len(cameo.pending_change.offline_audiences)) == ([], 2)
        for by in (site.owner, site.app, guardian):
            assert await reason(site.reissue(cameo, by=by)) == "USE_NOT_PERMITTED"
        cameo = await site.approve(cameo, by=guardian)
        assert await reason(site.reissue(cameo)) == "MINOR_NEEDS_GUARDIAN"
        assert await reason(site.reissue(cameo, by=stranger)) == "CAMEO_UNKNOWN"
        await site.reissue(cameo, by=guardian)
        await site.reissue(cameo)
        assert await reason(site.reissue(cameo, OTHER)) == "MINOR_NEEDS_GUARDIAN"
        assert await reason(site.reissue(cameo, OTHER, by=site.app)) == "MINOR_NEEDS_GUARDIAN"
        given = await site.open(await site.reissue(cameo, OTHER, by=guardian), OTHER)
        assert given.provenance.minor_safeguards
        await site.reissue(cameo, OTHER)


async def test_it_carries_the_owner_s_word_of_the_moment(open_site: Any, tmp_path: Path) -> None:
    """Consent, restrictions and notes as they are at the issue, the first one's too, which came with the verdict."""
    async with open_site() as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        consent = pairwise(tmp_path).digest(cameo.consent.digest, AUDIENCE)
        plain = (await site.open(await site.reissue(cameo))).terms
        assert (plain.consent_sha256, plain.restrictions, plain.appearance_notes) == (consent, (), ())
        terms = {"words": [WORD], "categories": ["USE_CATEGORY_SATIRE", "USE_CATEGORY_GAMBLING"]}
        cameo = await site.update(cameo, restrictions=terms, appearance_notes=NOTE, voice_notes="like Ah-da")
        said = (await site.open(await site.reissue(cameo))).terms
        assert said.consent_sha256 == consent
        assert (said.restrictions, said.restricted_categories) == ((WORD,), ("gambling", "satire"))
        assert said.appearance_notes == (NOTE, "like Ah-da")
        first = (await site.open(answer.credential)).terms
        assert (first.consent_sha256, first.restrictions) == (consent, ())


async def test_a_lost_reply_is_asked_for_again(open_site: Any) -> None:
    """The same request gets the same credential, also when it is sent many times at once; another audience is another request."""
    async with open_site() as site:
        cameo = await site.cameo()
        request_id = str(uuid4())
        replies = await asyncio.gather(*(site.reissue(cameo, OTHER, request_id=request_id) for _ in range(8)))
        assert {reply.SerializeToString() for reply in replies} == {replies[0].SerializeToString()}
        assert await site.reissue(cameo, OTHER, request_id=request_id.upper(), by=site.app) == replies[0]
        assert await reason(site.reissue(cameo, AUDIENCE, request_id=request_id)) == "REQUEST_ID_REUSED"
        assert (await site.reissue(cameo, OTHER)).id != replies[0].id
        for wrong in ("", "1", request_id[:-1]):
            request = IssueCredentialRequest(cameo_id=cameo.id, audience=AUDIENCE, request_id=wrong)
            call = site.client.credentials.IssueCredential(request, metadata=site.owner)
            assert await reason(call) == "REQUEST_ID_INVALID"


async def test_only_an_active_cameo_of_one_s_own_gets_one(open_site: Any) -> None:
    """Unknown, another's, paused, ended, deleted, an audience nobody registered: each has its reason, a repeated request too."""
    async with open_site() as site:
        cameo, repeated = await site.cameo(), str(uuid4())
        await site.reissue(cameo, request_id=repeated)
        assert await reason(site.reissue(cameo_pb2.Cameo(id="none"), by=site.app)) == "CAMEO_UNKNOWN"
        assert await reason(site.reissue(cameo, by=site.stranger)) == "CAMEO_UNKNOWN"
        nobody = "https://nobody.example"
        assert await reason(site.reissue(cameo, nobody)) == "USE_NOT_PERMITTED"
        cameo = await site.update(cameo, offline_audiences=[AUDIENCE, nobody])
        unknown = await refused(site.reissue(cameo, nobody))
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "AUDIENCE_UNKNOWN")
        assert await reason(site.reissue(cameo, by=site.generator)) == "CALLER_NOT_ALLOWED"
        await site.end(cameo, "REVOCATION_MODE_PAUSE")
        for request_id in (None, repeated):
            paused = await refused(site.reissue(cameo, request_id=request_id))
            assert (paused.code, paused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMEO_IS_PAUSED")
        await site.resume(cameo)
        await site.reissue(cameo)
        await site.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        assert await reason(site.reissue(cameo)) == "CAMEO_ENDED"
        assert await reason(site.reissue(cameo, request_id=repeated)) == "CAMEO_ENDED"
        await site.delete(cameo)
        assert await reason(site.reissue(cameo)) == "CAMEO_GONE"
        assert await reason(site.reissue(cameo, by=site.stranger)) == "CAMEO_UNKNOWN"


@only_sqlite
async def test_none_outlives_the_time_for_a_new_challenge(open_site: Any) -> None:
    """Renewed each time for its lifetime, but never beyond the time that counts from the recording; after it there is no more."""
    async with open_site(credential_ttl_days=4, reattest_days=10) as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        end = answer.attempt.create_time.ToDatetime(tzinfo=UTC) + timedelta(days=10)
        for days, lasts in ((0, timedelta(days=4)), (5, timedelta(days=4)), (7, None), (9.999, None)):
            site.clock.ahead = timedelta(days=days)
            now = site.clock()
            expires = (await site.reissue(cameo)).expire_time.ToDatetime(tzinfo=UTC)
            if lasts is None:  # until the start of the last day
                assert timedelta(0) <= end - expires <= timedelta(days=1)
            else:
                assert abs(now + lasts - expires) < timedelta(seconds=5)
        site.clock.ahead = timedelta(days=10)
        over = await refused(site.reissue(cameo))
        assert (over.code, over.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ATTESTATION_ENDED")
    async with open_site(credential_ttl_days=400, data=site.client.journal.parent / "second") as site:
        answer = await site.enrolled()
        lasts = answer.credential.expire_time.ToDatetime(tzinfo=UTC) - answer.attempt.create_time.ToDatetime(tzinfo=UTC)
        assert timedelta(days=179) - timedelta(seconds=5) < lasts <= timedelta(days=180)


async def test_what_the_owner_says_meanwhile_is_in_it_or_there_is_none(
    open_site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change between reading the terms and keeping the credential is in it; a pause there refuses it, and nothing is kept."""
    meanwhile: list[Callable[[], Awaitable[Any]]] = []
    keep = ReissueStore.keep

    def interrupted(*arguments: Any) -> Any:
        if meanwhile:
            asyncio.run_coroutine_threadsafe(_done(meanwhile.pop()), loop).result(timeout=PATIENCE_S)
        return keep(*arguments)

    async with open_site() as site:
        loop = asyncio.get_running_loop()
        cameo = await site.cameo()
        monkeypatch.setattr(ReissueStore, "keep", interrupted)
        meanwhile.append(lambda: site.update(cameo, appearance_notes=NOTE))
        opened = await site.open(await site.reissue(cameo))
        assert opened.terms.appearance_notes == (NOTE,)
        meanwhile.append(lambda: site.end(cameo, "REVOCATION_MODE_PAUSE"))
        assert await reason(site.reissue(cameo)) == "CAMEO_IS_PAUSED"
        cameo = await site.resume(cameo)

        async def again() -> None:
            nonlocal cameo
            cameo = await site.update(cameo, voice_notes=str(uuid4()))

        meanwhile.extend([again] * reissuing._TRIES)
        assert await reason(site.reissue(cameo)) == "CAMEO_CHANGED"
        assert not meanwhile
    engine = open_database(Settings(data=tmp_path / "data").database)
    with engine.connect() as connection:
        jtis = set(connection.scalars(select(tables.credentials.c.jti)))
    assert jtis == {opened.jti}
    engine.dispose()


async def _done(work: Callable[[], Awaitable[Any]]) -> None:
    await work()


async def test_every_credential_follows_its_cameo_in_the_next_list(open_site: Any) -> None:
    """Over gRPC and HTTP, for every audience: suspended by a pause, valid after it, revoked for good; not sooner, not later."""
    async with open_site(http_listen="127.0.0.1:0") as site:
        answer, untouched = await site.enrolled(), await site.enrolled(b"face:1")
        cameo = answer.cameo
        issued = {AUDIENCE: [answer.credential, await site.reissue(cameo)], OTHER: [await site.reissue(cameo, OTHER)]}
        kept = site.over_grpc()

        async def standing() -> set[str]:
            return {
                await site.standing(credential, audience, status=reader())
                for audience, credentials in issued.items()
                for credential in credentials
                for reader in (site.over_grpc, site.over_http)
            }

        assert await standing() == {"valid"}
        assert await site.standing(answer.credential, status=kept) == "valid"
        for change, expected in (
            (lambda: site.end(cameo, "REVOCATION_MODE_PAUSE"), "suspended"),
            (lambda: site.resume(cameo), "valid"),
            (lambda: site.end(cameo, "REVOCATION_MODE_FOR_GOOD"), "revoked"),
        ):
            before = await standing()
            await change()
            assert await standing() == before
            site.clock.ahead += INTERVAL
            assert await standing() == {expected}
            site.clock.ahead += KEPT - INTERVAL
            assert await site.standing(answer.credential, status=kept) == expected
            assert await site.standing(untouched.credential) == "valid"


async def test_a_deleted_cameo_s_credentials_are_revoked(open_site: Any) -> None:
    """Those in anybody's hands are refused by the next list, also when the cameo was paused before."""
    async with open_site() as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        other = await site.reissue(cameo, OTHER)
        await site.end(cameo, "REVOCATION_MODE_PAUSE")
        await site.delete(cameo)
        site.clock.ahead += INTERVAL
        assert await site.standing(answer.credential) == await site.standing(other, OTHER) == "revoked"
        assert await reason(site.revoke(other)) == "CREDENTIAL_UNKNOWN"


async def test_one_credential_is_revoked_by_itself(open_site: Any) -> None:
    """That one and no other, for good, through pause and resume; the first reason stays; the token is not given out again."""
    async with open_site() as site:
        answer, asked = await site.enrolled(), str(uuid4())
        cameo = answer.cameo
        first, other = answer.credential, await site.reissue(cameo, OTHER, request_id=asked)
        assert await reason(site.revoke(other, by=site.stranger)) == "CREDENTIAL_UNKNOWN"
        assert await reason(site.revoke(cameo_pb2.Cameo(id="none"), by=site.app)) == "CREDENTIAL_UNKNOWN"
        assert await reason(site.revoke(other, by=site.generator)) == "CALLER_NOT_ALLOWED"
        assert (await refused(site.revoke(other, "x" * 501))).metadata == {"field": "reason"}
        assert await reason(site.revoke(other, request_id="1")) == "REQUEST_ID_INVALID"
        request_id = str(uuid4())
        revoked = await site.revoke(other, "we parted", request_id=request_id)
        assert (revoked.credential_id, revoked.reason) == (other.id, "we parted")
        assert await site.revoke(other, "we parted", request_id=request_id.upper()) == revoked
        assert await site.revoke(other, "once more", by=site.app) == revoked
        assert await reason(site.revoke(other, "once more", request_id=request_id)) == "REQUEST_ID_REUSED"
        repeated = await site.reissue(cameo, OTHER, request_id=asked)
        assert (repeated.id, repeated.token) == (other.id, "")
        for change in (None, lambda: site.end(cameo, "REVOCATION_MODE_PAUSE"), lambda: site.resume(cameo)):
            if change is not None:
                await change()
            site.clock.ahead += INTERVAL
            assert await site.standing(other, OTHER) == "revoked"
        assert await site.standing(first) == "valid"
        assert await site.standing(await site.reissue(cameo, OTHER), OTHER) == "valid"


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
        assert await reason(site.reissue(cameo_pb2.Cameo(id=sealed), by=site.app)) == "CAMEO_UNKNOWN"
        cameo = await site.create(answer.attempt.id)
        assert cameo.id == sealed
        assert list(cameo.offline_audiences) == []
        unchosen = await refused(site.reissue(cameo))
        assert (unchosen.reason, unchosen.metadata["term"]) == ("USE_NOT_PERMITTED", "offline_audiences")
        cameo = await site.update(cameo, offline_audiences=[OTHER])
        assert await reason(site.reissue(cameo)) == "USE_NOT_PERMITTED"
        opened = await site.open(await site.reissue(cameo, OTHER), OTHER)
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
        assert await reason(site.reissue(answer.cameo)) == "USE_NOT_PERMITTED"


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


async def test_who_is_left_out_holds_it_no_longer(open_site: Any) -> None:
    """Out of `offline_audiences` or of `generators`: revoked for good, also when chosen again; the other stays."""
    async with open_site() as site:
        for change, back in (
            ({"offline_audiences": [OTHER]}, {"offline_audiences": [AUDIENCE, OTHER]}),
            ({"generators": cameo_pb2.Generators(names=[OTHER])}, {"generators": cameo_pb2.Generators(every_registered=True)}),
        ):
            answer = await site.enrolled()
            other = await site.reissue(answer.cameo, OTHER)
            cameo = await site.update(answer.cameo, **change)
            assert await reason(site.reissue(cameo)) == "USE_NOT_PERMITTED"
            cameo = await site.update(cameo, **back)
            site.clock.ahead += INTERVAL
            assert await site.standing(answer.credential) == "revoked"
            assert await site.standing(other, OTHER) == "valid"
            assert await site.standing(await site.reissue(cameo)) == "valid"


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
