"""What the reader of a document has already: photographs of a person, a credential that was issued for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import av
import numpy as np

from cameo_credential.audience_keys import AudienceFolder
from cameo_credential.claims import Embedding, Provenance, StatusReference
from cameo_credential.issue import issue
from cameo_credential.key_set import KeySet
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.status_list import StatusList, publish
from cameo_credential.token_status import Status
from cameo_verifier.settings import Settings
from fixtures.manifest import load
from tests.served_list import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.readme.terminal import Terminal

_HOUR = timedelta(hours=1)


def photo(_terminal: Terminal, path: Path) -> None:
    """Take a still of a committed recording."""
    fixture = next(fixture for fixture in load() if fixture.id == "astronaut_bona_fide")
    with av.open(str(fixture.file)) as reader:
        next(reader.decode(video=0)).to_image().save(path)


def credential(terminal: Terminal, path: Path) -> None:
    """Issue a credential of the site for its audience, and serve the status list that it names."""
    settings, now = Settings(data=terminal.folder / terminal.environment["CAMEO_DATA"]), datetime.now(UTC)
    keys = KeySet.load(settings.issuer_keys).at(now)
    listed = StatusList.of(np.array([Status.VALID], np.uint8))
    published: list[bytes] = []
    uri = terminal.serving.closing.enter_context(serving(lambda: published[0]))
    published.append(publish(listed, uri=uri, keys=keys, now=now, ttl=_HOUR, lifetime=_HOUR).encode("ascii"))

    def embedding(model: str, seed: int) -> Embedding:
        vector = np.random.default_rng(seed).normal(size=512)
        return Embedding(model, f"{seed:02x}" * 32, (vector / np.linalg.norm(vector)).astype(np.float32))

    issued = issue(
        issuer=settings.issuer,
        subject="account-7",
        audience_key=AudienceFolder(settings.audiences).get("https://generator.example"),
        keys=keys,
        pairwise=PairwiseKey.open(settings.pairwise_key),
        now=now,
        ttl=timedelta(days=180),
        jti="2b1f6f0c-6c1d-4f0e-9d0e-5a3a7c1d2e4f",
        provenance=Provenance(
            cameo_id="c4b9e3a2-8f57-4a51-9a3c-0f3de3a1b2c7",
            attempt_id="7d5c1b90-3e42-4c8f-b6a1-92f0d4e8a3b5",
            challenge_id="f0a8d2c4-1b63-4e97-8c5d-6e2b7a9f1d30",
            models={"face_embedding": "11" * 32, "speaker_embedding": "22" * 32},
            profile="default",
            profile_sha256="33" * 32,
            evidence_sha256="44" * 32,
            confirmed=("phrase", "movement", "presentation_attack"),
            minor_safeguards=False,
        ),
        face=embedding("face_embedding", 17),
        voice=embedding("speaker_embedding", 34),
        status=StatusReference(0, uri),
    )
    path.write_text(f"{issued.credential}\n", "ascii")


GIVEN = {"photo1.jpg": photo, "photo2.jpg": photo, "credential.jwe": credential}
