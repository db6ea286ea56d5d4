"""The fixture that serves."""

from tests.grpc.server import serve

__all__ = ["serve"]
