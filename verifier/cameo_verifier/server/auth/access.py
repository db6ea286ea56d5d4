"""Authorization: one table of the roles that may call each RPC of `cameo.v1`, and the interceptor that applies it.

The comments of the RPCs and the table in docs/api.md say the same; a test compares all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from cameo.v1 import error_reason_pb2
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.server.auth.caller import CALLER, EVERYONE_IS_THE_APP, Caller
from cameo_verifier.server.auth.capture_tokens import is_capture_token
from cameo_verifier.server.auth.issuer_tokens import CallerTokenError
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import grpc

    from cameo_verifier.server.auth.caller import CallerTokens
    from cameo_verifier.server.auth.capture_tokens import CaptureTokens
    from cameo_verifier.server.interceptors import Behaviour
    from cameo_verifier.server.tls import CertificateCallers

ANYONE: frozenset[CallerRole | None] = frozenset({*CallerRole, None}) - {CallerRole.CAPTURE}
"""Every role, and callers without a token; a capture token is good for its capture alone."""

WHO_MAY_CALL: Mapping[str, frozenset[CallerRole | None]] = {
    "ChallengeService.IssueChallenge": frozenset({CallerRole.APP}),
    "VerificationService.VerifyResponse": frozenset({CallerRole.APP}),
    "VerificationService.GetAttempt": frozenset({CallerRole.APP, CallerRole.ANALYST}),
    "SessionService.CreateSession": frozenset({CallerRole.APP}),
    "SessionService.GetSession": frozenset({CallerRole.APP}),
    "SessionService.Capture": frozenset({CallerRole.CAPTURE}),
    "CredentialService.GetKeys": ANYONE,
    "CredentialService.GetStatusList": ANYONE,
    "CredentialService.IssueCredential": frozenset({CallerRole.APP, CallerRole.OWNER, CallerRole.GUARDIAN}),
    "CredentialService.ListCredentials": frozenset({CallerRole.APP, CallerRole.OWNER, CallerRole.GUARDIAN}),
    "CredentialService.RevokeCredential": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.CreateCameo": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.GetCameo": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.ListCameos": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.UpdateCameo": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.CheckPermission": frozenset({CallerRole.APP, CallerRole.GENERATOR, CallerRole.PLATFORM}),
    "CameoService.AuthorizeUse": frozenset({CallerRole.GENERATOR}),
    "CameoService.SpendGrant": frozenset({CallerRole.GENERATOR}),
    "CameoService.RecordOutput": frozenset({CallerRole.GENERATOR}),
    "CameoService.ListUses": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.RevokeCameo": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.ResumeCameo": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.DeleteCameo": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "CameoService.WatchCameoEvents": frozenset(
        {CallerRole.APP, CallerRole.OWNER, CallerRole.GUARDIAN, CallerRole.GENERATOR, CallerRole.PLATFORM}
    ),
    "GuardianService.LinkGuardian": frozenset({CallerRole.OWNER, CallerRole.GUARDIAN}),
    "GuardianService.UnlinkGuardian": frozenset({CallerRole.OWNER, CallerRole.GUARDIAN}),
    "GuardianService.ListGuardianships": frozenset({CallerRole.OWNER, CallerRole.GUARDIAN}),
    "GuardianService.ListMinorCameos": frozenset({CallerRole.GUARDIAN}),
    "GuardianService.ApproveChange": frozenset({CallerRole.GUARDIAN}),
    "GuardianService.RefuseChange": frozenset({CallerRole.GUARDIAN}),
    "GuardianService.NarrowCameo": frozenset({CallerRole.GUARDIAN}),
    "GuardianService.PauseMinorCameo": frozenset({CallerRole.GUARDIAN}),
    "GuardianService.ResumeMinorCameo": frozenset({CallerRole.GUARDIAN}),
    "GuardianService.ListMinorUses": frozenset({CallerRole.GUARDIAN}),
    "DataSubjectService.ListConsentRecords": frozenset({CallerRole.APP, CallerRole.OWNER, CallerRole.GUARDIAN}),
    "DataSubjectService.ExportMyData": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "DataSubjectService.GetRetention": ANYONE,
    "RemovalService.RequestRemoval": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "RemovalService.ListRemovals": frozenset({CallerRole.APP, CallerRole.OWNER}),
    "RemovalService.ListPendingRemovals": frozenset({CallerRole.GENERATOR, CallerRole.PLATFORM}),
    "RemovalService.AcknowledgeRemoval": frozenset({CallerRole.GENERATOR, CallerRole.PLATFORM}),
    "ReviewService.ListAttempts": frozenset({CallerRole.ANALYST}),
    "ReviewService.GetAttempt": frozenset({CallerRole.ANALYST}),
    "ReviewService.GetEvidence": frozenset({CallerRole.ANALYST}),
    "ReviewService.ReplayAttempt": frozenset({CallerRole.ANALYST}),
    "ReviewService.LabelAttempt": frozenset({CallerRole.ANALYST}),
    "ReviewService.WithdrawLabel": frozenset({CallerRole.ANALYST}),
    "ReviewService.ApproveAttempt": frozenset({CallerRole.ANALYST}),
    "ReviewService.DeclineAttempt": frozenset({CallerRole.ANALYST}),
    "ReviewService.SuspendCameo": frozenset({CallerRole.ANALYST}),
    "ReviewService.LiftSuspension": frozenset({CallerRole.ANALYST}),
    "ReviewService.CompareProfiles": frozenset({CallerRole.ANALYST}),
    "RelationshipService.AreMutuals": frozenset({CallerRole.APP}),
    "RelationshipService.SetFollow": frozenset({CallerRole.APP}),
}
"""RPC, as `Service.Method`, to the roles that may call it. Each RPC itself limits the objects a caller sees."""

_SCHEME = "bearer"


class Admission:
    """An interceptor that verifies a call's token and refuses roles that the table does not permit."""

    def __init__(
        self, tokens: CallerTokens | None, captures: CaptureTokens, certificates: CertificateCallers | None = None
    ) -> None:
        """Keep the verifiers.

        Args:
            tokens: of callers' tokens; None: the site has configured no issuer.
            captures: of the server's own capture tokens.
            certificates: callers by their certificates, for calls without a token; None: the site names none. Where there is
                neither, every caller but the capturing one counts as the app.
        """
        self._tokens, self._captures, self._certificates = tokens, captures, certificates

    def __call__(self, method: str, behaviour: Behaviour) -> Behaviour:
        """Return the method's behaviour with the check before it."""

        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            caller = self._caller(context)
            allowed = WHO_MAY_CALL[method]
            if caller is None and None not in allowed:
                raise RequestError(
                    error_reason_pb2.ERROR_REASON_CALLER_TOKEN_MISSING,
                    "send `authorization: Bearer TOKEN` with a token of the app's issuer",
                )
            if (caller and caller.role) not in allowed:
                raise RequestError(
                    error_reason_pb2.ERROR_REASON_CALLER_NOT_ALLOWED, "a caller of this role may not call this method"
                )
            CALLER.set(caller)
            return await behaviour(request, context)

        return call

    def _caller(self, context: grpc.aio.ServicerContext[Any, Any]) -> Caller | None:
        given = [str(value) for name, value in context.invocation_metadata() or () if name == "authorization"]
        everyone = EVERYONE_IS_THE_APP if self._tokens is None and self._certificates is None else None
        if not given:
            return everyone or self._by_certificate(context)
        scheme, _, token = given[0].partition(" ")
        try:
            if is_capture_token(token):
                caller = self._captures.verify(token)
            elif everyone:
                return everyone
            else:
                if len(given) > 1 or scheme.lower() != _SCHEME:
                    raise CallerTokenError("malformed", "send one `authorization: Bearer TOKEN`")  # noqa: TRY301 - like every other
                if self._tokens is None:
                    raise CallerTokenError("wrong_issuer", "this site knows callers by certificates, not by tokens")  # noqa: TRY301
                caller = self._tokens.verify(token)
        except CallerTokenError as error:
            raise _refused(error) from None
        structlog.contextvars.bind_contextvars(role=caller.role.value)
        return caller

    def _by_certificate(self, context: grpc.aio.ServicerContext[Any, Any]) -> Caller | None:
        if self._certificates is None:
            return None
        caller = self._certificates.of(context.auth_context())
        if caller is not None:
            structlog.contextvars.bind_contextvars(role=caller.role.value)
        return caller


def verified(tokens: CaptureTokens, token: str) -> Caller:
    """Return the caller of a capture token, outside gRPC.

    Raises:
        RequestError: it is refused.
    """
    try:
        return tokens.verify(token)
    except CallerTokenError as error:
        raise _refused(error) from None


def _refused(error: CallerTokenError) -> RequestError:
    return RequestError(error_reason_pb2.ERROR_REASON_CALLER_TOKEN_REFUSED, str(error), metadata={"refusal": error.refusal})
