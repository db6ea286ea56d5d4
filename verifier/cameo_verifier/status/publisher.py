"""Publication of the status lists: made once per interval, cached between.

1. All indices are valid; then each credential that is not gives its status to all indices of its group.
2. The list is signed, once by each of the issuer's algorithms, verified, and cached until the interval is over.

A list may be cached for two intervals from the time it was made, so whoever fetches one always has an interval to use it in; a
revoked credential is refused everywhere after two intervals at the latest.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cameo_credential import decoys
from cameo_credential.errors import KeyFileError
from cameo_credential.status_list import StatusList, publish
from cameo_credential.token_status import Status
from cameo_verifier.errors import NotFoundError, StoreError
from cameo_verifier.status.index_allocator import list_of, uri_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from cameo_credential.issuer_keys import IssuerKeys
    from cameo_verifier.store.credentials.statuses import StatusStore
    from cameo_verifier.types import U8

KEPT_INTERVALS = 2
"""Number of intervals for which a list may be cached: the one in which it is published and one more for readers."""


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A signed list: `token` is a compact JWS. It is replaced at `next_at` and expires at `ends_at`."""

    uri: str
    token: str
    etag: str
    made_at: datetime
    next_at: datetime
    ends_at: datetime


class StatusPublisher:
    """Makes and caches the signed lists; thread-safe."""

    def __init__(
        self,
        store: StatusStore,
        *,
        keys: Callable[[], IssuerKeys],
        base: str,
        interval: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        """Keep the parts. `keys` returns the issuer's current keys; `base` is the prefix of the lists' URIs."""
        self._store = store
        self._keys = keys
        self._base = base
        self._interval = interval
        self._clock = clock
        self._lists: dict[int, dict[str, PublishedList]] = {}
        self._making = threading.Lock()

    def get(self, uri: str) -> PublishedList:
        """Return the list at a URI, made within the last interval; an older one that has not expired, if none can be made.

        Raises:
            NotFoundError: no list has this URI.
            KeyFileError, StoreError: the key or the database failed, and no cached list is still valid.
        """
        named = list_of(self._base, uri)
        if named is None:
            raise NotFoundError("no status list has this URI")
        if (current := self._current(*named)) is not None:
            return current
        number, algorithm = named
        with self._making:
            if (current := self._current(number, algorithm)) is not None:
                return current
            try:
                keys = self._keys()
                if algorithm not in {key.algorithm for key in keys.signing}:
                    raise NotFoundError(f"nothing is signed by {algorithm}")
                self._lists[number] = self._make(number, keys)
            except (KeyFileError, StoreError):
                kept = self._lists.get(number, {}).get(algorithm)
                if kept is None or self._clock() >= kept.ends_at:
                    raise
                return kept
            return self._lists[number][algorithm]

    def refresh(self) -> int:
        """Make every list again whose interval is over, and return the number of lists.

        Raises:
            KeyFileError, StoreError: the key or the database failed.
        """
        numbers = self._store.numbers()
        for number in numbers:
            self.get(uri_of(self._base, number))
        return len(numbers)

    def _current(self, number: int, algorithm: str) -> PublishedList | None:
        kept = self._lists.get(number, {}).get(algorithm)
        return kept if kept is not None and kept.made_at <= self._clock() < kept.next_at else None

    def _make(self, number: int, keys: IssuerKeys) -> dict[str, PublishedList]:
        # One content for all algorithms: of two that are made at different times, more changes could be seen.
        now, kept_for = self._clock().replace(microsecond=0), KEPT_INTERVALS * self._interval
        statuses, made = StatusList.of(self._statuses(number)), {}
        for algorithm in (key.algorithm for key in keys.signing):
            uri = uri_of(self._base, number, algorithm)
            token = publish(statuses, uri=uri, keys=keys, now=now, ttl=kept_for, lifetime=kept_for, algorithm=algorithm)
            etag = hashlib.sha256(token.encode("ascii")).hexdigest()[:32]
            made[algorithm] = PublishedList(uri, token, etag, made_at=now, next_at=now + self._interval, ends_at=now + kept_for)
        return made

    def _statuses(self, number: int) -> U8:
        kept = self._store.get_list(number)
        entries = self._store.entries(number, valid=kept.closed)
        statuses = np.full(kept.capacity, Status.INVALID if kept.closed else Status.VALID, np.uint8)
        statuses[entries.indices] = entries.statuses
        grouped = entries.groups >= 0
        statuses[decoys.groups(kept.decoy_key, kept.capacity)[entries.groups[grouped]]] = entries.statuses[grouped, None]
        return statuses
