"""Previews of recordings that browsers do not play.

A recording is untrusted, so it is transcoded as it is judged: in a process of its own without the network, the site's secrets or
its environment, whose memory and time the kernel limits (`workers.process`) and whose answer is bytes. One runs at a
time. The result is cached in memory, for the requester alone and for a short while; no file is written.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError
from cameo_verifier.media.preview import previewing
from cameo_verifier.workers.process import ResourceLimits, Worker, thread_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import MediaInfo

_KEPT_FOR = timedelta(minutes=15)
_AT_ONCE = 6
"""Maximum number of cached previews, 24 MB each at most (`cameo_verifier.media.preview.MAX_BYTES`)."""
_READY_S, _MADE_S = 60.0, 120.0
_WAITS_S = 180.0
"""Maximum wait for a preview that is being made."""
_LIMITS = ResourceLimits(memory_bytes=3 * 2**30, job_cpu_s=90.0, files=64)

_ISO, _WEBM = {"mp4", "mov", "3gp", "m4a"}, {"webm"}
_PLAYED = (
    ("video/mp4", _ISO, {"h264", "av1", "vp9"}, {"aac", "mp3", "flac", "opus"}),
    ("video/webm", _WEBM, {"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
)
"""What Chromium, Firefox and Safari all play: containers, with codecs of picture and sound."""


class PreviewError(CameoError):
    """No preview could be made; the message says why."""


def media_type(media: MediaInfo) -> str:
    """Return the media type by which browsers play a recording; empty if they do not, or not in the judged orientation."""
    for kind, containers, pictures, sounds in _PLAYED:
        known = media.container in containers and {media.video_codec} <= pictures | {""} and {media.audio_codec} <= sounds | {""}
        # No browser rotates WebM.
        if known and not (media.rotation_deg and containers is _WEBM):
            return kind
    return ""


@dataclass(frozen=True, slots=True)
class _Made:
    webm: bytes
    until: datetime


class Previews:
    """Previews of one running console; thread-safe."""

    def __init__(self, limits: MediaLimits, *, clock: Callable[[], datetime]) -> None:
        self._limits, self._clock = limits, clock
        self._making, self._holding = Lock(), Lock()
        self._made: OrderedDict[tuple[str, str], _Made] = OrderedDict()
        self._worker: Worker[bytes, bytes] | None = None
        self._closed = False

    def close(self) -> None:
        """Make no further previews, and end the process that makes one now: its requester gets a `PreviewError`."""
        with self._holding:
            self._closed = True
            if self._worker is not None:
                self._worker.kill()

    def of(self, attempt_id: str, recording: bytes, *, who: str) -> bytes:
        """Return the preview (WebM) of a recording that `who` was given; it takes some seconds the first time.

        Raises:
            PreviewError: none could be made.
        """
        if (found := self._held(attempt_id, who)) is not None:
            return found
        if not self._making.acquire(timeout=_WAITS_S):
            raise PreviewError("other previews are being made: try again")
        try:
            # A player sends a second request before its first is answered.
            if (found := self._held(attempt_id, who)) is not None:
                return found
            if self._closed:
                raise PreviewError("no preview can be made: the console is stopping")
            try:
                webm = asyncio.run(_transcoded(recording, self._limits, self._at_work))
            except CameoError as error:
                raise PreviewError(f"no preview can be made: {error}") from None
        finally:
            self._making.release()
        now = self._clock()
        with self._holding:
            self._made = OrderedDict((key, made) for key, made in self._made.items() if made.until > now)
            self._made[who, attempt_id] = _Made(webm, now + _KEPT_FOR)
            while len(self._made) > _AT_ONCE:
                self._made.popitem(last=False)
        return webm

    def _at_work(self, worker: Worker[bytes, bytes] | None) -> None:
        with self._holding:
            self._worker = worker
            if worker is not None and self._closed:
                worker.kill()

    def _held(self, attempt_id: str, who: str) -> bytes | None:
        with self._holding:
            made = self._made.get((who, attempt_id))
        return made.webm if made is not None and made.until > self._clock() else None


async def _transcoded(recording: bytes, limits: MediaLimits, at_work: Callable[[Worker[bytes, bytes] | None], None]) -> bytes:
    """Return the preview; `at_work` is called with the worker once it runs, and with None once it has ended."""
    with ThreadPoolExecutor(2) as threads:
        worker: Worker[bytes, bytes] = await Worker.start(
            partial(previewing, limits), environment=thread_environment(1), threads=threads, ready_s=_READY_S, limits=_LIMITS
        )
        at_work(worker)
        try:
            async with asyncio.timeout(_MADE_S):
                made = await worker.judge(recording)
        except TimeoutError:
            raise PreviewError(f"it takes longer than {_MADE_S:.0f} s") from None
        finally:
            at_work(None)
            worker.kill()
            await worker.ended()
    if not isinstance(made, bytes):
        raise PreviewError("what was made is none")
    return made
