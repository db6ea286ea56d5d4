"""Client of the `cameo.v1` services: channel, caller tokens, errors, retries, uploads, live sessions, beside the generated stubs.

An app needs the stubs, `cameo.v1`, and no more; what is here is what every app would otherwise write again. The package depends
on gRPC, protobuf and joserfc, on nothing of the service.
"""

from cameo_client.channel import open_channel
from cameo_client.errors import CallError, decode
from cameo_client.retries import RetryPolicy, call
from cameo_client.sessions import create_session, get_session
from cameo_client.tokens import CallerTokenSigner
from cameo_client.upload import messages, verify

__all__ = [
    "CallError",
    "CallerTokenSigner",
    "RetryPolicy",
    "call",
    "create_session",
    "decode",
    "get_session",
    "messages",
    "open_channel",
    "verify",
]
