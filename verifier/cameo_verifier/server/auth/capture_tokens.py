"""Capture tokens: short-lived JWTs of the server's own, each good for the capture of one live session and for nothing else.

The issuer's key signs them, under a `typ` of their own. They name the session, not the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_credential.encoding import from_base64url, from_json
from cameo_credential.errors import CredentialError
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.server.auth.caller import Caller
from cameo_verifier.server.auth.issuer_tokens import CallerTokenError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_credential.issuer_keys import IssuerKeys

_MAX_CHARS = 1024


class CaptureTokens:
    """Issues and verifies capture tokens."""

    def __init__(self, *, issuer: str, keys: Callable[[], IssuerKeys], clock: Callable[[], datetime]) -> None:
        """Keep the parts: the name of the issuer, its current keys, and the time in UTC."""
        self._issuer, self._keys, self._clock = issuer, keys, clock

    def issue(self, session_id: str, *, expires_at: datetime, ask_needs: bool = False) -> str:
        """Return a token for the capture of a session until then; with `ask_needs` the person may say what they cannot do.

        Raises:
            KeyFileError: no key may sign now.
        """
        claims: dict[str, str | int | bool] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "iat": int(self._clock().timestamp()),
            "exp": int(expires_at.timestamp()),
            "role": CallerRole.CAPTURE.value,
            "sid": session_id,
        }
        if ask_needs:
            claims["ask_needs"] = True
        return sign(claims, key=self._keys().active, typ=TokenType.CAPTURE)

    def verify(self, token: str) -> Caller:
        """Verify a token and return its caller: the role `capture`, with the session as its id.

        Raises:
            CallerTokenError: `malformed`, `unsupported_algorithm`, `wrong_type`, `unknown_key`, `bad_signature`, `wrong_issuer`,
                `unknown_role` or `expired`.
        """
        if len(token) > _MAX_CHARS:
            raise CallerTokenError("malformed", f"a capture token has at most {_MAX_CHARS} characters")
        try:
            _, claims = verified_claims(token, self._keys().public(self._issuer), TokenType.CAPTURE)
            session_id, expires_at = str(claims["sid"]), float(claims["exp"])
        except CredentialError as error:
            raise CallerTokenError(error.reason, str(error)) from None
        except (KeyError, TypeError, ValueError):
            raise CallerTokenError("malformed", "the claims of the capture token cannot be read") from None
        if (claims.get("iss"), claims.get("aud")) != (self._issuer, self._issuer):
            raise CallerTokenError("wrong_issuer", "the capture token is not one of this server")
        if claims.get("role") != CallerRole.CAPTURE.value:
            raise CallerTokenError("unknown_role", "the capture token names another role")
        if self._clock().timestamp() >= expires_at:
            raise CallerTokenError("expired", "the capture token has expired: ask the app for a new session")
        return Caller(CallerRole.CAPTURE, session_id, may_choose=claims.get("ask_needs") is True)


def is_capture_token(token: str) -> bool:
    """Return whether the type in a token's header is that of a capture token; nothing is verified."""
    try:
        return len(token) <= _MAX_CHARS and from_json(from_base64url(token.partition(".")[0])).get("typ") == TokenType.CAPTURE
    except ValueError:
        return False
