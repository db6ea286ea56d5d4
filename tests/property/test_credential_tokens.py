from __future__ import annotations

import itertools
import string
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import Embedding, Provenance, compose, read_embedding
from cameo_credential.encoding import check_base64url, from_base64url, to_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.grant_token import GrantFacts, open_grant, sign_grant
from cameo_credential.issue import Issued, issue
from cameo_credential.issuer_keys import IssuerKeys, SigningKey, VerificationKeys
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.receipt import Receipt, issue_receipt, open_receipt
from cameo_credential.sd_jwt import shown
from cameo_credential.status_list import StatusList, StatusListToken, publish, read_list
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_credential.validator import OpenedCredential, open_credential
from cameo_verifier.cameo.grants import compose as compose_grant
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Grant, Terms, UseCategory

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALPHABET = string.ascii_letters + string.digits + "-_"
BEFORE_SIGNATURE = {"malformed", "unsupported_algorithm", "wrong_type", "not_for_this_key", "tampered"}
"""What a stranger's change to the envelope can lead to: nothing inside was looked at."""
URI = "https://issuer.example/status/1"
TTL = timedelta(minutes=5)
OF_WHAT_IS_SIGNED = {"malformed", "unsupported_algorithm", "wrong_type", "unknown_key", "bad_signature"}


def _no_newline(more: str) -> bool:
    """Whether a text is another than the line break that a file of a token may end with."""
    return more not in {"\n", "\r\n"}


@cache
def _issuer() -> tuple[IssuerKeys, VerificationKeys, AudienceKey]:
    keys = IssuerKeys(SigningKey.generate(now=NOW))
    return keys, keys.public(), AudienceKey.generate("https://generator.example")


@cache
def _issued() -> Issued:
    keys, _, audience = _issuer()
    return issue(
        issuer="https://issuer.example",
        subject="account-7",
        audience_key=audience.public(),
        keys=keys,
        pairwise=PairwiseKey(bytes(32)),
        now=NOW,
        ttl=timedelta(days=180),
        jti="jti-1",
        provenance=Provenance(
            "cameo", "attempt", "challenge", {"m": "0" * 64}, "default", "1" * 64, "2" * 64, ("phrase",), minor_safeguards=False
        ),
        face=_embedding(1),
        voice=_embedding(2),
    )


@cache
def _receipt() -> str:
    return issue_receipt(
        issuer="https://issuer.example",
        subject="account-7",
        audience="https://generator.example",
        keys=_issuer()[0],
        pairwise=PairwiseKey(bytes(range(32))),
        now=NOW,
        ttl=timedelta(days=180),
        jti="jti-1",
        provenance=Provenance("c", "a", "h", {"m": "0" * 64}, "default", "1" * 64, "2" * 64, ("phrase",), minor_safeguards=False),
        new_salt=map(str, itertools.count()).__next__,
    ).token


def _embedding(seed: int) -> Embedding:
    vector = np.random.default_rng(seed).normal(size=512)
    return Embedding("m", "0" * 64, (vector / np.linalg.norm(vector)).astype(np.float32))


def _open(token: str) -> OpenedCredential:
    return open_credential(
        token,
        audience_key=_issuer()[2],
        issuer_keys=_issuer()[1],
        expected_audience="https://generator.example",
        expected_issuer="https://issuer.example",
        status=UNSAFE_NO_STATUS_CHECK,
        now=NOW,
    )


def _open_receipt(token: str) -> Receipt:
    return open_receipt(
        token,
        issuer_keys=_issuer()[1],
        expected_audience="https://generator.example",
        expected_issuer="https://issuer.example",
        status=UNSAFE_NO_STATUS_CHECK,
        now=NOW,
    )


def _with(token: str, position: int, character: str) -> str:
    return token[:position] + character + token[position + 1 :]


@cache
def _grant() -> str:
    granted = Grant("grant-1", "https://generator.example", "fan", "job-1", ("cameo-1",), frozenset(), NOW, NOW + TTL)
    owner = Consent("1", "en", NOW, "0" * 64)
    terms = Terms(words=("no cats",), categories=frozenset(UseCategory))
    used = Cameo("cameo-1", "owner", "a", CameoState.CAMEO_ACTIVE, terms, False, owner, 1, NOW, NOW, "")  # noqa: FBT003
    return sign_grant(
        compose_grant(granted, (used,), issuer="https://issuer.example", pairwise=PairwiseKey(bytes(32))), keys=_issuer()[0]
    )


def _open_grant(token: str) -> GrantFacts:
    return open_grant(
        token,
        issuer_keys=_issuer()[1],
        expected_audience="https://generator.example",
        expected_issuer="https://issuer.example",
        now=NOW,
    )


@cache
def _list() -> str:
    statuses = StatusList.of(np.random.default_rng(3).integers(0, 3, 4096).astype(np.uint8))
    return publish(statuses, uri=URI, keys=_issuer()[0], now=NOW, ttl=TTL, lifetime=TTL)


def _read_list(token: str) -> StatusListToken:
    return read_list(token, issuer_keys=_issuer()[1], expected_uri=URI, now=NOW)


SIGNED: dict[str, tuple[Callable[[], str], Callable[[str], object]]] = {
    "receipt": (lambda: shown(_receipt(), ()), _open_receipt),
    "grant": (_grant, _open_grant),
    "status list": (_list, _read_list),
}
"""What anyone may read: a good token, and who opens it."""


def test_any_character_replaced_is_refused() -> None:
    """At every position of the token, another character of the alphabet makes it refused before anything inside is believed."""
    token = _issued().credential
    assert _open(token).jti == "jti-1"
    reasons = set()
    for position, character in enumerate(token):
        other = ALPHABET[(ALPHABET.index(character) + 1) % 64] if character != "." else "A"
        with pytest.raises(CredentialError) as refused:
            _open(_with(token, position, other))
        reasons.add(str(refused.value.reason))

    assert reasons <= BEFORE_SIGNATURE
    assert {"malformed", "not_for_this_key", "tampered"} <= reasons


def test_any_other_last_character_of_a_part_is_refused() -> None:
    """The last character of each part has bits that base64 does not use: all 63 others are refused all the same."""
    for token, opener in ((_issued().credential, _open), (_receipt(), _open_receipt)):
        parts = f"{token}~".rstrip("~") + "~"
        ends = [position - 1 for position, character in enumerate(parts) if character in ".~"]
        for end in ends:
            for other in set(ALPHABET) - {token[end]}:
                with pytest.raises(CredentialError):
                    opener(_with(token, end, other))


@pytest.mark.parametrize("kind", SIGNED)
def test_any_flipped_bit_of_what_is_signed_is_refused(kind: str) -> None:
    """Each of the eight bits of each byte of a receipt, a grant and a status list, flipped, makes it refused unread."""
    make, opener = SIGNED[kind]
    token = make().encode()
    opener(token.decode())
    reasons = set()
    for place, bit in itertools.product(range(len(token)), range(8)):
        flipped = bytearray(token)
        flipped[place] ^= 1 << bit
        with pytest.raises(CredentialError) as refused:
            opener(flipped.decode("latin-1"))
        reasons.add(str(refused.value.reason))
    assert {"malformed", "bad_signature"} <= reasons <= OF_WHAT_IS_SIGNED


@pytest.mark.parametrize("kind", SIGNED)
@settings(max_examples=200)
@given(data=st.data())
def test_any_changed_bytes_of_what_is_signed_are_refused(kind: str, data: st.DataObject) -> None:
    """Whatever several bytes become, wherever the token is cut or lengthened, and however its parts are put, it is refused."""
    make, opener = SIGNED[kind]
    token = make()
    changed = bytearray(token.encode())
    for place in data.draw(st.sets(st.integers(0, len(token) - 1), min_size=1, max_size=4)):
        changed[place] ^= data.draw(st.integers(1, 255))
    cut, more = data.draw(st.integers(0, len(token) - 1)), data.draw(st.text(min_size=1, max_size=8).filter(_no_newline))
    parts = token.split(".")
    shuffled = data.draw(st.permutations(parts).filter(lambda order: order != parts))
    for bad in (changed.decode("latin-1"), token[:cut], token + more, more + token, ".".join(shuffled)):
        with pytest.raises(CredentialError) as refused:
            opener(bad)
        assert str(refused.value.reason) in OF_WHAT_IS_SIGNED


@settings(max_examples=400)
@given(st.data())
def test_any_flipped_bits_of_any_byte_are_refused(data: st.DataObject) -> None:
    """Whatever bits of whatever byte flip, into the alphabet or out of it, the token is refused."""
    token = _issued().credential.encode()
    position = data.draw(st.integers(0, len(token) - 1))
    flipped = bytearray(token)
    flipped[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises(CredentialError) as refused:
        _open(flipped.decode("latin-1"))

    assert str(refused.value.reason) in BEFORE_SIGNATURE


@settings(max_examples=200)
@given(st.data())
def test_cut_lengthened_and_shuffled_tokens_are_refused(data: st.DataObject) -> None:
    """A token that lost, gained or swapped anything is refused, never an error of another kind."""
    token = _issued().credential
    cut = data.draw(st.integers(0, len(token) - 1))
    more = data.draw(st.text(max_size=8).filter(bool))
    parts = token.split(".")
    shuffled = data.draw(st.permutations(parts).filter(lambda order: order != parts))

    for bad in (token[:cut], token + more, more + token, ".".join(shuffled)):
        with pytest.raises(CredentialError) as refused:
            _open(bad)
        assert str(refused.value.reason) in BEFORE_SIGNATURE


@settings(max_examples=300)
@given(st.text(alphabet=ALPHABET + "=.+/ \n", max_size=40))
def test_base64url_has_one_spelling(text: str) -> None:
    """Text that decodes at all is exactly what encoding its bytes gives."""
    try:
        data = from_base64url(text)
    except ValueError:
        with pytest.raises(ValueError, match="base64url"):
            check_base64url(text)
        return
    assert to_base64url(data) == text
    check_base64url(text)


@settings(max_examples=100)
@given(st.binary(max_size=64))
def test_base64url_round_trips(data: bytes) -> None:
    """Every byte string comes back."""
    assert from_base64url(to_base64url(data)) == data


@settings(max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.text(min_size=1, max_size=40).filter(str.strip),
)
def test_composed_claims_keep_their_promises(seed: int, ttl_s: int, key_s: int, subject: str) -> None:
    """Whatever goes in: validity ends with the shorter of lifetime and key, and vectors survive."""
    face = _embedding(seed)
    claims = compose(
        issuer="https://issuer.example",
        subject=subject,
        audience="https://generator.example",
        pairwise=PairwiseKey(bytes(32)),
        now=NOW,
        ttl=timedelta(seconds=ttl_s),
        not_after=NOW + timedelta(seconds=key_s),
        jti="jti-1",
        provenance=Provenance("cameo", "attempt", "challenge", {}, "default", "1" * 64, "2" * 64, (), minor_safeguards=False),
        face=face,
        voice=_embedding(seed + 1),
    )

    assert claims["exp"] - claims["nbf"] == min(ttl_s, key_s)
    assert float(read_embedding(claims, "face").vector @ face.vector) > 1 - 1e-6
