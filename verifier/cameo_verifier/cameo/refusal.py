"""Refusals of cameo operations: one code each, with the names that `cameo.v1.ErrorReason` gives them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refusal(StrEnum):
    """The reason of a refusal; see the enum of the same names in protos/cameo/v1/error_reason.proto."""

    CAMEO_UNKNOWN = "no cameo has this id"
    CAMEO_ENDED = "this cameo was revoked for good"
    CAMEO_GONE = "this cameo was deleted"
    CAMEO_IS_PAUSED = "this cameo is paused: resume it first"
    CAMEO_CHANGED = "this cameo was changed meanwhile: read it again, then change it"
    ATTEMPT_UNKNOWN = "no attempt has this id"
    ATTEMPT_NOT_ACCEPTED = "only an accepted attempt makes a cameo"
    ATTEMPT_NOT_IN_REVIEW = "only an attempt that is to be looked at can be decided"
    ATTEMPT_ALREADY_DECIDED = "this attempt was decided already, and stays so"
    ATTEMPT_USED = "this attempt made a cameo already"
    CONSENT_OUT_OF_TIME = "the consent's agree_time is in the future, or before the challenge was issued"
    LIKENESS_NOT_KEPT = "the likeness of this attempt is not kept any more: record again"
    MINOR_NEEDS_GUARDIAN = "safeguards for minors apply: only with a linked guardian can this be asked for"
    GUARDIANSHIP_UNKNOWN = "nothing is known of these two as guardian and minor"
    GUARDIAN_MUST_STEP_DOWN = "a minor cannot remove a guardian: only the guardian can step down"
    GUARDIAN_IS_A_MINOR = "who may be a minor cannot answer for one"
    CHANGE_NOT_PENDING = "no change of this number waits for an answer: read the cameo again"
    TOO_MANY_RESTRICTIONS = "with those that stand until a guardian decides, these are too many restrictions in words"
    TOO_MANY_CAMEOS = "too many cameos for one job"
    USE_NOT_PERMITTED = "this use is not permitted"
    GRANT_UNKNOWN = "no grant has this id"
    GRANT_EXPIRED = "the grant has expired: ask for a new one"
    GRANT_SPENT = "the grant was spent already"
    GRANT_REVOKED = "the owner has taken the permission back"
    GRANT_NOT_SPENT = "the grant was not spent: nothing can have come of it"
    OUTPUT_RECORDED_OTHERWISE = "this output is recorded already, with other facts"
    TOO_MANY_OUTPUTS = "as many outputs as a grant may have are recorded: ask for another grant"
    OUTPUT_UNKNOWN = "no output of this cameo has this id"
    REMOVAL_UNKNOWN = "no removal has this id"
    REMOVAL_ANSWERED = "this removal was answered already, and that answer stays"
    CREDENTIAL_UNKNOWN = "no credential has this id"
    ATTESTATION_ENDED = "the recording is too old to vouch for the person: ask for a new challenge"
    PAGE_TOKEN_INVALID = "send a token or cursor as this server gave it out for this list; begin anew after a backup was restored"  # noqa: S105 - no secret
    REQUEST_ID_REUSED = "this request_id was used for something else"


class RefusedError(CameoError):
    """A refusal by the rules; `refusal` is the reason, and `metadata` holds ids and codes a program can act on."""

    def __init__(self, refusal: Refusal, *, metadata: Mapping[str, str] | None = None) -> None:
        """Keep the refusal; its value is the message."""
        super().__init__(refusal.value)
        self.refusal = refusal
        self.metadata = dict(metadata or {})
