"""Tracks: everything the checks look at, in one small binary, and back to the last bit.

    magic, 8 bytes | version, u16 | length of the body, u64 | length before compression, u64 | SHA-256 of all of the other parts
    body, zlib: length of the header, u32 | header, JSON | the arrays, one after the other

The header describes itself: records by name with their fields, arrays by dtype and shape. A field that a later version adds and
gives a default needs no new version number. Of an array the first bytes of all rows lie together, then the second bytes and so
on: neighbouring pictures differ little in most of them, so they compress better. Numbers little-endian; nothing is pickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from verifier import types
from verifier.errors import CameoError
from verifier.reasons import Reason
from verifier.types import Circumstances, Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

VERSION = 1
MAX_BYTES = 256 * 1024 * 1024
"""Before compression; 30 s at the highest rate stay well below."""

_MAGIC = b"CAMEOTRK"
_FRONT = struct.Struct("<8sHQQ32s")
_RECORDS = {
    record.__name__: record
    for record in (
        types.Circumstances,
        types.Evidence,
        types.FaceTrack,
        types.Fingerprint,
        types.GalleryAnswer,
        types.Match,
        types.MediaInfo,
        types.Missing,
        types.PictureTrace,
        types.Recalled,
        types.ScoredWord,
        types.SoundRepeat,
        types.SoundTrack,
        types.Word,
    )
}
_DTYPE = re.compile(r"[<>|][biuf][1-9][0-9]?")


class TracksError(CameoError):
    """Tracks that cannot be read."""


class TracksVersionError(TracksError):
    """Another version of this service wrote them."""


class TruncatedTracksError(TracksError):
    """The end of them is missing."""


class DamagedTracksError(TracksError):
    """They are not what was written."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """What an attempt can be judged by again, without its recording and without models."""

    evidence: Evidence
    circumstances: Circumstances = dataclasses.field(default_factory=Circumstances)


def to_bytes(tracks: Tracks) -> bytes:
    """Return tracks as they are kept."""
    arrays: list[Array] = []
    header = {"evidence": _plain(tracks.evidence, arrays), "circumstances": _plain(tracks.circumstances, arrays)}
    header["arrays"] = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays]
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    raw = b"".join([struct.pack("<I", len(text)), text, *map(_columns, arrays)])
    body = zlib.compress(raw, 6)
    return _front(VERSION, body, len(raw)) + body


def from_bytes(kept: bytes) -> Tracks:
    """Return tracks; the arrays are read-only.

    Raises:
        TracksVersionError: another version wrote them.
        TruncatedTracksError: the end is missing.
        DamagedTracksError: they were altered, or are no tracks at all.
    """
    if not kept.startswith(_MAGIC[: len(kept)]):
        raise DamagedTracksError("these are no tracks")
    if len(kept) < _FRONT.size:
        raise TruncatedTracksError(f"tracks of {len(kept)} bytes end before their front does")
    _, version, length, raw_length, _ = _FRONT.unpack_from(kept)
    if version != VERSION:
        raise TracksVersionError(f"tracks of version {version}; this is version {VERSION} of the service's format")
    body = kept[_FRONT.size :]
    if len(body) < length:
        raise TruncatedTracksError(f"{len(body)} of {length} bytes of the tracks are left")
    if kept[: _FRONT.size] != _front(version, body, raw_length) or raw_length > MAX_BYTES:
        raise DamagedTracksError("the tracks do not have the digest they were written with")
    try:
        return _tracks(_inflated(body, raw_length))
    except (AttributeError, LookupError, TypeError, ValueError, struct.error, zlib.error) as error:
        raise DamagedTracksError(f"the tracks are malformed: {type(error).__name__}") from None


def _front(version: int, body: bytes, raw_length: int) -> bytes:
    plain = _FRONT.pack(_MAGIC, version, len(body), raw_length, bytes(32))
    return _FRONT.pack(_MAGIC, version, len(body), raw_length, hashlib.sha256(plain + body).digest())


def _inflated(body: bytes, raw_length: int) -> bytes:
    inflater = zlib.decompressobj()
    raw = inflater.decompress(body, raw_length + 1)
    if len(raw) != raw_length or not inflater.eof or inflater.unused_data:
        raise ValueError("length")
    return raw


def _tracks(raw: bytes) -> Tracks:
    (length,) = struct.unpack_from("<I", raw)
    header = json.loads(raw[4 : 4 + length])
    arrays, place = [], 4 + length
    for entry in header["arrays"]:
        if not _DTYPE.fullmatch(entry["dtype"]):
            raise ValueError("dtype")
        array = _rows(raw, place, np.dtype(entry["dtype"]), tuple(entry["shape"]))
        place += array.nbytes
        arrays.append(array)
    if place != len(raw):
        raise ValueError("length")
    evidence, circumstances = (_value(header[part], arrays) for part in ("evidence", "circumstances"))
    if not isinstance(evidence, Evidence) or not isinstance(circumstances, Circumstances):
        raise TypeError("record")
    return Tracks(evidence, circumstances)


def _columns(array: Array) -> bytes:
    rows = np.ascontiguousarray(array).tobytes()
    if array.ndim == 0 or not array.size:
        return rows
    return np.ascontiguousarray(np.frombuffer(rows, np.uint8).reshape(len(array), -1).T).tobytes()


def _rows(raw: bytes, place: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    if any(not isinstance(length, int) or length < 0 for length in shape):
        raise ValueError("shape")
    size = math.prod(shape)
    values = np.frombuffer(raw, np.uint8, size * dtype.itemsize, place)
    if shape and size:
        values = np.ascontiguousarray(values.reshape(-1, shape[0]).T)
    array: Array = np.frombuffer(bytearray(values), dtype, size).reshape(shape)
    array.flags.writeable = False
    return array


def _plain(value: object, arrays: list[Array]) -> Any:  # noqa: ANN401, PLR0911 - whatever JSON has, one line for each kind
    """Return a value as JSON; arrays go to the list, and so do numpy's numbers, whose precision takes part in sums."""
    match value:
        case np.generic():
            arrays.append(np.asarray(value))
            return {"scalar": len(arrays) - 1}
        case np.ndarray():
            arrays.append(value)
            return {"array": len(arrays) - 1}
        case Reason():
            return {"reason": value.value}
        case float() if not math.isfinite(value):
            return {"float64": struct.pack(">d", value).hex()}
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"time": value.isoformat()}
        case tuple():
            return {"tuple": [_plain(each, arrays) for each in value]}
        case dict():
            return {"map": {str(key): _plain(each, arrays) for key, each in value.items()}}
    record = type(value)
    if not dataclasses.is_dataclass(value) or _RECORDS.get(record.__name__) is not record:
        raise RuntimeError(f"tracks have no place for a {record.__name__}")
    fields = {field.name: _plain(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
    return {"record": record.__name__, "fields": fields}


def _value(plain: Any, arrays: list[Array]) -> Any:  # noqa: ANN401 - the inverse of `_plain`
    match plain:
        case {"record": name, "fields": fields}:
            return _RECORDS[name](**{key: _value(each, arrays) for key, each in fields.items()})
        case {"tuple": values}:
            return tuple(_value(each, arrays) for each in values)
        case {"map": values}:
            return {key: _value(each, arrays) for key, each in values.items()}
        case dict():
            ((kind, held),) = plain.items()
            return _READERS[kind](held, arrays)
        case list():
            raise TypeError("list")
    return plain


_READERS: dict[str, Callable[[Any, list[Array]], Any]] = {
    "array": lambda held, arrays: arrays[held],
    "scalar": lambda held, arrays: arrays[held][()],
    "reason": lambda held, _: Reason(held),
    "float64": lambda held, _: struct.unpack(">d", bytes.fromhex(held))[0],
    "time": lambda held, _: datetime.fromisoformat(held),
}
