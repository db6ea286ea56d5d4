"""`cameo.v1.CredentialService`: keys and status lists for verifiers; credentials for owners of cameos."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from cameo.v1 import credential_service_pb2, credential_service_pb2_grpc, error_reason_pb2
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.errors import NotFoundError
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire import cameo_input as given
from cameo_verifier.server.wire import convert
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.request_id import require_request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from cameo.v1 import credential_pb2
    from cameo_credential.issuer_keys import VerificationKeys
    from cameo_verifier.server.issuance import Issuance
    from cameo_verifier.status.publisher import StatusPublisher


class CredentialService(credential_service_pb2_grpc.CredentialServiceServicer):
    """Publishes the keys and the status lists of one issuer; issues, lists and revokes credentials of cameos."""

    def __init__(
        self, *, issuer: str, keys: Callable[[], VerificationKeys], publisher: StatusPublisher, issuance: Issuance
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._publisher = publisher
        self._issuance = issuance

    async def GetKeys(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.GetKeysRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.GetKeysRequest, credential_service_pb2.GetKeysResponse
        ],
    ) -> credential_service_pb2.GetKeysResponse:
        """Return the issuer's public keys."""
        keys = await asyncio.to_thread(self._keys)
        return credential_service_pb2.GetKeysResponse(issuer=self._issuer, jwks=json.dumps(keys.to_jwks()))

    async def GetStatusList(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.GetStatusListRequest,
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.GetStatusListRequest, credential_service_pb2.GetStatusListResponse
        ],
    ) -> credential_service_pb2.GetStatusListResponse:
        """Return a signed status list."""
        try:
            published = await asyncio.to_thread(self._publisher.get, request.uri)
        except NotFoundError:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_STATUS_LIST_UNKNOWN, "this server keeps no status list of that URI"
            ) from None
        return credential_service_pb2.GetStatusListResponse(
            token=published.token,
            make_time=published.made_at,
            next_time=published.next_at,
            expire_time=published.ends_at,
        )

    async def IssueCredential(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.IssueCredentialRequest,
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.IssueCredentialRequest, credential_pb2.Credential
        ],
    ) -> credential_pb2.Credential:
        """Issue a credential of a cameo."""
        require_request_id(request.request_id)
        caller = current_caller()
        guarding = caller.role is CallerRole.GUARDIAN
        issued = await asyncio.to_thread(
            self._issuance.issue,
            request.cameo_id,
            subject=None if guarding else caller.sees,
            guardian=caller.id if guarding else "",
            audience=request.audience,
            request_id=request.request_id.lower(),
        )
        return convert.credential(issued)

    async def ListCredentials(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.ListCredentialsRequest,
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.ListCredentialsRequest, credential_service_pb2.ListCredentialsResponse
        ],
    ) -> credential_service_pb2.ListCredentialsResponse:
        """Return a page of a person's credentials."""
        caller = current_caller()
        own = caller.id if caller.role is CallerRole.OWNER else ""
        subject = given.user(request.subject or own, "subject")
        if own and subject != own:
            return credential_service_pb2.ListCredentialsResponse()
        guardian = caller.id if caller.role is CallerRole.GUARDIAN else ""
        size, now = given.page_size(request.page_size), self._issuance.clock()
        listed = Listing("ListCredentials", (subject, guardian))
        found = await asyncio.to_thread(
            self._issuance.store.of_subject,
            subject,
            guardian=guardian,
            after=listed.place(request.page_token, now=now),
            limit=size + 1,
        )
        page, token = listed.page(found, size, lambda each: (each.issued_at, each.jti))
        shown = [convert.credential_summary(each, now=now) for each in page]
        return credential_service_pb2.ListCredentialsResponse(credentials=shown, next_page_token=token)

    async def RevokeCredential(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.RevokeCredentialRequest,
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.RevokeCredentialRequest, credential_service_pb2.RevokeCredentialResponse
        ],
    ) -> credential_service_pb2.RevokeCredentialResponse:
        """Revoke one credential."""
        require_request_id(request.request_id)
        revocation = await asyncio.to_thread(
            self._issuance.store.revoke,
            request.credential_id,
            subject=current_caller().sees,
            reason=given.note(request.reason, "reason"),
            request_id=request.request_id.lower(),
            now=self._issuance.clock(),
        )
        return credential_service_pb2.RevokeCredentialResponse(
            credential_id=revocation.jti, reason=revocation.reason, revoke_time=revocation.revoked_at
        )
