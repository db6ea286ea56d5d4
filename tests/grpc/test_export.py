"""A person's own data over the wire: all of it, nothing of anybody else's, to nobody else."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from cameo.v1 import data_subject_service_pb2 as wire
from cameo.v1 import data_subject_service_pb2_grpc as stubs
from cameo.v1.cameo_service_pb2 import DeleteCameoRequest
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
from cameo_credential.consent_receipt import open_receipt
from cameo_credential.export_archive import open_archive
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.likeness import from_bytes
from cameo_verifier.settings import Retention
from cameo_verifier.store.subject_rows import EXPORTED
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.world import FAN, NOTE, OWNER, WORD, World, open_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.callers import Metadata

__all__ = ["open_world"]
ISSUER = "https://cameo.localhost"
KEEP = Retention(accepted_days=1.0)
OTHER = "account-of-somebody-else"


async def exported(world: World, folder: Path, by: Metadata | None = None, subject: str = "") -> dict[str, bytes]:
    """Ask for an archive, verify it, and return its entries."""
    stub: Any = stubs.DataSubjectServiceStub(world.client.channel)
    call = stub.ExportMyData(wire.ExportMyDataRequest(subject=subject), metadata=by or world.owner)
    path = folder / "export.zip"
    path.write_bytes(b"".join([message.chunk async for message in call]))
    jwks = (await world.client.credentials.GetKeys(GetKeysRequest())).jwks
    opened = open_archive(path, issuer_keys=VerificationKeys.from_jwks(json.loads(jwks)), expected_issuer=ISSUER)
    assert opened.subject == (subject or OWNER)
    assert opened.left_out.keys() >= {"tables/subject_keys", "tables/opinions: analyst"}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in opened.files}


async def live(world: World) -> Any:
    """Have the owner's cameo used."""
    terms = {"who_may_use": "WHO_MAY_USE_EVERYONE", "appearance_notes": NOTE, "restrictions": {"words": [WORD]}}
    cameo = await world.cameo(**terms, offline_audiences=[AUDIENCE])
    await world.issue(cameo)
    granted = await world.authorize(cameo)
    await world.spend(granted.token)
    await world.record(granted.grant_id)
    return cameo


async def somebody_else(world: World) -> None:
    """Have another person enrolled, who also uses nothing of the owner's."""
    challenge = await world.client.challenges.IssueChallenge(IssueChallengeRequest(subject=OTHER), metadata=world.app)
    config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=str(uuid4()))
    messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=b"accept")]
    attempt = (await world.client.verification.VerifyResponse(iter(messages), metadata=world.app)).attempt
    other = world.signer.metadata("owner", OTHER)
    cameo = await world.create(attempt.id, by=other)
    await world.update(cameo, by=other, appearance_notes=f"note of {OTHER}", who_may_use="WHO_MAY_USE_EVERYONE")


async def test_a_person_gets_all_that_is_kept_of_them(open_world: Any, tmp_path: Path) -> None:
    """Rows of every table, recording and tracks, the likeness, consent receipts; nothing of another person."""
    async with open_world(retention=KEEP, gallery=False) as world:
        await somebody_else(world)
        cameo = await live(world)
        files = await exported(world, tmp_path)
        rows = {name: json.loads(files[f"tables/{name}.json"]) for name in EXPORTED}
        [attempt] = rows["attempts"]
        [shown] = rows["cameos"]
        assert (shown["id"], shown["terms"]["appearance_notes"], shown["terms"]["words"]) == (cameo.id, NOTE, [WORD])
        assert [row["requester"] for row in rows["grants"]] == [row["creator"] for row in rows["outputs"]] == [FAN]
        assert [row["audience"] for row in rows["credentials"]] == [AUDIENCE]
        for name in ("challenges", "fingerprints", "likenesses", "events", "evidence", "receipts", "grant_cameos"):
            assert rows[name], name
        listed = {row["jti"] for name in ("receipts", "credentials") for row in rows[name]}
        assert {row["jti"] for row in rows["status_entries"]} == listed
        assert {row["kind"] for row in rows["consent_records"]} == {"given", "widened"}
        assert files[f"evidence/{attempt['id']}/recording"] == b"accept"
        assert files[f"evidence/{attempt['id']}/tracks.npz"]
        face, _ = from_bytes(files[f"likenesses/{cameo.id}.json"])
        assert np.isclose(np.linalg.norm(face.vector), 1, atol=1e-3)
        jwks = json.loads((await world.client.credentials.GetKeys(GetKeysRequest())).jwks)
        for name in (name for name in files if name.startswith("consents/")):
            token = files[name].decode()
            receipt = open_receipt(token, issuer_keys=VerificationKeys.from_jwks(jwks), expected_issuer=ISSUER)
            assert receipt.record["cameo:cameo"] == cameo.id
        assert not any(OTHER.encode() in content for content in files.values())
        assert all("score" not in check for check in attempt["checks"])


async def test_scores_are_in_it_where_the_site_shows_them(open_world: Any, tmp_path: Path) -> None:
    """As in the FULL view of an attempt."""
    async with open_world(retention=KEEP, expose_scores=True) as world:
        await world.cameo()
        files = await exported(world, tmp_path)
        [attempt] = json.loads(files["tables/attempts.json"])
        assert all("score" in check for check in attempt["checks"])
        assert json.loads(files[f"evidence/{attempt['id']}/result.json"])


async def test_nobody_else_gets_it(open_world: Any, tmp_path: Path) -> None:
    """Another owner gets an archive of their own; the app acts for everyone."""
    async with open_world(retention=KEEP) as world:
        await world.cameo()
        stub: Any = stubs.DataSubjectServiceStub(world.client.channel)
        for by, subject, field in ((world.stranger, OWNER, "subject"), (world.app, "", "subject"), (world.app, "a b", "subject")):
            call = stub.ExportMyData(wire.ExportMyDataRequest(subject=subject), metadata=by)
            assert (await refused(call.read())).metadata["field"] == field
        for role in ("guardian", "generator", "platform", "analyst"):
            call = stub.ExportMyData(wire.ExportMyDataRequest(subject=OWNER), metadata=world.signer.metadata(role, OWNER))
            assert (await refused(call.read())).reason == "CALLER_NOT_ALLOWED"
        files = await exported(world, tmp_path, world.stranger, "stranger")
        assert all(json.loads(files[f"tables/{name}.json"]) == [] for name in EXPORTED)
        assert not any(OWNER.encode() in content for content in files.values())
        assert json.loads((await exported(world, tmp_path, world.app, OWNER))["tables/cameos.json"])


async def test_a_deleted_person_gets_their_tombstone(open_world: Any, tmp_path: Path) -> None:
    """And nothing that leads to the recording, whose copy in an earlier export was read in nobody's name."""
    async with open_world(retention=KEEP) as world:
        cameo = await live(world)
        await exported(world, tmp_path)
        await world.stub.DeleteCameo(DeleteCameoRequest(cameo_id=cameo.id), metadata=world.owner)
        files = await exported(world, tmp_path)
        assert [row["state"] for row in json.loads(files["tables/cameos.json"])] == ["deleted"]
        for name in ("attempts", "evidence", "receipts", "credentials", "likenesses", "fingerprints", "audit_log", "faces"):
            assert json.loads(files[f"tables/{name}.json"]) == [], name
        assert not any(name.startswith(("evidence/", "likenesses/")) for name in files)


async def test_the_retention_schedule_is_the_sites(open_world: Any, tmp_path: Path) -> None:
    """Without a token, by its settings; the export has the same."""
    async with open_world(retention=KEEP, fingerprint_days=9) as world:
        stub: Any = stubs.DataSubjectServiceStub(world.client.channel)
        rules = {rule.data: rule for rule in (await stub.GetRetention(wire.GetRetentionRequest())).rules}
        assert rules["fingerprint of a recording"].kept.ToTimedelta() == timedelta(days=9)
        assert rules["recording, tracks and result of an accepted attempt"].kept.ToTimedelta() == timedelta(days=1)
        assert not rules["likeness of a cameo"].HasField("kept")
        told = json.loads((await exported(world, tmp_path))["retention.json"])
        assert [each["data"] for each in told] == list(rules)
