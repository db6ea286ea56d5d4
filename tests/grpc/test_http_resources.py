"""The status lists and the keys over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo.v1.credential_service_pb2 import GetKeysRequest, GetStatusListRequest
from cameo_credential.encoding import from_base64url
from cameo_credential.errors import InvalidRequestError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.key_set import change, new_key
from cameo_credential.receipt import open_receipt
from cameo_credential.status_list import read_list
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_verifier.errors import StoreError
from cameo_verifier.status.publisher import StatusPublisher
from tests.grpc.client import AUDIENCE
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer

BASE = "https://issuer.example"
FREE = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over HTTP; the names of headers are in lower case."""

    code: int
    headers: dict[str, str]
    body: bytes


async def fetch(address: str, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """Ask once, on a connection of its own."""

    def ask() -> Answer:
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


async def test_a_list_is_served_to_be_kept_until_the_next_one(serve: OpenServer) -> None:
    """The bytes of gRPC, signed by the keys beside it; who has them gets no body; when their time is over a new list comes."""
    now = datetime.now(UTC).replace(microsecond=0)
    async with serve(clock=lambda: now, status_capacity=2048, issuer=BASE, http_listen=FREE) as client:
        await client.verify((await client.challenge()).id, b"accept")
        address = client.server.http_address
        first = await fetch(address, "/status/1")
        over_grpc = await client.credentials.GetStatusList(GetStatusListRequest(uri=f"{BASE}/status/1"))
        assert (first.code, first.body.decode()) == (200, over_grpc.token)
        assert first.headers["content-type"] == "application/statuslist+jwt"
        assert first.headers["cache-control"] == "public, max-age=300"
        assert first.headers["access-control-allow-origin"] == "*"
        keys = VerificationKeys.from_jwks(json.loads((await fetch(address, "/.well-known/jwks.json")).body))
        read = read_list(first.body.decode(), issuer_keys=keys, expected_uri=f"{BASE}/status/1", now=now)
        assert len(read.statuses) == 2048

        for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
            again = await fetch(address, "/status/1", If_None_Match=known)
            assert (again.code, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
        head = await fetch(address, "/status/1", method="HEAD")
        assert (head.code, head.body, head.headers["content-length"]) == (200, b"", str(len(first.body)))

        now += timedelta(seconds=299)
        assert (await fetch(address, "/status/1")).headers["cache-control"] == "public, max-age=1"
        now += timedelta(seconds=1)
        later = await fetch(address, "/status/1", If_None_Match=first.headers["etag"])
        assert later.code == 200
        assert later.headers["etag"] != first.headers["etag"]


async def test_the_keys_are_served_without_their_private_parts(serve: OpenServer) -> None:
    """The same document as over gRPC, as a JWK set, that may be kept for five minutes."""
    async with serve(http_listen=FREE) as client:
        answer = await fetch(client.server.http_address, "/.well-known/jwks.json")
        published = await client.credentials.GetKeys(GetKeysRequest())
        assert json.loads(answer.body) == json.loads(published.jwks)
        assert all("d" not in key for key in json.loads(answer.body)["keys"])
        assert answer.headers["content-type"] == "application/jwk-set+json"
        assert answer.headers["cache-control"] == "public, max-age=300"
        again = await fetch(client.server.http_address, "/.well-known/jwks.json", If_None_Match=answer.headers["etag"])
        assert again.code == 304


async def test_what_is_not_there_is_refused(serve: OpenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown list, however spelled, is 404 with its reason, a database that is down 503 with its own; neither is kept."""
    async with serve(http_listen=FREE, status_capacity=2048) as client:
        address = client.server.http_address
        for path in ("/status/1", "/status/01", "/status/x", "/status/%D9%A7", "/status/" + "1" * 400):
            answer = await fetch(address, path)
            assert (answer.code, json.loads(answer.body)) == (404, {"reason": "STATUS_LIST_UNKNOWN"})
            assert answer.headers["cache-control"] == "no-store"
        assert [(await fetch(address, path)).code for path in ("/", "/status/", "/status/1/2", "/docs")] == [404] * 4
        assert (await fetch(address, "/status/1", method="POST")).code == 405

        def down(*_: object) -> None:
            raise StoreError("down")

        monkeypatch.setattr(StatusPublisher, "get", down)
        answer = await fetch(address, "/status/1")
        assert (answer.code, json.loads(answer.body)) == (503, {"reason": "STORE_UNAVAILABLE"})
        assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("1", "no-store")


async def test_http_is_off_unless_it_is_asked_for_and_needs_a_free_address(serve: OpenServer) -> None:
    """By default nothing listens; an address that is taken or is none is an error that names the setting."""
    async with serve() as client:
        assert client.server.http_address == ""
        for address in (client.server.address, "nowhere", "127.0.0.1:99999"):
            with pytest.raises(InvalidRequestError, match="CAMEO_HTTP_LISTEN"):
                async with serve(http_listen=address, data=client.journal.parent / "second"):
                    pass


async def test_stopping_ends_http_too(serve: OpenServer, caplog: pytest.LogCaptureFixture) -> None:
    """After the server has stopped nobody answers, and nothing went wrong on the way."""
    with caplog.at_level(logging.WARNING):
        async with serve(http_listen=FREE) as client:
            address = client.server.http_address
            assert (await fetch(address, "/.well-known/jwks.json")).code == 200
        with pytest.raises(ConnectionRefusedError):
            await fetch(address, "/.well-known/jwks.json")
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_a_running_server_publishes_and_uses_a_new_key(serve: OpenServer, tmp_path: Path) -> None:
    """A new key is shown at once over gRPC and HTTP, and signs credentials and lists when its time has come."""
    now = datetime.now(UTC).replace(microsecond=0)
    path = tmp_path / "data" / "keys" / "issuer.jwks"
    async with serve(clock=lambda: now, http_listen=FREE, issuer=BASE, status_capacity=2048) as client:
        address = client.server.http_address
        before = await fetch(address, "/.well-known/jwks.json")
        made = new_key(starts=now + timedelta(hours=1), now=now)
        change(path, lambda kept: kept.rotated(made, now=now))
        after = await fetch(address, "/.well-known/jwks.json", If_None_Match=before.headers["etag"])
        assert after.code == 200
        published = json.loads((await client.credentials.GetKeys(GetKeysRequest())).jwks)
        assert json.loads(after.body) == published
        first, second = (key["kid"] for key in published["keys"])
        assert (first != made.kid, second) == (True, made.kid)

        keys = VerificationKeys.from_jwks(published)
        for hours, kid in ((0, first), (1, made.kid)):
            now += timedelta(hours=hours)
            answer = await client.verify((await client.challenge()).id, f"accept:{hours}".encode())
            receipt = open_receipt(
                answer.receipt.token,
                issuer_keys=keys,
                expected_audience=AUDIENCE,
                expected_issuer=BASE,
                status=UNSAFE_NO_STATUS_CHECK,
                now=now,
            )
            assert receipt.kid == kid
            listed = (await fetch(address, "/status/1")).body.decode()
            assert json.loads(from_base64url(listed.split(".")[0]))["kid"] == kid
