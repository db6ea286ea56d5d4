"""Cache of wrapping keys: drops each a minute after its file is gone, so that rows read before that still decrypt."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.store.cameos.vault import VaultKey

KEPT_S = 60.0
"""Time after a key was first missed in which it still unwraps: longer than a transaction."""


class WrappingKeyCache:
    """The wrapping keys of a vault, the present one first; thread-safe."""

    def __init__(self, current: Callable[[], tuple[VaultKey, ...]], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the parts. `current` returns the keys of the files; `monotonic` a time in seconds."""
        self._current, self._monotonic = current, monotonic
        self._lock = threading.Lock()
        self._had: dict[str, VaultKey] = {}
        self._missed: dict[str, float] = {}

    def __call__(self) -> tuple[VaultKey, ...]:
        """Return the keys of the files, and those that are missing there for less than `KEPT_S`."""
        current = self._current()
        ids = {key.id for key in current}
        with self._lock:
            now = self._monotonic()
            for missing in self._had.keys() - ids:
                if now - self._missed.setdefault(missing, now) >= KEPT_S:
                    del self._had[missing], self._missed[missing]
            for key in current:
                self._had[key.id] = key
                self._missed.pop(key.id, None)
            return (*current, *(key for name, key in self._had.items() if name not in ids))
