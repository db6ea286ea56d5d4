"""Status lists: the draft's own vectors, and a reader's refusals."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.encoding import to_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.refusal import Refusal
from cameo_credential.signer import TokenType, sign
from cameo_credential.status_list import StatusList, publish, read_list
from cameo_credential.token_status import Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URI = "https://cameo.example/status/1"
KEYS = IssuerKeys(SigningKey.generate(now=NOW))
# draft-ietf-oauth-status-list, section 4.1 and the appendix "Test vectors for Status List encoding".
ONE_BIT = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
TWO_BITS = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
LONG_ENTRIES = (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345)
LONG_ONE_BIT = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "XG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)


def published(**changes: object) -> str:
    arguments = {"uri": URI, "keys": KEYS, "now": NOW, "ttl": timedelta(minutes=5), "lifetime": timedelta(hours=1), **changes}
    return publish(StatusList.of(np.array([0, 1, 2, 0], np.uint8)), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "bits", "packed", "lst"),
    [(ONE_BIT, 1, b"\xb9\xa3", "eNrbuRgAAhcBXQ"), (TWO_BITS, 2, b"\xc9\x44\xf9", "eNo76fITAAPfAgc")],
)
def test_lists_are_written_as_the_draft_writes_them(statuses: list[int], bits: int, packed: bytes, lst: str) -> None:
    """The two lists of section 4 pack into the bytes and the text that stand there, and are read back."""
    made = StatusList.of(np.array(statuses, np.uint8), bits=bits)
    assert made.packed.tobytes() == packed
    assert made.to_json() == {"bits": bits, "lst": lst}
    read = StatusList.from_json({"bits": bits, "lst": lst})
    assert [read[index] for index in range(len(read))] == statuses


def test_the_long_list_of_the_draft_is_read() -> None:
    """The list of 2**20 entries in the appendix has its eleven entries set and no other."""
    read = StatusList.from_json({"bits": 1, "lst": LONG_ONE_BIT})
    assert len(read) == 2**20
    assert int(np.unpackbits(read.packed).sum()) == len(LONG_ENTRIES)
    assert [read[index] for index in LONG_ENTRIES] == [1] * len(LONG_ENTRIES)


@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_every_status_is_read_where_it_was_written(bits: int, data: st.DataObject) -> None:
    """Whatever the width and the length, each index gives back its own status."""
    statuses = data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=40))
    read = StatusList.from_json(StatusList.of(np.array(statuses, np.uint8), bits=bits).to_json())
    assert [read[index] for index in range(len(statuses))] == statuses


@pytest.mark.parametrize(
    "document",
    [
        None,
        {"bits": 3, "lst": "eNrbuRgAAhcBXQ"},
        {"bits": 1},
        {"bits": 1, "lst": "eNrbuRgAAhcBX"},
        {"bits": 1, "lst": to_base64url(b"plain")},
        {"bits": 1, "lst": to_base64url(zlib.compress(bytes(1000))[:-4])},
        {"bits": 1, "lst": to_base64url(zlib.compress(bytes(17 * 1024 * 1024)))},
    ],
)
def test_what_is_no_list_is_refused(document: object) -> None:
    """Another width, no text, text that does not unpack, that is cut off, or that unpacks to too much, is no list."""
    with pytest.raises(ValueError, match="lst"):
        StatusList.from_json(document)


def test_a_status_that_does_not_fit_is_refused() -> None:
    """Nothing is cut off silently on packing, and no index beyond the end has a status."""
    with pytest.raises(ValueError, match="does not fit"):
        StatusList.of(np.array([2], np.uint8), bits=1)
    with pytest.raises(ValueError, match="bits"):
        StatusList.of(np.array([0], np.uint8), bits=3)
    for index in (-1, 4):
        with pytest.raises(IndexError):
            StatusList.of(np.zeros(4, np.uint8))[index]


def test_a_published_list_is_read_back() -> None:
    """The reader gets the statuses, the time and how long it may keep them."""
    read = read_list(published(), issuer_keys=KEYS.public(), expected_uri=URI, now=NOW)
    assert [read.statuses[index] for index in range(4)] == [Status.VALID, Status.INVALID, Status.SUSPENDED, Status.VALID]
    assert (read.issued_at, read.ttl, read.expires_at) == (NOW, timedelta(minutes=5), NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("token", "uri", "now", "reason"),
    [
        (published(), "https://cameo.example/status/2", NOW, Refusal.WRONG_LIST),
        (published(), URI, NOW - timedelta(seconds=1), Refusal.NOT_YET_VALID),
        (published(), URI, NOW + timedelta(hours=1), Refusal.EXPIRED),
        (published(keys=IssuerKeys(SigningKey.generate(now=NOW))), URI, NOW, Refusal.UNKNOWN_KEY),
        (sign({"sub": URI}, key=KEYS.active, typ=TokenType.RECEIPT), URI, NOW, Refusal.WRONG_TYPE),
        (sign({"sub": URI}, key=KEYS.active, typ=TokenType.STATUS_LIST), URI, NOW, Refusal.MALFORMED),
        ("e30.e30.e30", URI, NOW, Refusal.MALFORMED),
    ],
)
def test_a_list_is_refused_for_its_own_reason(token: str, uri: str, now: datetime, reason: Refusal) -> None:
    """Another list, another time, another key, another type: each is told apart."""
    with pytest.raises(CredentialError) as refusal:
        read_list(token, issuer_keys=KEYS.public(), expected_uri=uri, now=now)
    assert refusal.value.reason == reason


@given(st.data())
def test_each_flipped_bit_of_a_list_is_refused(data: st.DataObject) -> None:
    """Whatever bit of the token is changed, nobody believes it."""
    token = bytearray(published(), "ascii")
    place = data.draw(st.integers(0, 8 * len(token) - 1))
    token[place // 8] ^= 1 << place % 8
    with pytest.raises(CredentialError):
        read_list(token.decode("latin-1"), issuer_keys=KEYS.public(), expected_uri=URI, now=NOW)
