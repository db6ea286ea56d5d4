"""The demo's app: it signs in people and generators, and issues the callers' tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from joserfc.jwk import OKPKey

from cameo_client import CallerTokenSigner
from cameo_credential.encoding import to_json

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://app.example"
_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class App:
    """Issuer of callers' tokens; `jwks` is the file with its public key, which the server is given."""

    signer: CallerTokenSigner
    jwks: Path

    @classmethod
    def open(cls, folder: Path, *, audience: str) -> Self:
        """Make a key, and write its public half into `folder`; tokens will name `audience`, the server."""
        signer = CallerTokenSigner(OKPKey.generate_key("Ed25519").as_dict(private=True), issuer=ISSUER, audience=audience)
        jwks = folder / "callers.jwks"
        jwks.write_bytes(to_json(signer.public_jwks))
        return cls(signer, jwks)

    def token(self, role: str, subject: str) -> str:
        """Return a token of one hour for a caller."""
        return self.signer.token(role, subject, now=datetime.now(UTC), lifetime=_LIFETIME)

    def requester(self, person: str, *, generator: str, job_id: str) -> str:
        """Return a token that vouches to a generator for who asks for a job."""
        return self.signer.requester_token(person, generator=generator, job_id=job_id, now=datetime.now(UTC))
