"""What the browser of a live session said about itself, each fact beside what the recording shows. It decides nothing.

A browser can say what it likes. What does not fit the recording is marked: a virtual camera, or a script in place of a browser,
often states one thing and sends another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cameo_verifier.types import MediaInfo

_FASTER = 1.1
"""Of the stated frame rate: a camera may deliver fewer pictures than that, as in the dark, and not more."""
_CONTAINERS = {"video/webm": {"webm", "mkv"}, "video/x-matroska": {"mkv", "webm"}, "video/mp4": {"mp4", "mov"}}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact that a browser stated; `doubt` says what the recording shows instead, empty where nothing speaks against it."""

    name: str
    value: str
    doubt: str = ""


def facts(hello: Mapping[str, Any] | None, media: MediaInfo | None) -> tuple[Fact, ...]:
    """Return what a browser said about itself; nothing for an upload.

    Args:
        hello: as `store.attempts.sessions.hello_of` returns it.
        media: of the recording; None where its evidence is not kept.
    """
    return () if hello is None else tuple(fact for fact in _facts(hello, media) if fact.value)


def misfits(hello: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return what of the recording did not fit the browser's words when it was judged, a sentence each."""
    return () if hello is None else tuple(map(str, hello.get("misfits", ())))


def _facts(hello: Mapping[str, Any], media: MediaInfo | None) -> Iterator[Fact]:
    agent, kind = str(hello.get("user_agent", "")), str(hello.get("mime_type", ""))
    track = {str(name): str(value) for name, value in hello.get("track_settings", {}).items()}
    yield Fact("user agent", agent)
    yield Fact("recorder", kind, _doubted_container(agent, kind, media))
    width, height = _number(track.pop("width", "")), _number(track.pop("height", ""))
    rate = _number(track.pop("frameRate", ""))
    yield Fact("camera's picture", f"{width:g} × {height:g} px" if width and height else "", _doubted_size(width, height, media))
    yield Fact("camera's rate", f"{rate:g} pictures a second" if rate else "", _doubted_rate(rate, media))
    for name, value in sorted(track.items()):
        yield Fact(f"camera's {name}", value)
    across, down = (*hello.get("display", ()), 0, 0)[:2]
    yield Fact("display", f"{across} × {down} CSS px" if across and down else "")
    needs = hello.get("needs", ())
    yield Fact("asked to be spared", ", ".join(str(need).removeprefix("NO_").lower() for need in needs))
    hz = float(hello.get("display_hz", 0.0))
    yield Fact("display's refresh", f"{hz:.0f} Hz" if hz else "")
    for misfit in hello.get("misfits", ()):
        yield Fact("container and codecs", "compared", f"the client {misfit}")


def _doubted_container(agent: str, kind: str, media: MediaInfo | None) -> str:
    stated = _CONTAINERS.get(kind.partition(";")[0].strip().lower())
    if media is not None and stated is not None and media.container not in stated:
        return f"the recording is {media.container}"
    if "Firefox/" in agent and stated is not None and "mp4" in stated:
        return "Firefox records WebM"
    return ""


def _doubted_size(width: float, height: float, media: MediaInfo | None) -> str:
    # A phone that is held upright may state the sides of its sensor.
    if media is None or not (width and height and media.width) or {width, height} == {media.width, media.height}:
        return ""
    return f"the recording has {media.width} × {media.height} px"


def _doubted_rate(rate: float, media: MediaInfo | None) -> str:
    return f"the recording has {media.fps:.1f}" if media is not None and rate and media.fps > _FASTER * rate else ""


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 < value < float("inf") else 0.0
