"""What an audience is told in place of ids, by the pairwise key of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_credential.pairwise import PairwiseKey
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def pairwise(folder: Path) -> PairwiseKey:
    """Return the key of the site in a test's folder."""
    return PairwiseKey.open(Settings(data=folder / "data").pairwise_key)


def alias(folder: Path, identifier: str, audience: str) -> str:
    """Return the alias of an id."""
    return pairwise(folder).alias(identifier, audience)
