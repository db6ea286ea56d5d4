"""Caller and requester tokens: JWTs in which an app's issuer names the caller, or who asks for a job (RFC 7519, docs/api.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

REQUESTER_TYPE = "cameo-requester+jwt"
ROLES = frozenset({"app", "owner", "guardian", "generator", "platform", "analyst"})


class CallerTokenSigner:
    """Signs short-lived tokens with the private key of an app's issuer; for the app's server, never for a device."""

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
        """Return a caller token for this `role` and the id `subject`, valid until `now + lifetime`.

        Raises:
            ValueError: a role the service does not know, an empty subject, or a time without a zone.
        """
        if role not in ROLES:
            raise ValueError(f"no role {role!r}: {', '.join(sorted(ROLES))}")
        return self._signed({}, {"sub": subject, "role": role}, now, lifetime)

    def requester_token(
        self, subject: str, *, generator: str, job_id: str, now: datetime, lifetime: timedelta = timedelta(minutes=5)
    ) -> str:
        """Return a requester token: the app's user `subject` asks for this job of this generator; valid until `now + lifetime`.

        The app gives it to the generator, which sends it as `requester_token`. The service takes it from that generator alone, in
        `AuthorizeUse` for that job alone, and for an hour at most.

        Raises:
            ValueError: an empty name, or a time without a zone.
        """
        if not generator or not job_id:
            raise ValueError("a requester's token names a generator and a job")
        return self._signed({"typ": REQUESTER_TYPE}, {"sub": subject, "azp": generator, "job": job_id}, now, lifetime)

    def _signed(self, header: Mapping[str, str], said: Mapping[str, str], now: datetime, lifetime: timedelta) -> str:
        if not said["sub"] or now.tzinfo is None:
            raise ValueError("a token names its subject, and its time has a zone")
        times = {"nbf": int(now.timestamp()), "exp": int((now + lifetime).timestamp())}
        claims = {"iss": self._issuer, "aud": self._audience, **said, **times}
        return jwt.encode({"alg": self._alg, "kid": self._kid, **header}, claims, self._key, algorithms=[self._alg])
