"""What a site takes of what clients send as attestation, by its settings."""

from __future__ import annotations

import sys
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from cameo.v1.session_service_pb2 import Attestation
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.attestation_settings import AppAttestSettings, PlayIntegritySettings
from cameo_verifier.server.attestation import MAX_BYTES, Attestations
from cameo_verifier.server.attestation.app_attest import AppAttest
from cameo_verifier.server.wire.errors import RequestError, reason_of
from tests.attested import APP_ID, NOW, PACKAGE, Apple, Google

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = sha256(b"nonce and key").digest()


def refusal(site: Attestations, given: Attestation) -> tuple[str, str]:
    """Return the reason of a refusal, and the field."""
    with pytest.raises(RequestError) as caught:
        site.verify(given, DIGEST, NOW)
    return reason_of(caught.value), caught.value.metadata["field"]


def test_a_site_that_names_no_app_refuses_by_name() -> None:
    site = Attestations.of(AppAttestSettings(), PlayIntegritySettings())
    assert refusal(site, Attestation(app_attest=b"")) == ("REQUEST_INVALID", "attestation.app_attest")
    assert refusal(site, Attestation(play_integrity="")) == ("REQUEST_INVALID", "attestation.play_integrity")
    assert refusal(site, Attestation()) == ("REQUEST_INVALID", "attestation")


def test_each_platform_has_its_verifier(tmp_path: Path) -> None:
    apple, google = Apple(), Google()
    play = Attestations.of(AppAttestSettings(), PlayIntegritySettings(app=PACKAGE, keys=google.keys(tmp_path / "keys")))
    play.verify(Attestation(play_integrity=google.attest(DIGEST)), DIGEST, NOW)
    assert refusal(play, Attestation(play_integrity=google.attest(bytes(32)))) == ("ATTESTATION_INVALID", "play_integrity")
    assert refusal(play, Attestation(app_attest=b"")) == ("REQUEST_INVALID", "attestation.app_attest")
    both = Attestations(AppAttest([APP_ID], development=False, root=apple.root), None)
    both.verify(Attestation(app_attest=apple.attest(DIGEST)), DIGEST, NOW)
    assert refusal(both, Attestation(app_attest=apple.attest(bytes(32)))) == ("ATTESTATION_INVALID", "app_attest")
    assert refusal(both, Attestation(app_attest=bytes(MAX_BYTES + 1))) == ("REQUEST_INVALID", "attestation.app_attest")


def test_the_settings_trust_apples_root_alone() -> None:
    site = Attestations.of(AppAttestSettings(apps=(APP_ID,), development=True), PlayIntegritySettings())
    assert refusal(site, Attestation(app_attest=Apple().attest(DIGEST))) == ("ATTESTATION_INVALID", "app_attest")


def test_a_setting_that_needs_another_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequestError, match="CAMEO_PLAY_INTEGRITY_APP needs CAMEO_PLAY_INTEGRITY_KEYS"):
        Attestations.of(AppAttestSettings(), PlayIntegritySettings(app=PACKAGE))
    monkeypatch.delitem(sys.modules, "cameo_verifier.server.attestation.app_attest")
    monkeypatch.setitem(sys.modules, "cbor2", None)
    with pytest.raises(InvalidRequestError, match="CAMEO_APP_ATTEST_APPS needs the extra `app-attest`"):
        Attestations.of(AppAttestSettings(apps=(APP_ID,)), PlayIntegritySettings())
