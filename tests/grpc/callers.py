"""An app's issuer of callers' tokens, and the metadata of a call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://app.example"
SERVER = "https://cameo.localhost"

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class App:
    """Signs tokens with an Ed25519 key, `kid` ed, or a P-256 key, `kid` ec."""

    ed: OKPKey
    ec: ECKey
    jwks: Path

    @classmethod
    def make(cls, folder: Path) -> App:
        """Make the keys and write the public ones to a file."""
        app = cls(OKPKey.generate_key("Ed25519"), ECKey.generate_key("P-256"), folder / "callers.jwks")
        keys = [{**app.ed.as_dict(private=False), "kid": "ed"}, {**app.ec.as_dict(private=False), "kid": "ec"}]
        app.jwks.write_text(json.dumps({"keys": keys}))
        return app

    @property
    def settings(self) -> dict[str, Any]:
        """What a site sets to trust these tokens."""
        return {"caller_issuer": ISSUER, "caller_keys": self.jwks}

    def token(
        self, role: str | None, subject: str, *, alg: str = "Ed25519", header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """Return a token of an hour; a claim set to None is left out."""
        now = int(datetime.now(UTC).timestamp())
        said = {"iss": ISSUER, "aud": SERVER, "nbf": now - 5, "exp": now + 3600, "sub": subject, "role": role} | claims
        key = self.ec if alg == "ES256" else self.ed
        full_header = {"alg": alg, "kid": "ec" if alg == "ES256" else "ed"} | (header or {})
        return jwt.encode(full_header, {name: value for name, value in said.items() if value is not None}, key, algorithms=[alg])

    def requester(self, subject: str, *, generator: str, job_id: str, at: datetime | None = None, **claims: Any) -> str:
        """Return a token of 50 minutes that vouches for who asks a generator for a job."""
        now = int((at or datetime.now(UTC)).timestamp())
        said = {"azp": generator, "job": job_id, "nbf": now - 5, "exp": now + 3000}
        return self.token(None, subject, **{"header": {"typ": "cameo-requester+jwt"}} | said | claims)

    def metadata(self, role: str, subject: str, **how: Any) -> Metadata:
        """Return the call metadata of a caller."""
        return (("authorization", f"Bearer {self.token(role, subject, **how)}"),)
