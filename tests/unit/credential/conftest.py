"""One issuer and one audience, with a clock that stands still."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import Embedding, Provenance
from cameo_credential.envelope import encrypt
from cameo_credential.issue import Issued, issue
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.receipt import Receipt, issue_receipt, open_receipt
from cameo_credential.sd_jwt import join
from cameo_credential.signer import TokenType, sign
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_credential.validator import OpenedCredential, open_credential
from tests.issued_claims import hold_against_schema

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def embedding(model: str, seed: int) -> Embedding:
    """Return a random unit vector under a model's name."""
    vector = np.random.default_rng(seed).normal(size=512)
    return Embedding(model, f"{seed:064x}", (vector / np.linalg.norm(vector)).astype(np.float32))


@dataclass(frozen=True, slots=True)
class World:
    """Everything one issue and one opening need; keyword arguments replace single parts."""

    keys: IssuerKeys
    audience_key: AudienceKey
    pairwise: PairwiseKey
    provenance: Provenance

    def issue(self, **changes: object) -> Issued:
        """Issue a credential for three days."""
        parts: dict[str, Any] = {
            "issuer": "https://issuer.example",
            "subject": "account-7",
            "audience_key": self.audience_key.public(),
            "keys": self.keys,
            "pairwise": self.pairwise,
            "now": NOW,
            "ttl": timedelta(days=3),
            "jti": "jti-1",
            "provenance": self.provenance,
            "face": embedding("face-model", 1),
            "voice": embedding("voice-model", 2),
        }
        issued = issue(**{**parts, **changes})
        if "audience_key" not in changes:
            hold_against_schema(issued.credential, self.audience_key)
        return issued

    def receipt(self, **changes: object) -> str:
        """Issue a receipt for three days."""
        parts: dict[str, Any] = {
            "issuer": "https://issuer.example",
            "subject": "account-7",
            "audience": self.audience_key.audience,
            "keys": self.keys,
            "pairwise": self.pairwise,
            "now": NOW,
            "ttl": timedelta(days=3),
            "jti": "jti-1",
            "provenance": self.provenance,
            "new_salt": lambda: secrets.token_urlsafe(16),
        }
        return issue_receipt(**{**parts, **changes}).token

    def sign_credential(self, claims: dict[str, Any]) -> str:
        """Sign and encrypt a credential that says anything."""
        signed = sign(claims, key=self.keys.active, typ=TokenType.CREDENTIAL)
        return encrypt(signed, audience_key=self.audience_key.public())

    def sign_receipt(self, claims: dict[str, Any], *disclosures: str) -> str:
        """Sign a receipt that says anything."""
        return join(sign(claims, key=self.keys.active, typ=TokenType.RECEIPT), disclosures)

    def open(self, token: str, **changes: object) -> OpenedCredential:
        """Open a credential as its audience would."""
        return open_credential(token, **{"audience_key": self.audience_key, **self.expectations(), **changes})

    def open_receipt(self, token: str, **changes: object) -> Receipt:
        """Check a receipt as anyone could."""
        return open_receipt(token, **{**self.expectations(), **changes})

    def expectations(self) -> dict[str, Any]:
        """Return what anybody expects of this issuer's tokens."""
        return {
            "issuer_keys": self.keys.public(),
            "expected_audience": self.audience_key.audience,
            "expected_issuer": "https://issuer.example",
            "status": UNSAFE_NO_STATUS_CHECK,
            "now": NOW,
        }


@pytest.fixture
def world() -> World:
    """A fresh issuer and audience."""
    return World(
        keys=IssuerKeys(SigningKey.generate(now=NOW)),
        audience_key=AudienceKey.generate("https://generator.example"),
        pairwise=PairwiseKey(bytes(range(32))),
        provenance=Provenance(
            cameo_id="cameo-1",
            attempt_id="attempt-1",
            challenge_id="challenge-1",
            models={"face-model": f"{1:064x}", "voice-model": f"{2:064x}"},
            profile="default",
            profile_sha256="ab" * 32,
            evidence_sha256="cd" * 32,
            confirmed=("phrase", "movements"),
            minor_safeguards=True,
        ),
    )
