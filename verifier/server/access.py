"""Who may call what: one table, and the interceptor's part that holds every call of `cameo.v1` against it.

The comments of the RPCs and the table in docs/api.md say the same; a test compares all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from cameo.v1 import error_reason_pb2

from verifier.server.caller import CALLER, EVERYONE_IS_THE_APP, Caller, CallerTokenError, Role
from verifier.server.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import grpc

    from verifier.server.caller import CallerTokens
    from verifier.server.interceptors import Behaviour

ANYONE: frozenset[Role | None] = frozenset({*Role, None})
"""Every role, and callers without a token."""

WHO_MAY_CALL: Mapping[str, frozenset[Role | None]] = {
    "ChallengeService.IssueChallenge": frozenset({Role.APP}),
    "VerificationService.VerifyResponse": frozenset({Role.APP}),
    "VerificationService.GetAttempt": frozenset({Role.APP, Role.ANALYST}),
    "CredentialService.GetKeys": ANYONE,
    "CredentialService.GetStatusList": ANYONE,
    "CredentialService.ReissueCredential": frozenset({Role.APP, Role.OWNER, Role.GUARDIAN}),
    "CredentialService.RevokeCredential": frozenset({Role.APP, Role.OWNER}),
    "CameoService.CreateCameo": frozenset({Role.APP, Role.OWNER}),
    "CameoService.GetCameo": frozenset({Role.APP, Role.OWNER}),
    "CameoService.ListCameos": frozenset({Role.APP, Role.OWNER}),
    "CameoService.UpdateCameo": frozenset({Role.APP, Role.OWNER}),
    "CameoService.CheckPermission": frozenset({Role.APP, Role.GENERATOR, Role.PLATFORM}),
    "CameoService.AuthorizeUse": frozenset({Role.GENERATOR}),
    "CameoService.SpendGrant": frozenset({Role.GENERATOR}),
    "CameoService.RecordOutput": frozenset({Role.GENERATOR}),
    "CameoService.ListUses": frozenset({Role.APP, Role.OWNER}),
    "CameoService.RevokeCameo": frozenset({Role.APP, Role.OWNER}),
    "CameoService.ResumeCameo": frozenset({Role.APP, Role.OWNER}),
    "CameoService.DeleteCameo": frozenset({Role.APP, Role.OWNER}),
    "CameoService.WatchCameoEvents": frozenset({Role.APP, Role.OWNER, Role.GUARDIAN, Role.GENERATOR, Role.PLATFORM}),
    "GuardianService.LinkGuardian": frozenset({Role.OWNER, Role.GUARDIAN}),
    "GuardianService.UnlinkGuardian": frozenset({Role.OWNER, Role.GUARDIAN}),
    "GuardianService.ListGuardianships": frozenset({Role.OWNER, Role.GUARDIAN}),
    "GuardianService.ListMinorCameos": frozenset({Role.GUARDIAN}),
    "GuardianService.ApproveChange": frozenset({Role.GUARDIAN}),
    "GuardianService.RefuseChange": frozenset({Role.GUARDIAN}),
    "GuardianService.NarrowCameo": frozenset({Role.GUARDIAN}),
    "GuardianService.PauseMinorCameo": frozenset({Role.GUARDIAN}),
    "GuardianService.ResumeMinorCameo": frozenset({Role.GUARDIAN}),
    "GuardianService.ListMinorUses": frozenset({Role.GUARDIAN}),
    "RemovalService.RequestRemoval": frozenset({Role.APP, Role.OWNER}),
    "RemovalService.ListRemovals": frozenset({Role.APP, Role.OWNER}),
    "RemovalService.ListPendingRemovals": frozenset({Role.GENERATOR, Role.PLATFORM}),
    "RemovalService.AcknowledgeRemoval": frozenset({Role.GENERATOR, Role.PLATFORM}),
    "ReviewService.ListAttempts": frozenset({Role.ANALYST}),
    "ReviewService.GetAttempt": frozenset({Role.ANALYST}),
    "ReviewService.GetEvidence": frozenset({Role.ANALYST}),
    "ReviewService.ReplayAttempt": frozenset({Role.ANALYST}),
    "ReviewService.LabelAttempt": frozenset({Role.ANALYST}),
    "ReviewService.WithdrawLabel": frozenset({Role.ANALYST}),
    "ReviewService.ApproveAttempt": frozenset({Role.ANALYST}),
    "ReviewService.DeclineAttempt": frozenset({Role.ANALYST}),
    "ReviewService.SuspendCameo": frozenset({Role.ANALYST}),
    "ReviewService.LiftSuspension": frozenset({Role.ANALYST}),
    "ReviewService.CompareProfiles": frozenset({Role.ANALYST}),
    "RelationshipService.AreMutuals": frozenset({Role.APP}),
    "RelationshipService.SetFollow": frozenset({Role.APP}),
}
"""Method, as `Service.Method`, to the roles that may call it. Whose objects they see is each method's own business."""

_SCHEME = "bearer"


class Admission:
    """Turns a call's token into its `Caller` and refuses whom the table does not name."""

    def __init__(self, tokens: CallerTokens | None) -> None:
        """Keep what verifies tokens; None: the site has named no issuer, and everyone counts as the app."""
        self._tokens = tokens

    def __call__(self, method: str, behaviour: Behaviour) -> Behaviour:
        """Return the method's behaviour behind the door."""

        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            caller = self._caller(context)
            allowed = WHO_MAY_CALL[method]
            if caller is None and None not in allowed:
                raise RequestError(
                    error_reason_pb2.CALLER_TOKEN_MISSING, "send `authorization: Bearer TOKEN` with a token of the app's issuer"
                )
            if (caller and caller.role) not in allowed:
                raise RequestError(error_reason_pb2.CALLER_NOT_ALLOWED, "a caller of this role may not call this method")
            CALLER.set(caller)
            return await behaviour(request, context)

        return call

    def _caller(self, context: grpc.aio.ServicerContext[Any, Any]) -> Caller | None:
        if self._tokens is None:
            return EVERYONE_IS_THE_APP
        given = [str(value) for name, value in context.invocation_metadata() or () if name == "authorization"]
        if not given:
            return None
        scheme, _, token = given[0].partition(" ")
        try:
            if len(given) > 1 or scheme.lower() != _SCHEME:
                raise CallerTokenError("malformed", "send one `authorization: Bearer TOKEN`")  # noqa: TRY301 - like every other
            caller = self._tokens.verify(token)
        except CallerTokenError as error:
            raise RequestError(error_reason_pb2.CALLER_TOKEN_REFUSED, str(error), metadata={"refusal": error.refusal}) from None
        structlog.contextvars.bind_contextvars(role=caller.role.value)
        return caller
