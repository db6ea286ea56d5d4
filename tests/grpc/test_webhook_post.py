"""Permitted targets of webhooks: the site's file, and the addresses behind its names."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.webhook_secret import WebhookSecret
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.removals import Holder, HolderKind
from cameo_verifier.cameo.webhooks import TOLD_TO_HOLDERS, Endpoint
from cameo_verifier.server.app import open_server
from cameo_verifier.settings import Settings
from cameo_verifier.webhooks.endpoints import read_endpoints
from cameo_verifier.webhooks.post import Poster, PostError, embedded
from tests.grpc.receiver import receiving

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[[endpoint]]
name = "backend"
url = "https://app.example/hooks?key=1"
role = "app"

[[endpoint]]
name = "shorts"
url = "http://127.0.0.1:8080/hook"
role = "platform"
id = "shorts.example"
events = ["removal_requested", "deleted"]
private = true
"""


async def posted(url: str, *, private: bool) -> str:
    """Post to a URL and return why that failed; empty where it did not."""
    poster = Poster(url, private=private, timeout_s=2)
    try:
        await poster.post({"webhook-id": "evt_1"}, b"{}")
    except PostError as error:
        return str(error)
    finally:
        await poster.close()
    return ""


def test_the_file_names_endpoints(tmp_path: Path) -> None:
    """Each table is an endpoint; without `events` it gets all its role may know."""
    path = tmp_path / "webhooks.toml"
    path.write_text(GOOD)
    kinds = frozenset({EventKind.REMOVAL_WAS_REQUESTED, EventKind.WAS_DELETED})
    holder = Holder(HolderKind.HELD_BY_PLATFORM, "shorts.example")
    assert read_endpoints(path) == (
        Endpoint("backend", "https://app.example/hooks?key=1", "app", None, frozenset(EventKind)),
        Endpoint("shorts", "http://127.0.0.1:8080/hook", "shorts.example", holder, kinds, private=True),
    )
    path.write_text('[[endpoint]]\nname = "g"\nurl = "https://g.example"\nrole = "generator"\nid = "g"\n')
    assert read_endpoints(path)[0].kinds == TOLD_TO_HOLDERS


SECRET_A, SECRET_B = f"whsec_{'AAAA' * 8}", f"whsec_{'BBBB' * 8}"


def with_secrets(folder: Path, content: str, *, mode: int = 0o600, toml: str = GOOD) -> Path:
    """Write a file of endpoints whose first has the secrets of a file beside it."""
    (folder / "backend.secret").write_text(content)
    (folder / "backend.secret").chmod(mode)
    path = folder / "webhooks.toml"
    path.write_text(toml.replace('role = "app"', 'role = "app"\nsecret_file = "backend.secret"'))
    return path


def test_an_endpoint_may_have_secrets(tmp_path: Path) -> None:
    """One, or two during a rotation, in an owner-only file beside the file of endpoints; they are in no text of the endpoint."""
    [backend, shorts] = read_endpoints(with_secrets(tmp_path, f"{SECRET_A}\n"))
    assert (backend.secrets, shorts.secrets) == ((WebhookSecret.parse(SECRET_A),), ())
    [backend, _] = read_endpoints(with_secrets(tmp_path, f"{SECRET_B}\n{SECRET_A}\n"))
    assert backend.secrets == (WebhookSecret.parse(SECRET_B), WebhookSecret.parse(SECRET_A))
    assert "key" not in repr(backend.secrets)


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (SECRET_A, 0o644, "chmod 600"),
        ("", 0o600, "one secret a line"),
        (f"{SECRET_A}\n{SECRET_B}\nwhsec_{'CCCC' * 8}", 0o600, "one secret a line"),
        ("secret", 0o600, "24 to 64 bytes"),
        ("é", 0o600, "ASCII"),
    ],
)
def test_a_bad_file_of_secrets_is_refused(tmp_path: Path, content: str, mode: int, message: str) -> None:
    """Open to others, with none or too many, or with what is no secret: the file is named."""
    with pytest.raises(KeyFileError, match=message) as error:
        read_endpoints(with_secrets(tmp_path, content, mode=mode))
    assert str(tmp_path / "backend.secret") in str(error.value)


def test_no_two_endpoints_have_one_secret(tmp_path: Path) -> None:
    """Nor does one have a secret twice: each could forge messages to the other."""
    path = with_secrets(tmp_path, SECRET_A)
    path.write_text(path.read_text().replace('role = "platform"', 'role = "platform"\nsecret_file = "backend.secret"'))
    with pytest.raises(InvalidRequestError, match="used twice"):
        read_endpoints(path)
    (tmp_path / "backend.secret").unlink()
    with pytest.raises(KeyFileError, match="no key file"):
        read_endpoints(path)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[[endpoint]]", "[endpoint.x]", "cannot read"),
        (GOOD, "", "tables"),
        (GOOD, "endpoint = 3", "tables"),
        (GOOD, "endpoint = [3]", "tables"),
        ("[[endpoint]]", "x = 1\n[[endpoint]]", "nothing else"),
        ("[[endpoint]]", "[[endpoint", "cannot read"),
        ('name = "backend"', "", "needs a `name`"),
        ('name = "backend"', 'name = "Back end"', "needs a `name`"),
        ('name = "backend"', 'name = "shorts"', "two endpoints have one name"),
        ('role = "app"', 'role = "app"\nsecret = "x"', "backend: unknown secret"),
        ('role = "app"', 'role = "app"\nsecret_file = 3', "backend: `secret_file`"),
        ('role = "app"', 'role = "owner"', "backend: `role` must be one of app, generator, platform"),
        ('role = "app"', 'role = "generator"', "backend: `id`"),
        ('id = "shorts.example"', 'id = ""', "shorts: `id`"),
        ('id = "shorts.example"', "id = 3", "shorts: `id`"),
        ("private = true", 'private = "yes"', "shorts: `private`"),
        ("private = true", "private = false", "shorts: `url` must be https"),
        ("https://app.example/hooks?key=1", "http://app.example/", "backend: `url` must be https"),
        ("https://app.example/hooks?key=1", "ftp://app.example/", "backend: `url` must be https"),
        ("https://app.example/hooks?key=1", "https://me:pass@app.example/", "backend: `url` must name a host"),
        ("https://app.example/hooks?key=1", "https:///hooks", "backend: `url` must name a host"),
        ("https://app.example/hooks?key=1", "https://app.example/#x", "backend: `url` must name a host"),
        ("https://app.example/hooks?key=1", "https://app.example:99999/", "backend: `url` must name a host"),
        ("https://app.example/hooks?key=1", "https://äpp.example/", "backend: `url` must be a URL"),
        ('"deleted"', '"created"', "shorts: `events` must be some of"),
        ('["removal_requested", "deleted"]', "[]", "shorts: `events`"),
        ('["removal_requested", "deleted"]', "3", "shorts: `events`"),
    ],
)
def test_a_malformed_file_is_refused_by_name(tmp_path: Path, before: str, after: str, message: str) -> None:
    """What is wrong with which endpoint is said, and the file is named."""
    path = tmp_path / "webhooks.toml"
    path.write_text(GOOD.replace(before, after, 1))
    with pytest.raises(InvalidRequestError, match=message) as error:
        read_endpoints(path)
    assert str(path) in str(error.value)


async def test_a_server_does_not_start_without_its_endpoints(tmp_path: Path) -> None:
    """A file that is named and not there is said at start."""
    settings = Settings(listen="127.0.0.1:0", data=tmp_path / "data", webhooks=tmp_path / "none.toml", gallery=False)
    with pytest.raises(InvalidRequestError, match=r"none\.toml"):
        await open_server(settings)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"),
        *("[::1]", "[::]", "0", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a9fe:a9fe]"),
        *("[2002:7f00:1::]", "localhost", "2130706433", "0x7f.1"),
    ],
)
async def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    """However it is spelled, an address of this machine or of a private network is not connected to."""
    assert await posted(f"https://{host}:9/", private=False) == "an address that is not public"


@pytest.mark.parametrize("host", ["169.254.169.254", "224.0.0.1", "0", "[fe80::1]", "[::ffff:169.254.169.254]"])
async def test_some_addresses_are_refused_whatever_the_site_allows(host: str) -> None:
    """Link-local addresses, where clouds keep their secrets, multicast and the unspecified address are never connected to."""
    assert await posted(f"https://{host}:9/", private=True) == "an address that is not public"


async def test_a_name_that_also_has_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address that is not public among several is enough, and plain http goes to loopback alone."""
    found: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        assert host == "shorts.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    found[:] = ["93.184.215.14", "10.0.0.1"]
    assert await posted("https://shorts.example/", private=False) == "an address that is not public"
    found[:] = ["10.0.0.1"]
    assert await posted("http://shorts.example/", private=True) == "an address that is not public"
    found[:] = []
    assert await posted("https://shorts.example/", private=True) == "an address that is not public"


async def test_the_address_that_was_looked_at_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once for a connection, so an answer that changes a moment later changes nothing."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, **how: Any) -> list[Any]:
        asked.append(host)
        return list(real("127.0.0.1" if host == "shorts.example" else host, port, **how))

    async with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert not await posted(receiver.url.replace("127.0.0.1", "shorts.example"), private=True)
        assert asked.count("shorts.example") == 1
        assert receiver.came[0].headers["host"].startswith("shorts.example:")


@pytest.mark.parametrize(
    ("name", "trusted", "expected"),
    [
        ("shorts.example", True, ""),
        ("shorts.example", False, "no connection: ConnectError"),
        ("other.example", True, "no connection: ConnectError"),
    ],
)
async def test_a_receivers_certificate_is_checked_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str, *, trusted: bool
) -> None:
    """The certificate must be trusted and for the name in the URL, though the connection goes to an address."""
    certificate = certify("shorts.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate if trusted else certify("elsewhere.example", tmp_path)))
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **how: real("127.0.0.1", port, **how))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /hook HTTP/1.1\r\nHost: shorts.example:")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await posted(f"https://{name}:{port}/hook", private=True) == expected


def certify(name: str, folder: Path) -> Path:
    """Make a certificate that signs itself, and write it behind its key."""
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, None)
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


async def test_what_a_receiver_does_wrong_is_said_in_few_words() -> None:
    """A status, a redirect, silence, TLS where there is none and a closed port each have their message; nobody is followed."""
    async with receiving() as receiver:
        receiver.script = [201, 500, "redirect", "hang"]
        said = [await posted(receiver.url, private=True) for _ in receiver.script[:]]
        assert said == ["", "status 500", "redirect 307, which is not followed", "no answer within 2 s"]
        assert {each.path for each in receiver.came} == {"/hook"}
        assert await posted(receiver.url.replace("http:", "https:"), private=True) == "no connection: ConnectError"
        closed = receiver.url
    assert await posted(closed, private=True) == "no connection: ConnectError"
    assert (await posted("https://nowhere.invalid/", private=True)).startswith("no connection: ")


def test_an_address_inside_another_is_found() -> None:
    """Mapped, 6to4, Teredo and NAT64 addresses are judged by the IPv4 address they lead to; others by themselves."""
    for outer, inner in (
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2002:0a00:0001::", "10.0.0.1"),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "10.0.0.1"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"),
        ("2606:4700::1", "2606:4700::1"),
        ("10.0.0.1", "10.0.0.1"),
    ):
        assert embedded(ip_address(outer)) == ip_address(inner)
