"""A minimal client of `CameoService`, `CredentialService` and `RemovalService`, one caller each, for the demo."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from cameo.v1 import (
    cameo_pb2,
    cameo_service_pb2_grpc,
    credential_pb2,
    credential_service_pb2_grpc,
    removal_pb2,
    removal_service_pb2,
    removal_service_pb2_grpc,
)
from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1.credential_service_pb2 import IssueCredentialRequest
from cameo_client import call, open_channel
from cameo_verifier.server.wire.enums import short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

ReplyT = TypeVar("ReplyT")

_TIMEOUT_S = 10.0
_GENERAL = ("USE_CATEGORY_GENERAL",)


class CameoClient:
    """One caller of one server. Every refusal is a `cameo_client.CallError`."""

    def __init__(self, address: str, *, token: str) -> None:
        """Connect to a server on loopback as the caller whom `token` names."""
        self._channel = open_channel(address, token)
        self._stub = cameo_service_pb2_grpc.CameoServiceStub(self._channel)
        self._credentials = credential_service_pb2_grpc.CredentialServiceStub(self._channel)
        self._removals = removal_service_pb2_grpc.RemovalServiceStub(self._channel)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the channel."""
        self._channel.close()

    def create(self, attempt_id: str, *, text_version: str, text: str, agreed_at: datetime) -> cameo_pb2.Cameo:
        """Create a cameo of an accepted attempt, with the consent its owner gave to a text."""
        at = Timestamp()
        at.FromDatetime(agreed_at)
        digest = hashlib.sha256(text.encode()).hexdigest()
        consent = cameo_pb2.Consent(text_version=text_version, locale="en-GB", agree_time=at, text_sha256=digest)
        return _told(
            cameo_pb2.Cameo,
            self._stub.CreateCameo,
            wire.CreateCameoRequest(attempt_id=attempt_id, consent=consent, request_id=str(uuid4())),
        )

    def update(self, cameo: cameo_pb2.Cameo, **terms: Any) -> cameo_pb2.Cameo:  # noqa: ANN401 - any field of a cameo
        """Change terms of a cameo, by the names of its fields."""
        changed = cameo_pb2.Cameo(id=cameo.id, version=cameo.version, **terms)
        return _told(
            cameo_pb2.Cameo,
            self._stub.UpdateCameo,
            wire.UpdateCameoRequest(cameo=changed, update_mask=FieldMask(paths=list(terms))),
        )

    def issue(self, cameo_id: str, *, audience: str) -> credential_pb2.Credential:
        """Issue a credential of a cameo."""
        request = IssueCredentialRequest(cameo_id=cameo_id, audience=audience, request_id=str(uuid4()))
        return _told(credential_pb2.Credential, self._credentials.IssueCredential, request)

    def may_use(self, cameo_id: str, requester_token: str, purposes: Sequence[str] = _GENERAL) -> str:
        """Return the name of the `PermissionAnswer`."""
        request = wire.CheckPermissionRequest(cameo_id=cameo_id, requester_token=requester_token, purposes=purposes)
        return short_name(
            cameo_pb2.PermissionAnswer, _told(wire.CheckPermissionResponse, self._stub.CheckPermission, request).answer
        )

    def authorize(self, cameo_id: str, requester_token: str, *, job_id: str) -> wire.AuthorizeUseResponse:
        """Return the grant of one job."""
        request = wire.AuthorizeUseRequest(
            cameo_ids=[cameo_id], requester_token=requester_token, job_id=job_id, purposes=_GENERAL, request_id=str(uuid4())
        )
        return _told(wire.AuthorizeUseResponse, self._stub.AuthorizeUse, request)

    def spend(self, token: str) -> wire.SpendGrantResponse:
        """Spend a grant."""
        request = wire.SpendGrantRequest(token=token, request_id=str(uuid4()))
        return _told(wire.SpendGrantResponse, self._stub.SpendGrant, request)

    def record(self, grant_id: str, *, sha256: str, creator: str, platform: str) -> cameo_pb2.Output:
        """Record an output of a grant, published on a platform."""
        output = cameo_pb2.Output(sha256=sha256, state=cameo_pb2.OUTPUT_STATE_PUBLISHED, creator=creator, platform=platform)
        request = wire.RecordOutputRequest(grant_id=grant_id, output=output)
        return _told(cameo_pb2.Output, self._stub.RecordOutput, request)

    def uses(self, cameo_id: str) -> list[cameo_pb2.Use]:
        """Return the uses of a cameo, the first page."""
        return list(_told(wire.ListUsesResponse, self._stub.ListUses, wire.ListUsesRequest(cameo_id=cameo_id)).uses)

    def ask_for_removal(self, output: cameo_pb2.Output, *, cameo_id: str) -> removal_pb2.Removal:
        """Request the removal of an output."""
        request = removal_service_pb2.RequestRemovalRequest(cameo_id=cameo_id, output_id=output.id, request_id=str(uuid4()))
        return _told(removal_service_pb2.RequestRemovalResponse, self._removals.RequestRemoval, request).removals[0]

    def remove(self, *, sha256: str) -> removal_pb2.Removal:
        """List the pending removals as the platform, and acknowledge that the output with this digest is removed."""
        request = removal_service_pb2.ListPendingRemovalsRequest()
        pending = _told(removal_service_pb2.ListPendingRemovalsResponse, self._removals.ListPendingRemovals, request).removals
        [asked] = [each for each in pending if each.sha256 == sha256]
        gone = removal_service_pb2.AcknowledgeRemovalRequest(
            removal_id=asked.id, answer=removal_service_pb2.REMOVAL_ANSWER_REMOVED
        )
        return _told(removal_pb2.Removal, self._removals.AcknowledgeRemoval, gone)

    def removals(self, cameo_id: str) -> list[removal_pb2.Removal]:
        """Return the removals of a cameo, the first page."""
        request = removal_service_pb2.ListRemovalsRequest(cameo_id=cameo_id)
        return list(_told(removal_service_pb2.ListRemovalsResponse, self._removals.ListRemovals, request).removals)

    def pause(self, cameo_id: str, *, reason: str) -> cameo_pb2.Cameo:
        """Pause a cameo: nothing is permitted until it is resumed."""
        return _told(
            cameo_pb2.Cameo,
            self._stub.RevokeCameo,
            wire.RevokeCameoRequest(cameo_id=cameo_id, mode=wire.REVOCATION_MODE_PAUSE, reason=reason),
        )

    def delete(self, cameo_id: str) -> cameo_pb2.Cameo:
        """Delete a cameo: the likeness is destroyed, a tombstone stays."""
        request = wire.DeleteCameoRequest(cameo_id=cameo_id)
        return _told(cameo_pb2.Cameo, self._stub.DeleteCameo, request)


def _told(kind: type[ReplyT], method: Callable[..., Any], request: object) -> ReplyT:
    reply = call(lambda: method(request, timeout=_TIMEOUT_S))
    if not isinstance(reply, kind):
        raise TypeError(f"the stub answered with {type(reply).__name__}")
    return reply
