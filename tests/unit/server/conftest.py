"""What reads a database."""

from tests.unit.store.conftest import engine, url

__all__ = ["engine", "url"]
