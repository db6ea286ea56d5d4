"""Allotment of status list indices: one for each credential, before it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_credential import decoys
from cameo_credential.claims import StatusReference
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM, SIGNATURE_ALGORITHMS
from cameo_verifier.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_verifier.store.credentials.statuses import StatusStore

_TRIES = 256
"""Maximum number of draws: at least half of the groups are free, so one draw in two succeeds, and 256 fail once in 10**77."""


@dataclass(frozen=True, slots=True)
class IndexAllocator:
    """Draws indices at random.

    base: prefix of a list's URI. capacity: indices of a new list. below: a random whole number below another. new_key: 32 random
    bytes.
    """

    store: StatusStore
    base: str
    capacity: int
    below: Callable[[int], int]
    new_key: Callable[[], bytes]

    def allot(self, jti: str, *, now: datetime, algorithm: str = SIGNATURE_ALGORITHM) -> StatusReference:
        """Return the status list index of a new credential, in the list that is signed by an algorithm; its status is valid.

        It is a random one of a random free group; the others of the group show the same status from now on.

        Raises:
            StoreError: the database failed.
        """
        for _ in range(_TRIES):
            kept = self.store.open_list(capacity=self.capacity, new_key=self.new_key, now=now)
            groups = decoys.groups(kept.decoy_key, kept.capacity)
            group, member = self.below(len(groups)), self.below(decoys.GROUP)
            index = int(groups[group, member])
            if self.store.take(kept, group, index, jti=jti):
                return StatusReference(index, uri_of(self.base, kept.number, algorithm))
        raise StoreError("no free index of a status list was found")


def uri_of(base: str, number: int, algorithm: str = SIGNATURE_ALGORITHM) -> str:
    """Return the URI of a list as it is signed by an algorithm: each is for the audiences that require that algorithm."""
    return f"{base.rstrip('/')}/status/{number}{'' if algorithm == SIGNATURE_ALGORITHM else f'/{algorithm}'}"


def list_of(base: str, uri: str) -> tuple[int, str] | None:
    """Return number and algorithm of the list at a URI, exactly as `uri_of` writes it; None for any other URI."""
    number, _, named = uri.removeprefix(uri_of(base, 0)[:-1]).partition("/")
    algorithm = named or SIGNATURE_ALGORITHM
    # A length within the ranges of int() and the database.
    if not (number.isascii() and number.isdecimal() and len(number) < 10) or algorithm not in SIGNATURE_ALGORITHMS:
        return None
    return (int(number), algorithm) if uri == uri_of(base, int(number), algorithm) else None
