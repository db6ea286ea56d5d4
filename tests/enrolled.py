"""A cameo of an accepted attempt, written to the store without a recording."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert

from cameo_verifier.store.cameos import cameos, likenesses
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCE = "https://generator.example"


def enrol(connection: Connection, number: int, *, minor: bool = False) -> tuple[str, str]:
    """Create the cameo of a number; return its id and its owner's."""
    subject, cameo_id = f"owner-{number}", f"cameo-{number}"
    attempt = {
        "id": f"a{number}",
        "challenge_id": f"c{number}",
        "subject": subject,
        "audience": AUDIENCE,
        "request_id": "r",
        "state": "judged",
        "verdict": "ACCEPTED",
        "reasons": [],
        "checks": [],
        "profile": "default",
        "digests": {},
        "timings_ms": {},
        "recording_sha256": "",
        "created_at": START,
        "minor_safeguards": minor,
    }
    challenge = {"id": f"c{number}", "subject": subject, "document": {"steps": []}, "issued_at": START, "expires_at": START}
    connection.execute(insert(tables.challenges).values(challenge))
    connection.execute(insert(tables.attempts).values(attempt))
    likenesses.add(connection, f"a{number}", Vault(bytes(32)).seal(cameo_id, b"face"), now=START)
    cameos.create(
        connection, f"a{number}", subject=subject, request_id="r", text_version="1", locale="en", agreed_at=START, now=START
    )
    return cameo_id, subject
