"""Facts of a capture that do not fit what its client states."""

from __future__ import annotations

from typing import Any

import pytest

from cameo_verifier.server.capture_facts import misfits

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WEBM = b"\x1a\x45\xdf\xa3" + bytes(40)
BY_CHROME = WEBM + b"\x4d\x80\x86Chrome" + bytes(9)
BY_LAVF = WEBM + b"\x4d\x80\x8dLavf61.7.100\0" + bytes(9)
BY_FIREFOX = WEBM + b"\x4d\x80\x98QTmuxingAppLibWebM-0.0.1"
MP4 = b"\0\0\0\x18ftypiso5"
USUAL = {
    "user_agent": CHROME,
    "mime_type": "video/webm;codecs=vp8,opus",
    "recording": BY_CHROME,
    "video_codec": "vp8",
    "audio_codec": "opus",
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"user_agent": FIREFOX, "recording": BY_FIREFOX},
        {"mime_type": 'video/webm; codecs="vp09.00.10.08, opus"', "video_codec": "vp9"},
        {"mime_type": "video/mp4;codecs=avc1.42E01E,mp4a.40.2", "recording": MP4, "video_codec": "h264", "audio_codec": "aac"},
        {"user_agent": "a test", "mime_type": "", "recording": BY_LAVF},
        {"mime_type": "", "recording": b"", "user_agent": ""},
    ],
)
def test_what_fits_says_nothing(changed: dict[str, Any]) -> None:
    """So does what is not stated."""
    assert misfits(**USUAL | changed) == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"recording": BY_LAVF}, "states a browser that writes WebM as Chrome, sends that of Lavf61.7.100"),
        ({"recording": BY_FIREFOX}, "states a browser that writes WebM as Chrome, sends that of QTmuxingAppLibWebM-0.0.1"),
        ({"recording": WEBM}, "states a browser that writes WebM as Chrome, sends that of nobody"),
        ({"recording": WEBM + b"\x4d\x80"}, "states a browser that writes WebM as Chrome, sends that of nobody"),
        ({"recording": MP4}, "states webm, sends mp4"),
        ({"video_codec": "h264"}, "states opus and vp8, sends h264 and opus"),
        ({"video_codec": "", "audio_codec": ""}, "states opus and vp8, sends neither"),
    ],
)
def test_what_does_not_fit_is_said(changed: dict[str, Any], told: str) -> None:
    """One sentence each."""
    assert misfits(**USUAL | changed) == (told,)
