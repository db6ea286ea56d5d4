"""What the reader of a document has already: photographs of a person, a credential that was issued for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import av
import numpy as np

from cameo_credential.audience_keys import AudienceFolder
from cameo_credential.claims import StatusReference
from cameo_credential.issue import issue
from cameo_credential.key_set import KeySet
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.status_list import StatusList, publish
from cameo_credential.token_status import Status
from cameo_verifier.settings import Settings
from fixtures.manifest import load
from tests.documented_credential import FACE, JTI, PROVENANCE, VOICE
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

    issued = issue(
        issuer=settings.issuer,
        subject="account-7",
        audience_key=AudienceFolder(settings.audiences).get("https://generator.example"),
        keys=keys,
        pairwise=PairwiseKey.open(settings.pairwise_key),
        now=now,
        ttl=timedelta(days=180),
        jti=JTI,
        provenance=PROVENANCE,
        face=FACE,
        voice=VOICE,
        status=StatusReference(0, uri),
    )
    path.write_text(f"{issued.credential}\n", "ascii")


GIVEN = {"photo1.jpg": photo, "photo2.jpg": photo, "credential.jwe": credential}
