"""What is PostgreSQL's own: collected only where there is a server for the tests (`make test-postgresql`)."""

from __future__ import annotations

from tests.databases import SERVER
from tests.unit.store.conftest import engine, issued, url

__all__ = ["engine", "issued", "url"]

collect_ignore_glob = [] if SERVER else ["test_*.py"]
