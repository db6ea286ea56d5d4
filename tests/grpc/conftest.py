"""The fixtures that serve."""

from tests.grpc.reissue import open_site
from tests.grpc.server import serve

__all__ = ["open_site", "serve"]
