"""`cameo.v1.CredentialService`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cameo.v1 import credential_service_pb2, credential_service_pb2_grpc

if TYPE_CHECKING:
    import grpc

    from verifier.credential.issuer_keys import VerificationKeys


class CredentialService(credential_service_pb2_grpc.CredentialServiceServicer):
    """Publishes the keys of one issuer."""

    def __init__(self, *, issuer: str, keys: VerificationKeys) -> None:
        self._issuer = issuer
        self._keys = keys

    async def GetKeys(  # noqa: N802 - the contract's name
        self,
        request: credential_service_pb2.GetKeysRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext[  # noqa: ARG002 - grpc passes it
            credential_service_pb2.GetKeysRequest, credential_service_pb2.GetKeysResponse
        ],
    ) -> credential_service_pb2.GetKeysResponse:
        """Return the public keys."""
        return credential_service_pb2.GetKeysResponse(issuer=self._issuer, jwks=json.dumps(self._keys.to_jwks()))
