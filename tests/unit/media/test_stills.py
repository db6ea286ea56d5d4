from __future__ import annotations

import struct
import zlib

import cv2
import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import corners, picture

_LIMITS = MediaLimits()
_CORNERS = {
    1: ["red", "green", "white", "blue"],
    2: ["green", "red", "blue", "white"],
    3: ["white", "blue", "red", "green"],
    4: ["blue", "white", "green", "red"],
    5: ["red", "blue", "white", "green"],
    6: ["blue", "red", "green", "white"],
    7: ["white", "green", "red", "blue"],
    8: ["green", "white", "blue", "red"],
}


def _still(extension: str, orientation: int | None = None, order: str = "<") -> bytes:
    """A 64x48 still of the four quadrants with an EXIF orientation."""
    raw = cv2.imencode(extension, cv2.cvtColor(picture((64, 48)), cv2.COLOR_RGB2BGR))[1].tobytes()
    if orientation is None:
        return raw
    byte_order = b"II*\0" if order == "<" else b"MM\0*"
    tiff = byte_order + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    if extension == ".jpg":
        body = b"Exif\0\0" + tiff
        return raw[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + raw[2:]
    if extension == ".png":
        chunk = b"eXIf" + tiff
        return raw[:33] + struct.pack(">I", len(tiff)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + raw[33:]
    header = b"VP8X" + struct.pack("<IBBH", 10, 8, 0, 0) + (63).to_bytes(3, "little") + (47).to_bytes(3, "little")
    body = b"WEBP" + header + raw[12:] + b"EXIF" + struct.pack("<I", len(tiff)) + tiff
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
def test_a_still_is_one_picture_of_no_length(extension: str) -> None:
    """A photo yields one picture at time zero and has no length, no rate and no sound."""
    with open_recording(_still(extension), limits=_LIMITS) as recording:
        frames = list(recording.frames())
        sound = recording.sound()
        info = recording.finished_info()
    assert [frame.t_s for frame in frames] == [0.0]
    assert corners(frames[0].rgb) == _CORNERS[1]
    assert (info.frames, info.duration_s, info.fps, info.video_s) == (1, 0.0, 0.0, 0.0)
    assert (info.width, info.height, info.container) == (64, 48, {".jpg": "jpeg", ".png": "png", ".webp": "webp"}[extension])
    assert sound.shape == (0,)


def test_a_second_picture_behind_the_first_does_not_count() -> None:
    """A JPEG that carries a depth map or another exposure after its end is still one picture."""
    with open_recording(_still(".jpg") + _still(".jpg", 3), limits=_LIMITS) as recording:
        (frame,) = recording.frames()
        assert recording.finished_info().frames == 1
    assert corners(frame.rgb) == _CORNERS[1]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_a_jpeg_is_honoured(orientation: int, order: str) -> None:
    """All eight orientations a phone may write come out upright, whichever byte order it writes them in."""
    with open_recording(_still(".jpg", orientation, order), limits=_LIMITS) as recording:
        (frame,) = recording.frames()
    assert corners(frame.rgb) == _CORNERS[orientation]
    assert frame.rgb.shape == ((64, 48, 3) if orientation > 4 else (48, 64, 3))


@pytest.mark.parametrize("extension", [".png", ".webp"])
def test_exif_orientation_of_png_and_webp_is_honoured(extension: str) -> None:
    """PNG and WebP carry the same tag and are turned by it."""
    with open_recording(_still(extension, 6), limits=_LIMITS) as recording:
        (frame,) = recording.frames()
        assert recording.finished_info().rotation_deg == 90
    assert corners(frame.rgb) == _CORNERS[6]


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
def test_a_photo_larger_than_allowed_is_refused_from_its_header(extension: str) -> None:
    """The size a photo declares is held against the limit before FFmpeg sees it."""
    with pytest.raises(UnjudgeableError, match="64x48 are over the limit of 50 px") as refusal:
        open_recording(_still(extension), limits=MediaLimits(max_side_px=50))
    assert refusal.value.reason is Reason.PICTURE_TOO_LARGE


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
def test_a_photo_cut_in_its_header_is_refused(extension: str) -> None:
    """A photo that ends before it says its size is damaged, and the message says what to do."""
    with pytest.raises(UnjudgeableError, match="take it again") as refusal:
        open_recording(_still(extension)[:18], limits=_LIMITS)
    assert refusal.value.reason is Reason.CORRUPT_MEDIA
