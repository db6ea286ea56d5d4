"""`cameo.v1.CredentialService`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from cameo.v1 import credential_service_pb2, credential_service_pb2_grpc, error_reason_pb2

from verifier.errors import NotFoundError
from verifier.server.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from verifier.credential.issuer_keys import VerificationKeys
    from verifier.server.publishing import StatusPublisher


class CredentialService(credential_service_pb2_grpc.CredentialServiceServicer):
    """Publishes the keys and the status lists of one issuer."""

    def __init__(self, *, issuer: str, keys: Callable[[], VerificationKeys], publisher: StatusPublisher) -> None:
        self._issuer = issuer
        self._keys = keys
        self._publisher = publisher

    async def GetKeys(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.GetKeysRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.GetKeysRequest, credential_service_pb2.GetKeysResponse
        ],
    ) -> credential_service_pb2.GetKeysResponse:
        """Return the public keys."""
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
            raise RequestError(error_reason_pb2.STATUS_LIST_UNKNOWN, "this server keeps no status list of that URI") from None
        return credential_service_pb2.GetStatusListResponse(
            token=published.token,
            make_time=published.made_at,
            next_time=published.next_at,
            expire_time=published.ends_at,
        )
