"""Decoys: entries of a status list that no credential has, each of which shows the status of one credential at all times.

A secret permutation of the indices, by AES-256 in counter mode under the list's own key, divides a list into groups of `GROUP`. A
credential gets a group, and in it one index at random; the others are its decoys. What the list shows of a group is the same for
all of its indices, in every version of the list, so whoever compares all versions learns no more than one guess in `GROUP`
gives. Decoys that were drawn anew for each change would not do that: the credential is the one index in all of the draws.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES = 32

GROUP = 8
"""Number of indices of which one is a credential's and the others are its decoys."""

_RANK_BYTES = 8


@lru_cache(maxsize=4)
def groups(key: bytes, capacity: int) -> npt.NDArray[np.int32]:
    """Return the groups of indices of a list under its key of 32 bytes, (capacity // GROUP, GROUP), each index once at most.

    Computed in a tenth of a second for a million indices, and kept for the lists used last.
    """
    cipher = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
    ranks = np.frombuffer(cipher.update(bytes(capacity * _RANK_BYTES)), "<u8")
    order = np.argsort(ranks, kind="stable")[: capacity // GROUP * GROUP].astype(np.int32)
    order.flags.writeable = False
    return order.reshape(-1, GROUP)
