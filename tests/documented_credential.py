"""The credential that docs/credential.md shows: its id, provenance and embeddings, for every test that issues it."""

from __future__ import annotations

import numpy as np

from cameo_credential.claims import Embedding, Provenance

JTI = "2b1f6f0c-6c1d-4f0e-9d0e-5a3a7c1d2e4f"
PROVENANCE = Provenance(
    cameo_id="c4b9e3a2-8f57-4a51-9a3c-0f3de3a1b2c7",
    attempt_id="7d5c1b90-3e42-4c8f-b6a1-92f0d4e8a3b5",
    challenge_id="f0a8d2c4-1b63-4e97-8c5d-6e2b7a9f1d30",
    models={"face_embedding": "11" * 32, "speaker_embedding": "22" * 32},
    profile="default",
    profile_sha256="33" * 32,
    evidence_sha256="44" * 32,
    confirmed=("phrase", "movement", "presentation_attack"),
    minor_safeguards=False,
)


def _embedding(model: str, seed: int) -> Embedding:
    vector = np.random.default_rng(seed).normal(size=512)
    return Embedding(model, f"{seed:02x}" * 32, (vector / np.linalg.norm(vector)).astype(np.float32))


FACE, VOICE = _embedding("face_embedding", 17), _embedding("speaker_embedding", 34)
