"""TLS: the certificate of a server is reloaded under its callers, and a client's certificate names who calls."""

from __future__ import annotations

import asyncio
import base64
import ssl
from typing import TYPE_CHECKING, Any

import grpc
import httpx2
import pytest
from cryptography import x509
from structlog.testing import capture_logs

from cameo.v1 import challenge_service_pb2, challenge_service_pb2_grpc, credential_service_pb2, credential_service_pb2_grpc
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_verifier.server.app import open_server, utc_now
from cameo_verifier.server.tls import ServerTls
from cameo_verifier.settings import Settings
from tests.certificates import DAY, LOOPBACK, Authority, Files
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer

SPIFFE = "spiffe://site.example/app"

OF_NO_KIND = bytes.fromhex("3010020100300506032a0304040431323334")
"""A PKCS #8 key whose algorithm nobody has, 1.2.3.4."""


@pytest.fixture
def authority() -> Authority:
    """Who signs the server's certificates."""
    return Authority()


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> Files:
    """The server's certificate."""
    return Files(tmp_path, "server", authority.certificate(LOOPBACK))


def secured(address: str, ca: bytes, client: tuple[bytes, bytes] | None = None) -> grpc.aio.Channel:
    """Return a channel that trusts an authority; `client` is the caller's certificate and key."""
    chain, key = client or (None, None)
    # Without this, channels to one address share a connection.
    options = (("grpc.use_local_subchannel_pool", 1),)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(ca, key, chain), options)


async def keys(channel: grpc.aio.Channel) -> str:
    """Return the issuer's name, asked without a token."""
    stub = credential_service_pb2_grpc.CredentialServiceStub(channel)
    await stub.GetKeys(credential_service_pb2.GetKeysRequest(), timeout=PATIENCE_S)
    return "answered"


async def refusal(call: Any) -> str:
    """Return the status with which a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return str(refused.value.code().name)


async def issued(channel: grpc.aio.Channel) -> str:
    """Return the id of a challenge, which only the app gets."""
    stub = challenge_service_pb2_grpc.ChallengeServiceStub(channel)
    request = challenge_service_pb2.IssueChallengeRequest(subject="ann")
    return str((await stub.IssueChallenge(request, timeout=PATIENCE_S)).id)


async def test_calls_are_answered_over_tls_alone(serve: OpenServer, authority: Authority, files: Files) -> None:
    """Who trusts another authority, or speaks in the clear, gets no answer."""
    async with serve(**files.settings) as client:
        async with secured(client.server.address, authority.pem) as channel:
            assert await keys(channel) == "answered"
        async with secured(client.server.address, Authority().pem) as channel:
            assert await refusal(keys(channel)) == "UNAVAILABLE"
        assert await refusal(keys(client.channel)) == "UNAVAILABLE"


async def test_a_new_certificate_serves_new_connections_and_the_old_ones_go_on(
    serve: OpenServer, authority: Authority, files: Files
) -> None:
    """Another authority signs it: new connections trust that one alone, and the connection before keeps answering."""
    async with serve(**files.settings) as client, secured(client.server.address, authority.pem) as before:
        assert await keys(before) == "answered"
        other = Authority("another")
        for _ in range(3):
            files.put(other.certificate(LOOPBACK))
            async with secured(client.server.address, other.pem) as channel:
                assert await keys(channel) == "answered"
        async with secured(client.server.address, authority.pem) as channel:
            assert await refusal(keys(channel)) == "UNAVAILABLE"
        assert await keys(before) == "answered"


async def test_files_that_cannot_be_used_leave_the_certificate_before(
    serve: OpenServer, authority: Authority, files: Files
) -> None:
    """A certificate whose key is not there yet, half a file, and no file: each is logged, and connections are answered."""
    async with serve(**files.settings) as client:
        foreign, key = Authority().certificate(LOOPBACK)
        for content in (foreign, foreign[: len(foreign) // 2], None):
            files.certificate.unlink()
            if content is not None:
                files.certificate.write_bytes(content)
            with capture_logs() as lines:
                async with secured(client.server.address, authority.pem) as channel:
                    assert await keys(channel) == "answered"
            assert [line["event"] for line in lines if "stays in use" in line["event"]], content
        files.put((foreign, key))
        async with secured(client.server.address, authority.pem) as channel:
            assert await refusal(keys(channel)) == "UNAVAILABLE"


async def test_http_speaks_tls_and_takes_a_new_certificate(serve: OpenServer, authority: Authority, files: Files) -> None:
    """The same files serve both."""
    async with serve(http_listen="127.0.0.1:0", **files.settings) as client:
        url = f"https://{client.server.http_address}/.well-known/jwks.json"

        async def code(ca: bytes) -> int:
            context = ssl.create_default_context(cadata=ca.decode())
            async with httpx2.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE_S) as browser:
                return int((await browser.get(url)).status_code)

        assert await code(authority.pem) == 200
        other = Authority("another")
        files.put(other.certificate(LOOPBACK))
        assert await code(other.pem) == 200
        with pytest.raises(httpx2.ConnectError):
            await code(authority.pem)


async def test_a_clients_certificate_names_the_caller(
    serve: OpenServer, tmp_path: Path, authority: Authority, files: Files
) -> None:
    """A SPIFFE id and a DNS name are the callers of the site's file; other certificates are nobody, and none connects without."""
    (tmp_path / "clients.toml").write_text(
        f'[[client]]\nname = "{SPIFFE}"\nrole = "app"\nid = "app"\n'
        '[[client]]\nname = "studio.example"\nrole = "generator"\nid = "studio"\n'
    )
    (tmp_path / "clients.pem").write_bytes((clients := Authority("clients")).pem)
    mutual = {"tls_client_ca": tmp_path / "clients.pem", "tls_clients": tmp_path / "clients.toml"}
    async with serve(**files.settings, **mutual) as client:

        def calling(pair: tuple[bytes, bytes] | None) -> grpc.aio.Channel:
            return secured(client.server.address, authority.pem, pair)

        async with calling(clients.certificate(x509.UniformResourceIdentifier(SPIFFE))) as channel:
            assert await issued(channel)
        async with calling(clients.certificate(x509.DNSName("studio.example"))) as channel:
            assert await refusal(issued(channel)) == "PERMISSION_DENIED"
        async with calling(clients.certificate(x509.DNSName("else.example"))) as channel:
            assert await refusal(issued(channel)) == "UNAUTHENTICATED"
            assert await keys(channel) == "answered"
        for stranger in (None, Authority().certificate(x509.UniformResourceIdentifier(SPIFFE))):
            async with calling(stranger) as channel:
                assert await refusal(keys(channel)) == "UNAVAILABLE"


async def test_with_a_certificate_a_public_address_is_served(serve: OpenServer, tmp_path: Path, files: Files) -> None:
    """It needs callers that are known, by tokens or certificates, and no consent to the clear; nothing is warned of."""
    (tmp_path / "clients.toml").write_text(f'[[client]]\nname = "{SPIFFE}"\nrole = "app"\nid = "app"\n')
    known = {"tls_client_ca": tmp_path / "server.pem", "tls_clients": tmp_path / "clients.toml"}
    with pytest.raises(InvalidRequestError, match="CAMEO_CALLER_ISSUER"):
        await open_server(Settings(listen="0.0.0.0:0", data=tmp_path / "data", **files.settings))
    with capture_logs() as lines:
        async with serve(listen="0.0.0.0:0", **files.settings, **known):
            pass
    assert not [line for line in lines if "NOT encrypted" in line["event"] or "EVERYONE" in line["event"]]


def test_settings_that_are_not_whole_are_named(tmp_path: Path, files: Files) -> None:
    """Each message names what is missing."""
    for given, message in (
        ({"tls_certificate": files.certificate}, "CAMEO_TLS_KEY"),
        ({"tls_client_ca": files.certificate}, "CAMEO_TLS_CERTIFICATE"),
        ({**files.settings, "tls_clients": tmp_path / "clients.toml"}, "CAMEO_TLS_CLIENT_CA"),
    ):
        with pytest.raises(InvalidRequestError, match=message):
            ServerTls.open(Settings(**given), now=utc_now())
    assert ServerTls.open(Settings(), now=utc_now()) is None


def test_files_that_cannot_be_used_are_named(tmp_path: Path, authority: Authority, files: Files) -> None:
    """A missing file, a key of another certificate, one that others can read, and none that is PEM."""
    files.key.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        ServerTls.open(Settings(**files.settings), now=utc_now())
    other = Files(tmp_path, "other", authority.certificate(LOOPBACK))
    (tmp_path / "empty.pem").touch(0o600)
    odd = tmp_path / "odd.pem"
    odd.touch(0o600)
    odd.write_text(f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(OF_NO_KIND).decode()}\n-----END PRIVATE KEY-----\n")
    for given, message in (
        ({"tls_certificate": files.certificate, "tls_key": other.key}, "is not the key of the certificate"),
        ({"tls_certificate": tmp_path / "none.pem", "tls_key": other.key}, "none.pem: No such file"),
        ({"tls_certificate": tmp_path / "empty.pem", "tls_key": other.key}, "is not PEM"),
        ({"tls_certificate": other.certificate, "tls_key": tmp_path / "empty.pem"}, "is not PEM"),
        ({"tls_certificate": other.certificate, "tls_key": odd}, "is of a kind that is not known"),
    ):
        with pytest.raises(KeyFileError, match=message):
            ServerTls.open(Settings(**given), now=utc_now())


@pytest.mark.parametrize(("left", "told"), [(-DAY, "has expired"), (DAY, "expires soon"), (60 * DAY, "")])
def test_the_end_of_a_certificate_is_told_at_start(tmp_path: Path, authority: Authority, left: Any, told: str) -> None:
    """Two weeks before, and once it is over."""
    site = Files(tmp_path, "site", authority.certificate(LOOPBACK, left=left))
    with capture_logs() as lines:
        ServerTls.open(Settings(**site.settings), now=utc_now())
    assert [told in line["event"] for line in lines] == ([True] if told else [])


async def test_a_certificate_that_changes_under_load_loses_no_call(serve: OpenServer, authority: Authority, files: Files) -> None:
    """Connections are made and calls answered while the files change fifty times."""
    async with serve(**files.settings) as client:
        done = asyncio.Event()

        async def caller() -> int:
            answered = 0
            while not done.is_set():
                async with secured(client.server.address, authority.pem) as channel:
                    await keys(channel)
                    answered += 1
            return answered

        callers = [asyncio.create_task(caller()) for _ in range(3)]
        for _ in range(50):
            pair = await asyncio.to_thread(authority.certificate, LOOPBACK)
            await asyncio.to_thread(files.put, pair)
        done.set()
        assert all(await asyncio.gather(*callers))
