"""The fixtures that serve."""

from tests.grpc.holders import open_site
from tests.grpc.server import serve
from tests.grpc.world import open_world

__all__ = ["open_site", "open_world", "serve"]
