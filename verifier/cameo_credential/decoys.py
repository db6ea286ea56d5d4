"""Decoys: entries of a status list that no credential has, shown with plausible statuses.

Every index has a rank, a number below 2**32 that only the issuer can compute: AES-256 in counter mode under the list's own key.
Of the indices without a credential those of the lowest ranks are shown as revoked and those of the highest as suspended, in the
same shares as among the credentials. The same shares yield the same decoys; when a share grows, decoys are added, so that a
revocation is one change among many. Decoys that are shown as revoked stay so, as revoked credentials do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cameo_credential.token_status import Status

if TYPE_CHECKING:
    from cameo_credential.arrays import U8

KEY_BYTES = 32
RANKS = 2**32
MOST = RANKS // 2
"""Maximum number of ranks that are shown as other than valid: the rest stays free for new credentials."""

FEWEST_BEHIND_A_SHARE = 1024
"""Minimum number of credentials a share refers to: one that is revoked among the first ten must not mark half the list."""

_RANK_BYTES = 4
_RANKS_A_BLOCK = 4


@dataclass(frozen=True, slots=True)
class DecoyShares:
    """Number of the 2**32 ranks that are shown as revoked (from the bottom) and as suspended (from the top)."""

    invalid: int
    suspended: int

    def of(self, rank: int) -> Status:
        """Return the status of a decoy by its rank."""
        if rank < self.invalid:
            return Status.INVALID
        return Status.SUSPENDED if rank >= RANKS - self.suspended else Status.VALID

    def grown(self, *, used: int, invalid: int, suspended: int) -> DecoyShares:
        """Return the shares for a list with `used` credentials, of which these numbers are revoked and suspended.

        The revoked share never falls: nothing that was shown as revoked becomes valid again.
        """
        behind = max(used, FEWEST_BEHIND_A_SHARE)
        more = max(self.invalid, min(MOST, invalid * RANKS // behind))
        return DecoyShares(more, min(MOST - more, suspended * RANKS // behind))


def rank(key: bytes, index: int) -> int:
    """Return the rank of one index under a list's key of 32 bytes."""
    block, place = divmod(index, _RANKS_A_BLOCK)
    return int(_stream(key, block, 1)[place])


def statuses(key: bytes, capacity: int, shares: DecoyShares) -> U8:
    """Return the status shown for each of `capacity` indices until a credential has it, (capacity,) uint8."""
    ranks = _stream(key, 0, -(-capacity // _RANKS_A_BLOCK))[:capacity]
    shown = np.zeros(capacity, np.uint8)
    shown[ranks < shares.invalid] = Status.INVALID
    shown[ranks >= RANKS - shares.suspended] = Status.SUSPENDED
    return shown


def _stream(key: bytes, first_block: int, blocks: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    cipher = Cipher(algorithms.AES256(key), modes.CTR(first_block.to_bytes(16, "big"))).encryptor()
    return np.frombuffer(cipher.update(bytes(blocks * _RANKS_A_BLOCK * _RANK_BYTES)), "<u4")
