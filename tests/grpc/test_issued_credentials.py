"""Credentials of a cameo, issued without a new recording: for whom, by whose word, until when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
from sqlalchemy import select

from cameo.v1 import cameo_pb2
from cameo.v1.credential_service_pb2 import IssueCredentialRequest
from cameo_verifier.server import issuance
from cameo_verifier.settings import Settings
from cameo_verifier.store.credentials.issuance import IssuanceStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.aliases import alias, pairwise
from tests.databases import only_sqlite
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.holders import OTHER
from tests.grpc.world import NOTE, WORD, reason
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import pytest


async def _done(work: Callable[[], Awaitable[Any]]) -> None:
    await work()


async def test_another_audience_is_told_the_same_without_a_new_recording(open_site: Any, tmp_path: Path) -> None:
    """The judgement, models, profile and embeddings are the first credential's; id, pseudonym and status index are fresh."""
    async with open_site() as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        first = await site.open(answer.credential)
        again = await site.open(await site.issue(cameo), status=site.over_grpc())
        other = await site.open(await site.issue(cameo, OTHER), OTHER, status=site.over_grpc())
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
        first = await site.open(await site.issue(cameo, by=guardian))
    async with open_site(profile="minor") as site:
        again = await site.open(await site.issue(cameo))
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
            assert await reason(site.issue(cameo, by=by)) == "USE_NOT_PERMITTED"
        cameo = await site.approve(cameo, by=guardian)
        assert await reason(site.issue(cameo)) == "MINOR_NEEDS_GUARDIAN"
        assert await reason(site.issue(cameo, by=stranger)) == "CAMEO_UNKNOWN"
        await site.issue(cameo, by=guardian)
        await site.issue(cameo)
        assert await reason(site.issue(cameo, OTHER)) == "MINOR_NEEDS_GUARDIAN"
        assert await reason(site.issue(cameo, OTHER, by=site.app)) == "MINOR_NEEDS_GUARDIAN"
        given = await site.open(await site.issue(cameo, OTHER, by=guardian), OTHER)
        assert given.provenance.minor_safeguards
        await site.issue(cameo, OTHER)


async def test_it_carries_the_owner_s_word_of_the_moment(open_site: Any, tmp_path: Path) -> None:
    """Consent, restrictions and notes as they are at the issue, the first one's too, which came with the verdict."""
    async with open_site() as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        consent = pairwise(tmp_path).digest(cameo.consent.digest, AUDIENCE)
        plain = (await site.open(await site.issue(cameo))).terms
        assert (plain.consent_sha256, plain.restrictions, plain.appearance_notes) == (consent, (), ())
        terms = {"words": [WORD], "categories": ["USE_CATEGORY_SATIRE", "USE_CATEGORY_GAMBLING"]}
        cameo = await site.update(cameo, restrictions=terms, appearance_notes=NOTE, voice_notes="like Ah-da")
        said = (await site.open(await site.issue(cameo))).terms
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
        replies = await asyncio.gather(*(site.issue(cameo, OTHER, request_id=request_id) for _ in range(8)))
        assert {reply.SerializeToString() for reply in replies} == {replies[0].SerializeToString()}
        assert await site.issue(cameo, OTHER, request_id=request_id.upper(), by=site.app) == replies[0]
        assert await reason(site.issue(cameo, AUDIENCE, request_id=request_id)) == "REQUEST_ID_REUSED"
        assert (await site.issue(cameo, OTHER)).id != replies[0].id
        for wrong in ("", "1", request_id[:-1]):
            request = IssueCredentialRequest(cameo_id=cameo.id, audience=AUDIENCE, request_id=wrong)
            call = site.client.credentials.IssueCredential(request, metadata=site.owner)
            assert await reason(call) == "REQUEST_ID_INVALID"


async def test_only_an_active_cameo_of_one_s_own_gets_one(open_site: Any) -> None:
    """Unknown, another's, paused, ended, deleted, an audience nobody registered: each has its reason, a repeated request too."""
    async with open_site() as site:
        cameo, repeated = await site.cameo(), str(uuid4())
        await site.issue(cameo, request_id=repeated)
        assert await reason(site.issue(cameo_pb2.Cameo(id="none"), by=site.app)) == "CAMEO_UNKNOWN"
        assert await reason(site.issue(cameo, by=site.stranger)) == "CAMEO_UNKNOWN"
        nobody = "https://nobody.example"
        assert await reason(site.issue(cameo, nobody)) == "USE_NOT_PERMITTED"
        cameo = await site.update(cameo, offline_audiences=[AUDIENCE, nobody])
        unknown = await refused(site.issue(cameo, nobody))
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "AUDIENCE_UNKNOWN")
        assert await reason(site.issue(cameo, by=site.generator)) == "CALLER_NOT_ALLOWED"
        await site.end(cameo, "REVOCATION_MODE_PAUSE")
        for request_id in (None, repeated):
            paused = await refused(site.issue(cameo, request_id=request_id))
            assert (paused.code, paused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMEO_IS_PAUSED")
        await site.resume(cameo)
        await site.issue(cameo)
        await site.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        assert await reason(site.issue(cameo)) == "CAMEO_ENDED"
        assert await reason(site.issue(cameo, request_id=repeated)) == "CAMEO_ENDED"
        await site.delete(cameo)
        assert await reason(site.issue(cameo)) == "CAMEO_GONE"
        assert await reason(site.issue(cameo, by=site.stranger)) == "CAMEO_UNKNOWN"


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
            expires = (await site.issue(cameo)).expire_time.ToDatetime(tzinfo=UTC)
            if lasts is None:  # until the start of the last day
                assert timedelta(0) <= end - expires <= timedelta(days=1)
            else:
                assert abs(now + lasts - expires) < timedelta(seconds=5)
        site.clock.ahead = timedelta(days=10)
        over = await refused(site.issue(cameo))
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
    keep = IssuanceStore.keep

    def interrupted(*arguments: Any) -> Any:
        if meanwhile:
            asyncio.run_coroutine_threadsafe(_done(meanwhile.pop()), loop).result(timeout=PATIENCE_S)
        return keep(*arguments)

    async with open_site() as site:
        loop = asyncio.get_running_loop()
        cameo = await site.cameo()
        monkeypatch.setattr(IssuanceStore, "keep", interrupted)
        meanwhile.append(lambda: site.update(cameo, appearance_notes=NOTE))
        opened = await site.open(await site.issue(cameo))
        assert opened.terms.appearance_notes == (NOTE,)
        meanwhile.append(lambda: site.end(cameo, "REVOCATION_MODE_PAUSE"))
        assert await reason(site.issue(cameo)) == "CAMEO_IS_PAUSED"
        cameo = await site.resume(cameo)

        async def again() -> None:
            nonlocal cameo
            cameo = await site.update(cameo, voice_notes=str(uuid4()))

        meanwhile.extend([again] * issuance._TRIES)
        assert await reason(site.issue(cameo)) == "CAMEO_CHANGED"
        assert not meanwhile
    engine = open_database(Settings(data=tmp_path / "data").database)
    with engine.connect() as connection:
        jtis = set(connection.scalars(select(tables.credentials.c.jti)))
    assert jtis == {opened.jti}
    engine.dispose()
