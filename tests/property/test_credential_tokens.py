from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.credential.audience_keys import AudienceKey
from verifier.credential.claims import Embedding, Provenance, compose, compose_receipt, read_embedding
from verifier.credential.encoding import check_base64url, from_base64url, to_base64url
from verifier.credential.issue import Issued, issue
from verifier.credential.issuer_keys import IssuerKeys, SigningKey, VerificationKeys
from verifier.credential.pairwise import PairwiseKey
from verifier.credential.status_source import UNSAFE_NO_STATUS_CHECK
from verifier.credential.validator import OpenedCredential, Receipt, open_credential, open_receipt
from verifier.errors import CredentialError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALPHABET = string.ascii_letters + string.digits + "-_"
BEFORE_SIGNATURE = {"malformed", "unsupported_algorithm", "wrong_type", "not_for_this_key", "tampered"}
"""What a stranger's change to the envelope can lead to: nothing inside was looked at."""
OF_A_RECEIPT = {"malformed", "unsupported_algorithm", "wrong_type", "unknown_key", "bad_signature"}


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
    for token, opener in ((_issued().credential, _open), (_issued().receipt, _open_receipt)):
        ends = [position - 1 for position, character in enumerate(token) if character == "."] + [len(token) - 1]
        for end in ends:
            for other in set(ALPHABET) - {token[end]}:
                with pytest.raises(CredentialError):
                    opener(_with(token, end, other))


def test_any_character_of_a_receipt_replaced_is_refused() -> None:
    """At every position of a receipt, another character makes it refused before its claims are believed."""
    token = _issued().receipt
    assert _open_receipt(token).jti == "jti-1"
    for position, character in enumerate(token):
        other = ALPHABET[(ALPHABET.index(character) + 1) % 64] if character != "." else "A"
        with pytest.raises(CredentialError) as refused:
            _open_receipt(_with(token, position, other))
        assert str(refused.value.reason) in OF_A_RECEIPT


@settings(max_examples=400, deadline=None)
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


@settings(max_examples=200, deadline=None)
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


@settings(max_examples=300, deadline=None)
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


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_base64url_round_trips(data: bytes) -> None:
    """Every byte string comes back."""
    assert from_base64url(to_base64url(data)) == data


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.text(min_size=1, max_size=40).filter(str.strip),
)
def test_composed_claims_keep_their_promises(seed: int, ttl_s: int, key_s: int, subject: str) -> None:
    """Whatever goes in: validity ends with the shorter of lifetime and key, the receipt has no embedding, vectors survive."""
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
    assert "data" not in str(compose_receipt(claims))
    assert float(read_embedding(claims, "face").vector @ face.vector) > 1 - 1e-6
