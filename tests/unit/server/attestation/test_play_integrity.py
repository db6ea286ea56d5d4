"""Play Integrity: tokens under keys of the test's own, each bit of them changed, and ones that are wrong in one thing."""

from __future__ import annotations

import string
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING

import pytest
from joserfc import jwe

from cameo_credential.encoding import to_base64url
from cameo_credential.errors import KeyFileError
from cameo_verifier.attestation_settings import PlayIntegritySettings
from cameo_verifier.server.attestation.errors import AttestationError
from cameo_verifier.server.attestation.play_integrity import PlayIntegrity
from tests.attested import NOW, PACKAGE, Google

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = sha256(b"nonce and key").digest()
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


@pytest.fixture
def google() -> Google:
    return Google()


def verifier(google: Google, folder: Path, **given: object) -> PlayIntegrity:
    """Return a verifier with the keys that a site has in a file."""
    return PlayIntegrity.of(PlayIntegritySettings(app=PACKAGE, **given), google.keys(folder / "keys"))


def test_a_token_verifies(google: Google, tmp_path: Path) -> None:
    """Bound by `nonce`, which Android pads, or by `requestHash`."""
    site = verifier(google, tmp_path)
    site.verify(google.attest(DIGEST), DIGEST, NOW)
    site.verify(google.attest(DIGEST, requestDetails={"nonce": to_base64url(DIGEST) + "="}), DIGEST, NOW)
    site.verify(google.attest(DIGEST, requestDetails={"nonce": None, "requestHash": to_base64url(DIGEST)}), DIGEST, NOW)


def test_any_changed_bit_is_refused(google: Google, tmp_path: Path) -> None:
    """Of the text as it came, those that base64url leaves unused included."""
    site, token = verifier(google, tmp_path), google.attest(DIGEST)
    taken = []
    for at, bit in product(range(len(token)), range(6)):
        other = "A" if token[at] == "." else ALPHABET[ALPHABET.index(token[at]) ^ 1 << bit]
        try:
            site.verify(token[:at] + other + token[at + 1 :], DIGEST, NOW)
        except AttestationError:
            continue
        taken.append((at, bit))
    assert taken == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"requestDetails": {"nonce": to_base64url(bytes(32))}}, "another session"),
        ({"requestDetails": {"nonce": None}}, "another session"),
        ({"requestDetails": {"nonce": to_base64url(bytes(32)), "requestHash": to_base64url(DIGEST)}}, "another session"),
        ({"requestDetails": {"requestPackageName": "com.example.other"}}, "another app"),
        ({"appIntegrity": {"packageName": "com.example.other"}}, "another app"),
        ({"appIntegrity": {"packageName": None}}, "another app"),
        ({"appIntegrity": {"appRecognitionVerdict": "UNRECOGNIZED_VERSION"}}, "UNRECOGNIZED_VERSION"),
        ({"deviceIntegrity": {"deviceRecognitionVerdict": ["MEETS_BASIC_INTEGRITY"]}}, "MEETS_BASIC_INTEGRITY"),
        ({"deviceIntegrity": {"deviceRecognitionVerdict": []}}, "nothing"),
        ({"deviceIntegrity": {"deviceRecognitionVerdict": None}}, "nothing"),
    ],
)
def test_what_is_wrong_in_one_thing_is_refused(
    changed: dict[str, dict[str, object]], told: str, google: Google, tmp_path: Path
) -> None:
    with pytest.raises(AttestationError, match=told):
        verifier(google, tmp_path).verify(google.attest(DIGEST, **changed), DIGEST, NOW)


def test_a_site_says_which_verdicts_count(google: Google, tmp_path: Path) -> None:
    site = verifier(google, tmp_path, app_verdicts=("UNRECOGNIZED_VERSION",), device_verdicts=("MEETS_STRONG_INTEGRITY",))
    with pytest.raises(AttestationError, match="PLAY_RECOGNIZED"):
        site.verify(google.attest(DIGEST), DIGEST, NOW)
    app, device = {"appRecognitionVerdict": "UNRECOGNIZED_VERSION"}, {"deviceRecognitionVerdict": ["MEETS_STRONG_INTEGRITY"]}
    site.verify(google.attest(DIGEST, appIntegrity=app, deviceIntegrity=device), DIGEST, NOW)


def test_another_key_is_refused(google: Google, tmp_path: Path) -> None:
    """One that decrypts, one that signs, and what is encrypted and not signed."""
    site = verifier(google, tmp_path)
    for other in (Google(decryption=google.decryption), Google(verification=google.verification)):
        with pytest.raises(AttestationError, match="the app's keys"):
            site.verify(other.attest(DIGEST), DIGEST, NOW)
    unsigned = jwe.encrypt_compact({"alg": "A256KW", "enc": "A256GCM"}, b"{}", google.decryption)
    for token in (unsigned, "", ".", "a.b.c.d.e", "\N{LATIN SMALL LETTER E WITH ACUTE}"):
        with pytest.raises(AttestationError, match="the app's keys"):
            site.verify(token, DIGEST, NOW)


@pytest.mark.parametrize(
    "text", ["", "DECRYPTION_KEY=AAAA\n", "DECRYPTION_KEY=AAAA\nVERIFICATION_KEY=AAAA\n", "DECRYPTION_KEY=?\n"]
)
def test_a_file_without_both_keys_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(text, "ascii")
    with pytest.raises(KeyFileError, match="DECRYPTION_KEY=… and VERIFICATION_KEY=…"):
        PlayIntegrity.of(PlayIntegritySettings(app=PACKAGE), tmp_path / "keys")
    with pytest.raises(KeyFileError, match="cannot read"):
        PlayIntegrity.of(PlayIntegritySettings(app=PACKAGE), tmp_path / "none")
