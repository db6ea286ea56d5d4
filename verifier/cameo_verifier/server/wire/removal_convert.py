"""Conversion of removals to and from messages of `cameo.v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo.v1 import removal_pb2, removal_service_pb2
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.removals import Holder, HolderKind, RemovalAnswer
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire.cameo_input import invalid, note
from cameo_verifier.server.wire.enums import full_name, short_name

if TYPE_CHECKING:
    from datetime import datetime

    from cameo.v1.removal_service_pb2 import AcknowledgeRemovalRequest, RequestRemovalRequest
    from cameo_verifier.cameo.removals import Removal

_HOLDERS = {CallerRole.GENERATOR: HolderKind.HELD_BY_GENERATOR, CallerRole.PLATFORM: HolderKind.HELD_BY_PLATFORM}


def current_holder() -> Holder | None:
    """Return the caller as a holder of outputs; None if it has another role."""
    caller = current_caller()
    return Holder(_HOLDERS[caller.role], caller.id) if caller.role in _HOLDERS else None


def require_holder() -> Holder:
    """Return the caller as a holder, in methods that no other role may call."""
    holder = current_holder()
    if holder is None:
        raise RuntimeError("a method for generators and platforms was called by another role")
    return holder


def what(request: RequestRemovalRequest) -> str:
    """Return the id of the output to remove; empty for all."""
    asked = request.WhichOneof("what")
    if asked is None or (asked == "output_id" and not request.output_id) or (asked == "all_outputs" and not request.all_outputs):
        raise invalid("what", "must be an `output_id`, or `all_outputs` set to true")
    return request.output_id


def answer(request: AcknowledgeRemovalRequest) -> tuple[RemovalAnswer, str]:
    """Return a holder's answer, and its reason."""
    try:
        given = RemovalAnswer(short_name(removal_service_pb2.RemovalAnswer, request.answer).lower())
    except ValueError:
        raise invalid("answer", "must be REMOVAL_ANSWER_WILL_REMOVE, REMOVAL_ANSWER_REMOVED or REMOVAL_ANSWER_REFUSES") from None
    reason = note(request.reason, "reason")
    if given is RemovalAnswer.HOLDER_REFUSES and not reason.strip():
        raise invalid("reason", "must say why the output stays")
    return given, reason


def removal(value: Removal, *, now: datetime) -> removal_pb2.Removal:
    """Return the message of a removal, as of now."""
    return removal_pb2.Removal(
        id=value.id,
        cameo_id=value.cameo_id,
        output_id=value.output_id,
        grant_id=value.grant_id,
        sha256=value.sha256,
        c2pa_manifest_id=value.c2pa_manifest,
        holder_kind=full_name(removal_pb2.RemovalHolder, value.holder.kind),
        holder=value.holder.name,
        state=full_name(removal_pb2.RemovalState, value.state),
        reason=value.reason,
        answer_reason=value.answer_reason,
        request_time=value.requested_at,
        due_time=value.due_at,
        deliver_time=value.delivered_at,
        acknowledge_time=value.acknowledged_at,
        finish_time=value.finished_at,
        overdue=value.overdue(now),
    )
