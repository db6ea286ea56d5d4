"""The status of a credential from its issue to its revocation, as anybody reads it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest

from cameo.v1.credential_service_pb2 import GetKeysRequest, GetStatusListRequest
from cameo_credential import decoys
from cameo_credential.encoding import from_base64url
from cameo_credential.errors import KeyFileError
from cameo_credential.issuer_keys import ES256, IssuerKeys, SigningKey, VerificationKeys
from cameo_credential.receipt import open_receipt
from cameo_credential.status_list import read_list
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_credential.token_status import Status
from cameo_verifier.errors import NotFoundError, StoreError
from cameo_verifier.status.index_allocator import IndexAllocator, list_of, uri_of
from cameo_verifier.status.publisher import StatusPublisher
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db.engine import open_database
from tests.grpc.client import AUDIENCE, refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cameo_credential.status_list import StatusListToken
    from tests.grpc.server import OpenServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "https://issuer.example"
URI = f"{BASE}/status/1"
INTERVAL = timedelta(minutes=5)


class Site:
    """A store with its allocator and publisher, a clock that is moved by hand and a seeded draw."""

    def __init__(self, url: str) -> None:
        self.engine = open_database(url)
        self.now = NOW
        self.keys = IssuerKeys(SigningKey.generate(now=NOW))
        self.store = StatusStore(self.engine)
        draw = random.Random(7)  # noqa: S311 - a test that draws the same each time
        self.allocator = IndexAllocator(self.store, BASE, 4096, draw.randrange, lambda: draw.randbytes(32))
        self.publisher = StatusPublisher(self.store, keys=lambda: self.keys, base=BASE, interval=INTERVAL, clock=lambda: self.now)

    def read(self, uri: str = URI) -> StatusListToken:
        """Fetch a list and read it as anybody would."""
        token = self.publisher.get(uri).token
        return read_list(token, issuer_keys=self.keys.public(), expected_uri=uri, now=self.now)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site without credentials."""
    made = Site(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    yield made
    made.engine.dispose()


def test_each_credential_shows_its_own_status_and_nothing_comes_back(site: Site) -> None:
    """Over rounds of issuing and revoking every credential reads as it is, and no entry comes back from being revoked."""
    choose = random.Random(3)  # noqa: S311 - the same
    expected: dict[str, Status] = {}
    places = {}
    seen = np.zeros(4096, bool)
    for step in range(8):
        for number in range(30):
            jti = f"{step}-{number}"
            places[jti] = site.allocator.allot(jti, now=site.now)
            expected[jti] = Status.VALID
        for jti in choose.sample(sorted(expected), 12):
            expected[jti] = site.store.change(jti, choose.choice([Status.INVALID, Status.SUSPENDED, Status.VALID]))
        site.now += INTERVAL
        statuses = site.read().statuses
        assert {jti: Status(statuses[places[jti].index]) for jti in expected} == expected
        revoked = np.array([statuses[index] == Status.INVALID for index in range(len(statuses))])
        assert not (seen & ~revoked).any()
        seen = revoked
    assert len({place.index for place in places.values()}) == 240
    assert {place.uri for place in places.values()} == {URI}
    assert seen.sum() == decoys.GROUP * list(expected.values()).count(Status.INVALID)


def test_a_fresh_credential_is_valid_in_the_list_everybody_has(site: Site) -> None:
    """An index that the last published list shows as revoked or suspended is not given out."""
    for number in range(100):
        site.allocator.allot(f"old-{number}", now=site.now)
    for number in range(50):
        site.store.change(f"old-{number}", Status.INVALID if number % 2 else Status.SUSPENDED)
    published = site.read().statuses
    fresh = [site.allocator.allot(f"new-{number}", now=site.now) for number in range(100)]
    assert {published[place.index] for place in fresh} == {Status.VALID}


def test_a_list_is_made_once_an_interval(site: Site) -> None:
    """Within the interval everybody gets the same token and a revocation does not show; after it, it does."""
    place = site.allocator.allot("a", now=site.now)
    first = site.publisher.get(URI)
    site.store.change("a", Status.INVALID)
    site.now += INTERVAL - timedelta(seconds=1)
    assert site.publisher.get(URI) is first
    site.now += timedelta(seconds=1)
    assert site.read().statuses[place.index] == Status.INVALID
    second = site.publisher.get(URI)
    assert (second.made_at, second.next_at, second.ends_at) == (NOW + INTERVAL, NOW + 2 * INTERVAL, NOW + 3 * INTERVAL)
    assert second.etag != first.etag
    assert site.read().ttl == 2 * INTERVAL
    assert site.publisher.refresh() == 1


def test_a_list_outlives_the_database_until_its_own_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is down the last list is given out, as long as it is good; then the error is."""
    site.allocator.allot("a", now=site.now)
    first = site.publisher.get(URI)

    def fail(_: int) -> None:
        raise StoreError("down")

    monkeypatch.setattr(site.store, "get_list", fail)
    site.now = first.ends_at - timedelta(seconds=1)
    assert site.publisher.get(URI) is first
    site.now = first.ends_at
    with pytest.raises(StoreError, match="down"):
        site.publisher.get(URI)


def test_a_list_outlives_the_key_until_its_own_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While no key can sign, a token that was removed for one, the last list is given out, as long as it is good."""
    site.allocator.allot("a", now=site.now)
    first = site.publisher.get(URI)

    def fail() -> None:
        raise KeyFileError("away")

    monkeypatch.setattr(site.publisher, "_keys", fail)
    site.now = first.ends_at - timedelta(seconds=1)
    assert site.publisher.get(URI) is first
    site.now = first.ends_at
    with pytest.raises(KeyFileError, match="away"):
        site.publisher.get(URI)


def test_a_full_list_is_followed_by_the_next_and_stays_published(site: Site) -> None:
    """Beyond half of its groups credentials go to a second list, and both can be read."""
    draw = random.Random(1)  # noqa: S311 - the same
    allocator = IndexAllocator(site.store, BASE, 1024, draw.randrange, lambda: bytes(32))
    places = [allocator.allot(str(number), now=NOW) for number in range(65)]
    assert [place.uri for place in places[63:]] == [URI, f"{BASE}/status/2"]
    assert len({place.index for place in places[:64]}) == 64
    site.store.change("0", Status.INVALID)
    assert site.read().statuses[places[0].index] == Status.INVALID
    assert site.read(places[64].uri).statuses[places[64].index] == Status.VALID


def test_a_list_has_one_uri() -> None:
    """Only the spelling that credentials name is the list's; nothing else is taken for a number."""
    assert uri_of("https://issuer.example/", 7) == f"{BASE}/status/7"
    assert list_of(BASE, f"{BASE}/status/7") == (7, "Ed25519")
    assert list_of(BASE, uri_of(BASE, 7, ES256)) == (7, ES256)
    for uri in (
        "",
        "7",
        f"{BASE}/status/",
        f"{BASE}/status/07",
        f"{BASE}/status/-1",
        f"{BASE}/status/٧",
        f"{BASE}/status/1?",
        f"{BASE}/status/1/",
        f"{BASE}/status/1/Ed25519",
        f"{BASE}/status/1/HS256",
        f"{BASE}/status/1/ES256/",
        URI * 2,
    ):
        assert list_of(BASE, uri) is None
    assert list_of(BASE, f"{BASE}/status/{'1' * 5000}") is None


def test_a_list_is_signed_by_each_algorithm(site: Site) -> None:
    """Both say the same, of one moment; without a key for it there is no such list, and a new key has one at once."""
    place = site.allocator.allot("jti-1", now=NOW, algorithm=ES256)
    assert place.uri == f"{URI}/ES256"
    plain = site.publisher.get(URI)
    with pytest.raises(NotFoundError):
        site.publisher.get(place.uri)
    site.keys = replace(site.keys, es256=SigningKey.generate(now=NOW, algorithm=ES256))
    site.store.change("jti-1", Status.INVALID)
    one, other = site.read(place.uri), site.read(URI)
    assert one.statuses[place.index] == Status.INVALID
    assert (one.issued_at, list(one.statuses.packed)) == (other.issued_at, list(other.statuses.packed))
    assert site.publisher.get(URI) is not plain
    assert json.loads(from_base64url(site.publisher.get(place.uri).token.partition(".")[0]))["alg"] == ES256


def test_a_list_that_is_not_there_is_not_found(site: Site) -> None:
    """Another issuer's URI and a number nobody has are the same to the caller."""
    for uri in ("https://other.example/status/1", f"{BASE}/status/2"):
        with pytest.raises(NotFoundError):
            site.publisher.get(uri)


async def test_a_receipt_names_its_place_and_its_revocation_is_published(serve: OpenServer, tmp_path: Path) -> None:
    """A receipt names a place in a list that is served and, an interval later, shows the revocation."""
    now = datetime.now(UTC)
    async with serve(clock=lambda: now, status_capacity=2048, issuer=BASE) as client:
        answer = await client.verify((await client.challenge()).id, b"accept")
        keys = VerificationKeys.from_jwks(json.loads((await client.credentials.GetKeys(GetKeysRequest())).jwks))
        expectations = {
            "issuer_keys": keys,
            "expected_audience": AUDIENCE,
            "expected_issuer": BASE,
            "status": UNSAFE_NO_STATUS_CHECK,
            "now": now,
        }
        opened = open_receipt(answer.receipt.token, **expectations)
        place = opened.status
        assert place is not None
        assert place.uri == URI

        async def status() -> int:
            published = await client.credentials.GetStatusList(GetStatusListRequest(uri=URI))
            read = read_list(published.token, issuer_keys=keys, expected_uri=URI, now=now)
            assert published.make_time.ToDatetime(tzinfo=UTC) == read.issued_at
            assert published.expire_time.ToDatetime(tzinfo=UTC) == read.expires_at
            assert len(read.statuses) == 2048
            return read.statuses[place.index]

        assert await status() == Status.VALID
        engine = open_database(f"sqlite:///{tmp_path / 'data' / 'cameo.sqlite3'}")
        StatusStore(engine).change(opened.jti, Status.INVALID)
        engine.dispose()
        assert await status() == Status.VALID
        now += timedelta(seconds=300)
        assert await status() == Status.INVALID
        unknown = await refused(client.credentials.GetStatusList(GetStatusListRequest(uri=f"{BASE}/status/2")))
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "STATUS_LIST_UNKNOWN")
