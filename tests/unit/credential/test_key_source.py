"""The key source: an issuer's rotations followed, its outages outlived, and strangers kept from making it fetch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cameo_credential import KeySource
from cameo_credential.errors import CredentialError
from cameo_credential.fetching import fetch
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.key_source import MAX_AGE, MAX_KEYS_BYTES, MIN_INTERVAL, USABLE, fetch_keys
from tests.flights import Fetching
from tests.served_list import redirecting, serving

if TYPE_CHECKING:
    from conftest import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URI = "https://issuer.example/.well-known/jwks.json"
JWK_SET = "application/jwk-set+json"
TICK = timedelta(microseconds=1)


class Issuer:
    """Publishes the keys of a world, and counts who asks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys = world.keys
        self.now = NOW
        self.asked = 0
        self.answer: bytes | None = None
        self.source = KeySource(URI, self.fetch, clock=lambda: self.now)

    def fetch(self, uri: str) -> bytes:
        """Return the set, or what is to be answered instead; nothing means down."""
        assert uri == URI
        self.asked += 1
        if self.answer == b"":
            raise TimeoutError("secret detail")
        return self.answer or json.dumps(self.keys.public().to_jwks()).encode()

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.keys = IssuerKeys(SigningKey.generate(now=NOW), (self.keys.active.public(),))

    def refusal(self, keys: IssuerKeys | None = None) -> str:
        """Return why a credential is refused that is signed now, empty if it is not."""
        try:
            self.world.open(self.world.issue(keys=keys or self.keys).credential, issuer_keys=self.source)
        except CredentialError as error:
            return str(error.reason)
        return ""


@pytest.fixture
def issuer(world: World) -> Issuer:
    """An issuer whose keys nobody has asked for."""
    return Issuer(world)


def test_a_set_is_used_for_an_hour(issuer: Issuer) -> None:
    """Tokens of known keys cost one fetch an hour; a key that is distrusted meanwhile is refused then."""
    first = issuer.keys
    assert [issuer.refusal() for _ in range(3)] == [""] * 3
    issuer.now += MAX_AGE - TICK
    assert (issuer.refusal(), issuer.asked) == ("", 1)
    issuer.keys = IssuerKeys(SigningKey.generate(now=NOW))
    issuer.now += TICK
    assert (issuer.refusal(first), issuer.asked) == ("unknown_key", 2)


def test_a_rotation_is_no_outage(issuer: Issuer) -> None:
    """A key that signs at once is known at the first token it signed, and the former one still is."""
    first = issuer.keys
    assert issuer.refusal() == ""
    issuer.rotate()
    issuer.now += MIN_INTERVAL
    assert (issuer.refusal(), issuer.refusal(first), issuer.asked) == ("", "", 2)


def test_made_up_keys_make_nobody_fetch(issuer: Issuer) -> None:
    """At most one fetch an interval; a name that is no thumbprint costs none."""
    assert issuer.source.find(issuer.keys.active.kid) is not None
    for _ in range(100):
        assert issuer.refusal(IssuerKeys(SigningKey.generate(now=NOW))) == "unknown_key"
    assert issuer.asked == 1
    issuer.now += MIN_INTERVAL
    for name in ("", "x", "A" * 42, "A" * 44, "é" * 43, "A" * 43 + "\n"):
        assert issuer.source.find(name) is None
    assert issuer.asked == 1
    for _ in range(100):
        assert issuer.source.find("A" * 43) is None
    assert issuer.asked == 2


def test_an_outage_is_outlived_for_a_day(issuer: Issuer) -> None:
    """Known keys verify, an unknown one is `keys_unknown`, asked for once an interval; after a day nothing verifies."""
    assert issuer.refusal() == ""
    issuer.answer = b""
    issuer.now += MAX_AGE
    assert [issuer.refusal() for _ in range(3)] == [""] * 3
    assert issuer.asked == 2
    issuer.now += MIN_INTERVAL - TICK
    assert (issuer.refusal(IssuerKeys(SigningKey.generate(now=NOW))), issuer.asked) == ("keys_unknown", 2)
    issuer.now = NOW + USABLE - TICK
    assert issuer.refusal() == ""
    issuer.now = NOW + USABLE
    assert issuer.refusal() == "keys_unknown"
    issuer.now += MIN_INTERVAL
    issuer.answer = None
    assert issuer.refusal() == ""


@pytest.mark.parametrize("answer", [b"", b"\xff", b"<html>", b"[]", b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"oct","k":"AA"}]}'])
def test_what_is_no_key_set_is_not_believed(issuer: Issuer, answer: bytes) -> None:
    """Without a set nothing is accepted, and the message names the URI and nothing that a stranger said."""
    issuer.answer = answer
    assert issuer.refusal() == "keys_unknown"
    with pytest.raises(CredentialError, match=URI) as refused:
        issuer.source.current()
    assert "secret detail" not in str(refused.value)


def test_many_at_once_fetch_once(issuer: Issuer) -> None:
    """Eight threads that ask while one fetches are all answered by that fetch."""
    fetching = Fetching(8)
    source = KeySource(URI, lambda uri: fetching.fetch(lambda: issuer.fetch(uri)), clock=lambda: NOW)
    assert {keys.find(issuer.keys.active.kid) for keys in fetching.ask(source.current, source)} == {issuer.keys.active.public()}
    assert issuer.asked == 1


def test_a_clock_that_is_set_back_makes_a_set_no_younger(issuer: Issuer) -> None:
    """A set that is from the future is fetched again."""
    assert issuer.refusal() == ""
    issuer.now -= timedelta(days=1)
    assert (issuer.refusal(), issuer.asked) == ("", 2)


def test_keys_are_fetched_over_https_or_from_this_machine() -> None:
    """A set on loopback is read; other schemes, redirects, and what is too long or takes too long are not."""
    for uri in ("http://issuer.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/keys", "keys"):
        with pytest.raises(ValueError, match="https"):
            KeySource(uri)
        with pytest.raises(ValueError, match="https"):
            fetch_keys(uri)
    with serving(lambda: b"{}", JWK_SET) as good:
        assert fetch_keys(good) == b"{}"
        for code in (301, 302, 303, 307, 308):
            with redirecting(code, good) as uri, pytest.raises(OSError, match=str(code)):
                fetch_keys(uri)
        slow: dict[str, Any] = {"accept": JWK_SET, "max_bytes": 9, "what": "a key set", "total_s": 0.0}
        with pytest.raises(TimeoutError, match="longer"):
            fetch(good, **slow)
    with serving(lambda: b"a" * (MAX_KEYS_BYTES + 1), JWK_SET) as uri, pytest.raises(ValueError, match="bytes"):
        fetch_keys(uri)
