"""A process that stores objects, one after another, until it is killed in the middle of one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from itertools import count
from typing import TYPE_CHECKING

from cameo_verifier.store.evidence.objects import open_objects
from tests.waiting import ended, heard

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def killed_while_writing(place: str, data: bytes, *, delay_s: float) -> set[str]:
    """Kill -9 the writer this long after its first object; return the names of those it reported as stored."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    writer = context.Process(target=_keep_for_ever, args=(place, data, send), daemon=True)
    writer.start()
    send.close()
    reported = {heard(receive)}
    time.sleep(delay_s)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    ended(writer)
    while receive.poll():
        try:
            reported.add(receive.recv())
        except EOFError:
            break
    return reported


def _keep_for_ever(place: str, data: bytes, report: Connection) -> None:
    objects = open_objects(place)
    for number in count():
        name = f"aa/a{number}/recording"
        objects.put(name, data)
        report.send(name)
