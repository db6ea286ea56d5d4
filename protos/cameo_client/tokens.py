"""Caller tokens: the JWS by which an app's issuer says who calls (RFC 7519, docs/api.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ROLES = frozenset({"app", "owner", "guardian", "generator", "platform", "analyst"})


class CallerTokenSigner:
    """Signs short-lived caller tokens with the private key of an app's issuer; for the app's server, never for a device."""

    def __init__(self, key: Mapping[str, Any], *, issuer: str, audience: str) -> None:
        """Import a private key.

        Args:
            key: private JWK, Ed25519 (signs `Ed25519`) or P-256 (signs `ES256`); its `kid` names it, by default its
                thumbprint (RFC 7638).
            issuer: `iss`, the server's `CAMEO_CALLER_ISSUER`.
            audience: `aud`, the server's `CAMEO_CALLER_AUDIENCE` or `CAMEO_ISSUER`.

        Raises:
            ValueError: no private key of these kinds.
        """
        kind = (key.get("kty"), key.get("crv"))
        if kind not in {("OKP", "Ed25519"), ("EC", "P-256")} or "d" not in key:
            raise ValueError("a caller token is signed with a private JWK, Ed25519 or P-256")
        self._key = OKPKey.import_key(dict(key)) if kind[0] == "OKP" else ECKey.import_key(dict(key))
        self._alg = "Ed25519" if kind[0] == "OKP" else "ES256"
        self._kid = str(key.get("kid") or self._key.thumbprint())
        self._issuer, self._audience = issuer, audience

    @property
    def public_jwks(self) -> dict[str, Any]:
        """The JWK Set with the public key: the content of the server's `CAMEO_CALLER_KEYS`."""
        public = {name: value for name, value in self._key.as_dict(private=False).items() if name != "key_ops"}
        return {"keys": [{**public, "kid": self._kid, "use": "sig"}]}

    def token(self, role: str, subject: str, *, now: datetime, lifetime: timedelta = timedelta(minutes=5)) -> str:
        """Return a token that says: the caller has this `role` and this id, until `now + lifetime`.

        Raises:
            ValueError: a role the service does not know, an empty subject, or a time without a zone.
        """
        if role not in ROLES:
            raise ValueError(f"no role {role!r}: {', '.join(sorted(ROLES))}")
        if not subject or now.tzinfo is None:
            raise ValueError("a token names its subject, and its time has a zone")
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "role": role,
            "nbf": issued,
            "exp": int((now + lifetime).timestamp()),
        }
        return jwt.encode({"alg": self._alg, "kid": self._kid}, claims, self._key, algorithms=[self._alg])
