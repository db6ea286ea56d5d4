"""Single flight: deduplicates concurrent fetches: one thread fetches, others wait for its result; a failure is cached briefly.

So an outage costs each reader one timeout at most, and the issuer one request per cached failure, however many readers there are.
"""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from cameo_credential.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

FAILURE_REMEMBERED = timedelta(seconds=5)
"""How long a failure is cached: as long as one fetch may take without a byte."""

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class SingleFlight(Generic[ValueT]):
    """Flights by name; thread-safe.

    clock: the time in UTC. remembered: how long a failure is cached.
    """

    clock: Callable[[], datetime]
    remembered: timedelta = FAILURE_REMEMBERED
    _flights: dict[Hashable, Future[ValueT]] = field(default_factory=dict, init=False)
    _failures: dict[Hashable, tuple[datetime, CredentialError]] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def get(self, name: Hashable, make: Callable[[], ValueT]) -> ValueT:
        """Return the result of `make`, called by this thread, or by one that is calling it already.

        Raises:
            CredentialError: what `make` raised, here, in that thread, or less than `remembered` ago.
        """
        with self._lock:
            self._forget()
            if name in self._failures:
                raise _again(self._failures[name][1])
            flight = self._flights.get(name)
            leads = flight is None
            if flight is None:
                flight = self._flights[name] = Future()
        if leads:
            self._fly(name, flight, make)
        try:
            return flight.result()
        except CredentialError as error:
            raise _again(error) from None
        except CancelledError:
            return self.get(name, make)

    def _fly(self, name: Hashable, flight: Future[ValueT], make: Callable[[], ValueT]) -> None:
        try:
            made = make()
        except CredentialError as error:
            with self._lock:
                self._failures[name] = (self.clock(), error)
                del self._flights[name]
            flight.set_exception(error)
        except BaseException:  # it is this thread's alone, such as an interrupt: the others try for themselves
            with self._lock:
                del self._flights[name]
            flight.cancel()
            raise
        else:
            with self._lock:
                del self._flights[name]
            flight.set_result(made)

    def _forget(self) -> None:
        now = self.clock()
        for name, (at, _) in list(self._failures.items()):
            # A clock that was set back ends a memory too.
            if not timedelta(0) <= now - at < self.remembered:
                del self._failures[name]


def _again(error: CredentialError) -> CredentialError:
    # Its own one for each thread: a raised exception collects the stack of whoever raises it.
    return CredentialError(error.reason, str(error))
