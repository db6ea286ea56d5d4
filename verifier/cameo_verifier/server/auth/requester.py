"""Requester tokens: the app's issuer vouches to one generator for the person who requests a video, for one job.

A generator, or a platform, names the requester by a token of the issuer of callers' tokens, of the type `cameo-requester+jwt`:
`sub` is the person, `azp` (OpenID Connect Core 1.0 section 2) whom the app gave it to, `job` the job. It is verified as
`issuer_tokens` says, for an hour at most (`lives_too_long`), by that caller alone (`wrong_generator`), and where a job is asked
for, for that one alone (`wrong_job`). No caller's token is one, and none of these is a caller's: their types differ (RFC 8725
section 3.11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo.v1 import error_reason_pb2
from cameo_credential.signature import TokenKind
from cameo_verifier.server.auth.issuer_tokens import AppIssuer, CallerTokenError, IssuerTokens
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUESTER_TYPE = "cameo-requester+jwt"
MAX_LIFETIME_S = 3600
"""A token that lasts longer from now is refused: a job is asked for when its person asks for it."""
_KIND = TokenKind(frozenset({REQUESTER_TYPE, f"application/{REQUESTER_TYPE}"}), foreign=True)


@dataclass(frozen=True, slots=True)
class Requester:
    """The person who requests a video, with the generator and the job."""

    id: str
    generator: str
    job_id: str


class RequesterTokens(IssuerTokens[Requester]):
    """Verifies requesters' tokens."""

    def __init__(self, issuer: AppIssuer) -> None:
        """Keep who signs them."""
        super().__init__(issuer, _KIND, self._requester)

    def requester(self, token: str, *, generator: str, job_id: str | None = None) -> str:
        """Verify a token that `generator` sent, for the job if one is given, and return its person.

        Raises:
            RequestError: `REQUESTER_TOKEN_REFUSED`, with the `refusal` in the metadata.
        """
        try:
            if not token:
                raise CallerTokenError("missing", "send `requester_token`, which the app signs for you and the job")  # noqa: TRY301 - like every other
            named = self.verify(token)
            if named.generator != generator:
                raise CallerTokenError("wrong_generator", "the app gave this token to another caller")  # noqa: TRY301
            if job_id not in {None, named.job_id}:
                raise CallerTokenError("wrong_job", "the app gave this token for another job")  # noqa: TRY301
        except CallerTokenError as error:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_REQUESTER_TOKEN_REFUSED, str(error), metadata={"refusal": error.refusal}
            ) from None
        return named.id

    def _requester(self, claims: Mapping[str, Any]) -> Requester:
        subject, generator, job_id = claims["sub"], claims.get("azp"), claims.get("job")
        if not isinstance(generator, str) or not isinstance(job_id, str) or any(map(str.isspace, subject)):
            raise CallerTokenError("malformed", "a requester's token has `azp` and `job`, and `sub` without white space")
        if claims["exp"] - self.issuer.clock().timestamp() > MAX_LIFETIME_S:
            raise CallerTokenError("lives_too_long", f"a requester's token lasts {MAX_LIFETIME_S} s at most")
        return Requester(subject, generator, job_id)
