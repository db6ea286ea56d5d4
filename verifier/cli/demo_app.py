"""The app of the demo: it signs in people and generators, and tells the server who calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from joserfc import jwt
from joserfc.jwk import OKPKey

from verifier.credential.encoding import to_json

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://app.example"
_TOKEN_S = 3600


@dataclass(frozen=True, slots=True)
class App:
    """Signs callers' tokens; `jwks` is the file of its public key, which the server is given."""

    key: OKPKey
    jwks: Path
    audience: str

    @classmethod
    def open(cls, folder: Path, *, audience: str) -> Self:
        """Make a key, and write its public half into `folder`; tokens will name `audience`, the server."""
        app = cls(OKPKey.generate_key("Ed25519"), folder / "callers.jwks", audience)
        app.jwks.write_bytes(to_json({"keys": [{**app.key.as_dict(private=False), "kid": app.key.thumbprint()}]}))
        return app

    def token(self, role: str, subject: str) -> str:
        """Return a token of one hour for a caller."""
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": ISSUER, "aud": self.audience, "nbf": now, "exp": now + _TOKEN_S, "sub": subject, "role": role}
        return jwt.encode({"alg": "Ed25519", "kid": self.key.thumbprint()}, claims, self.key, algorithms=["Ed25519"])
