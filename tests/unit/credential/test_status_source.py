"""Status checks of credentials, and their failing closed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_credential.claims import StatusReference
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.single_flight import FAILURE_REMEMBERED
from cameo_credential.status_list import StatusList, publish
from cameo_credential.status_source import MAX_LIST_BYTES, UNSAFE_NO_STATUS_CHECK, StatusSource, fetch_list
from tests.flights import Fetching
from tests.patience import PATIENCE_S
from tests.served_list import redirecting, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URI = "https://issuer.example/status/1"
TTL = timedelta(minutes=10)
VALID, REVOKED, SUSPENDED, UNDEFINED = range(4)


class Issuer:
    """Publishes one list of four, and counts who asks."""

    def __init__(self) -> None:
        self.keys = IssuerKeys(SigningKey.generate(now=NOW))
        self.statuses = [VALID, REVOKED, SUSPENDED, UNDEFINED]
        self.made_at = NOW
        self.asked = 0
        self.down = False

    def token(self, **changes: object) -> str:
        """Return the signed list."""
        arguments = {"uri": URI, "keys": self.keys, "now": self.made_at, "ttl": TTL, "lifetime": TTL * 6, **changes}
        return publish(StatusList.of(np.array(self.statuses, np.uint8)), **arguments)  # type: ignore[arg-type]

    def fetch(self, uri: str) -> str:
        """Return the same, unless the issuer is down."""
        assert uri == URI
        self.asked += 1
        if self.down:
            raise TimeoutError("secret detail")
        return self.token()


class Reader:
    """A source with a clock that is moved by hand."""

    def __init__(self, issuer: Issuer, fetch: Callable[[str], str] | None = None) -> None:
        self.issuer = issuer
        self.now = NOW
        self.source = StatusSource(fetch or issuer.fetch, clock=lambda: self.now)

    def ask(self, index: int | None = VALID, keys: IssuerKeys | None = None) -> str:
        """Return the refusal for an index, or "valid"."""
        reference = None if index is None else StatusReference(index, URI)
        try:
            self.source.require_valid(reference, issuer_keys=(keys or self.issuer.keys).public())
        except CredentialError as error:
            return str(error.reason)
        return "valid"


def test_the_list_decides() -> None:
    """Valid passes; revoked and suspended have their own reasons; no place, no such place and no such status are unknown."""
    reader = Reader(Issuer())
    answers = {index: reader.ask(index) for index in (None, 0, 1, 2, 3, 4)}
    unknown = "status_unknown"
    assert answers == {None: unknown, 0: "valid", 1: "revoked", 2: "suspended", 3: unknown, 4: unknown}
    assert reader.issuer.asked == 1


def test_a_list_is_kept_until_its_ttl_and_no_longer() -> None:
    """Until just before, what is revoked meanwhile passes and nobody is asked; at that moment it is refused."""
    reader = Reader(Issuer())
    assert reader.ask() == "valid"
    reader.issuer.statuses[0] = REVOKED
    reader.issuer.made_at = reader.now = NOW + TTL - timedelta(microseconds=1)
    assert (reader.ask(), reader.issuer.asked) == ("valid", 1)
    reader.now = NOW + TTL
    assert (reader.ask(), reader.issuer.asked) == ("revoked", 2)


def test_staleness_counts_from_when_a_list_was_made() -> None:
    """A list that lay somewhere for nearly its ttl is used for what is left of it; one that lay longer is not believed."""
    reader = Reader(Issuer())
    reader.now = NOW + TTL - timedelta(seconds=1)
    assert reader.ask() == "valid"
    reader.now = NOW + TTL
    assert (reader.ask(), reader.issuer.asked) == ("status_unknown", 2)


def test_without_a_fresh_list_nothing_is_valid() -> None:
    """While the list cannot be had a kept one serves until its ttl; then all is unknown, until one can be had again."""
    reader = Reader(Issuer())
    assert reader.ask() == "valid"
    reader.issuer.down = True
    assert reader.ask() == "valid"
    reader.now = NOW + TTL
    assert reader.ask() == "status_unknown"
    reader.now += FAILURE_REMEMBERED
    reader.issuer.down, reader.issuer.made_at = False, reader.now
    assert reader.ask() == "valid"


def test_only_the_issuers_own_list_is_believed() -> None:
    """Another key, another list, another type, a changed byte, a list of the future: unknown, whatever it says."""
    issuer, stranger = Issuer(), Issuer()
    changed = issuer.token()[:-2] + ("AA" if not issuer.token().endswith("AA") else "BB")
    future = issuer.token(now=NOW + timedelta(seconds=31))
    for token in (stranger.token(), issuer.token(uri=f"{URI}0"), "", "a.b.c", changed, future):
        assert Reader(issuer, lambda _, token=token: token).ask() == "status_unknown"
    ahead = issuer.token(now=NOW + timedelta(seconds=30))
    assert Reader(issuer, lambda _: ahead).ask() == "valid"


def test_a_list_kept_for_one_issuer_does_not_speak_for_another() -> None:
    """With other keys the list is fetched and verified anew, and not believed."""
    reader = Reader(Issuer())
    assert reader.ask() == "valid"
    assert reader.ask(keys=Issuer().keys) == "status_unknown"
    assert reader.issuer.asked == 2


def test_many_at_once_fetch_once() -> None:
    """Eight threads that ask while one fetches are all answered by that fetch."""
    issuer, fetching = Issuer(), Fetching(8)
    reader = Reader(issuer, lambda uri: fetching.fetch(lambda: issuer.fetch(uri)))
    assert (fetching.ask(lambda: reader.ask(REVOKED), reader.source), issuer.asked) == (["revoked"] * 8, 1)


def test_an_outage_queues_nobody() -> None:
    """Who waits for the fetch that fails is refused by it, and who asks in the moment after is refused at once."""
    issuer, fetching = Issuer(), Fetching(8)
    issuer.down = True
    reader = Reader(issuer, lambda uri: fetching.fetch(lambda: issuer.fetch(uri)))
    assert (fetching.ask(reader.ask, reader.source), issuer.asked) == (["status_unknown"] * 8, 1)
    reader.now += FAILURE_REMEMBERED - timedelta(microseconds=1)
    issuer.down = False
    assert (reader.ask(), issuer.asked) == ("status_unknown", 1)
    reader.now += timedelta(microseconds=1)
    assert (reader.ask(), issuer.asked) == ("valid", 2)


def test_a_list_that_cannot_be_had_holds_up_no_other() -> None:
    """While one list is being fetched another one answers."""
    issuer, begun, ended = Issuer(), threading.Event(), threading.Event()

    def fetch(uri: str) -> str:
        if uri != URI:
            begun.set()
            ended.wait(PATIENCE_S)
            raise TimeoutError
        return issuer.fetch(uri)

    reader = Reader(issuer, fetch)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(reader.source.require_valid, StatusReference(0, f"{URI}0"), issuer_keys=issuer.keys.public())
        assert begun.wait(PATIENCE_S)
        assert reader.ask() == "valid"
        ended.set()
        assert isinstance(other.exception(PATIENCE_S), CredentialError)


def test_why_a_list_is_missing_is_told_without_what_the_fetch_said() -> None:
    """The message names the URI and the kind of error; a foreign text stays out."""
    issuer = Issuer()
    issuer.down = True
    with pytest.raises(CredentialError, match=f"from {URI}: TimeoutError") as refused:
        StatusSource(issuer.fetch, clock=lambda: NOW).require_valid(StatusReference(0, URI), issuer_keys=issuer.keys.public())
    assert "secret detail" not in str(refused.value)


def test_opening_asks_last_and_for_both_kinds(world: World) -> None:
    """Credential and receipt are refused by the list they name, after everything else: who is not meant learns no status."""
    place = StatusReference(REVOKED, URI)
    issued, receipt = world.issue(status=place), world.receipt(status=place)
    issuer = Issuer()
    issuer.keys = world.keys
    source = Reader(issuer).source
    for call in (lambda **more: world.open(issued.credential, **more), lambda **more: world.open_receipt(receipt, **more)):
        with pytest.raises(CredentialError) as refused:
            call(status=source)
        assert refused.value.reason == "revoked"
        with pytest.raises(CredentialError) as refused:
            call(status=source, expected_audience="https://other.example")
        assert refused.value.reason == "wrong_audience"
        with pytest.raises(CredentialError) as refused:
            call(status=source, now=NOW + timedelta(days=4))
        assert refused.value.reason == "expired"
        assert call(status=UNSAFE_NO_STATUS_CHECK).jti == "jti-1"
    with pytest.raises(CredentialError) as refused:
        world.open(world.issue().credential, status=source)
    assert refused.value.reason == "status_unknown"


def test_whether_to_ask_has_to_be_said(world: World) -> None:
    """There is no default: opening without `status` is an error of the program."""
    expectations = {name: value for name, value in world.expectations().items() if name != "status"}
    from cameo_credential.receipt import open_receipt  # noqa: PLC0415 - beside what it is about

    with pytest.raises(TypeError, match="status"):
        open_receipt(world.receipt(), **expectations)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(code: int) -> None:
    """Not even to a good list: it would lead where nobody checked the scheme or the machine."""
    with serving(lambda: b"a.b.c") as good, redirecting(code, good) as uri, pytest.raises(OSError, match=str(code)):
        fetch_list(uri)


def test_lists_are_fetched_over_https_or_from_this_machine() -> None:
    """A list on loopback is read; plain http elsewhere, a file and what is too long are not."""
    with serving(lambda: b"a.b.c\n") as uri:
        assert fetch_list(uri) == "a.b.c"
        with pytest.raises(OSError, match="404"):
            fetch_list(f"{uri}0")
    for uri in ("http://issuer.example/status/1", "file:///etc/passwd", "ftp://127.0.0.1/status/1", "status/1"):
        with pytest.raises(ValueError, match="https"):
            fetch_list(uri)
    with serving(lambda: b"a" * (MAX_LIST_BYTES + 1)) as uri, pytest.raises(ValueError, match="bytes"):
        fetch_list(uri)
