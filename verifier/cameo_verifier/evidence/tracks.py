"""Track files: serialise everything the checks look at as an npz that `numpy.load` opens, and back to the last bit.

One member for each array, named by the field it is in (`face.landmarks`), and `header`, the bytes of a JSON that holds the rest:
the version, the records by name with their fields, and where each array belongs. A field that a later version adds with a default
needs no new version number. Nothing is pickled; the same tracks make the same bytes. They are not compressed: measured floats
would shrink by a tenth, and take four times as long to read.

Reading detects damage by the CRC-32 of each member; what neither it nor the zip's structure covers, such as times of files,
changes nothing that is read. The vault's AES-GCM protects against deliberate changes (`store.evidence.sealed_object`).
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
import struct
import threading
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cameo_credential.errors import CameoError
from cameo_verifier import live_record, types
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Circumstances, Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

ReadT = TypeVar("ReadT")

VERSION = 5
"""5: ages are those of two networks, asked words have a margin over others, the voice has the score of an audio mark.
4: start of picture and sound, which sound was judged, damage, changes of the pictures' shape; the sclera, and whether eyes and
mouth are covered; speech is the person's alone, and background speech is kept beside it.
3: a display's grid is that of the mean square over 48 frames, not of the median one over 24. 2: lips are four features instead
of eight, and the grid is in deviations instead of nats."""
MAX_BYTES = 256 * 1024 * 1024
"""30 s at the highest rate stay well below."""

_BEGINS, _ENDS, _END_BYTES = b"PK\x03\x04", b"PK\x05\x06", 22
"""Zip signatures: of the file's start and of its end record, and the length of that record without a comment."""

_HEADER = "header"
_PARSING = threading.Lock()
"""NumPy reads a header by `ast.literal_eval`, and CPython 3.11 fails with a SystemError where two threads do that at once."""
_RECORDS = {
    record.__name__: record
    for record in (
        live_record.Arrival,
        live_record.Chunk,
        live_record.LiveRecord,
        live_record.Reveal,
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
_MALFORMED = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the standard library and numpy say of a zip, an npy or a JSON that is none; warnings where they are errors."""


class TracksError(CameoError):
    """Tracks cannot be read."""


class TracksVersionError(TracksError):
    """Tracks were written by another version of this service."""


class TruncatedTracksError(TracksError):
    """Tracks are truncated."""


class DamagedTracksError(TracksError):
    """Tracks were altered after they were written."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The evidence and circumstances of an attempt, from which it is judged again without its recording and without models."""

    evidence: Evidence
    circumstances: Circumstances = dataclasses.field(default_factory=Circumstances)


def to_bytes(tracks: Tracks) -> bytes:
    """Serialise tracks."""
    arrays: dict[str, Array] = {}
    header = {
        "version": VERSION,
        "evidence": _plain(tracks.evidence, arrays),
        "circumstances": _plain(tracks.circumstances, arrays, "circumstances"),
    }
    return _archive(header, arrays)


def _archive(header: dict[str, Any], arrays: dict[str, Array]) -> bytes:
    text = np.frombuffer(json.dumps(header, separators=(",", ":"), allow_nan=False).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{_HEADER: text}, **arrays)
    return file.getvalue()


def from_bytes(kept: bytes) -> Tracks:
    """Deserialise tracks; the arrays are read-only.

    Raises:
        TracksVersionError: another version wrote them.
        TruncatedTracksError: the end is missing.
        DamagedTracksError: they were altered, or are no tracks at all.
    """
    return _opened(kept, _tracks)


def pack(value: object, records: Sequence[type] = (), names: Sequence[type[StrEnum]] = ()) -> bytes:
    """Serialise any value of records, tuples, maps, arrays, bytes and plain values in the format of tracks; times are refused.

    Args:
        value: what is serialised.
        records: the data classes that it may hold beside those of tracks.
        names: the enumerations.

    Raises:
        RuntimeError: it holds something else.
    """
    arrays: dict[str, Array] = {}
    plain = _plain(value, arrays, "value", known=_Known.of(records, names))
    return _archive({"value": plain}, arrays)


def unpack(packed: bytes, records: Sequence[type] = (), names: Sequence[type[StrEnum]] = ()) -> Any:  # noqa: ANN401 - whatever was packed
    """Deserialise the output of `pack`, with the same records and names; the arrays are read-only.

    Raises:
        TracksError: the bytes are not output of `pack`.
    """
    known = _Known.of(records, names)

    def read(archive: zipfile.ZipFile) -> Any:  # noqa: ANN401 - whatever was packed
        plain = _header(archive)["value"]
        return _read(archive, lambda arrays: _value(plain, arrays, known))

    return _opened(packed, read)


def _opened(kept: bytes, read: Callable[[zipfile.ZipFile], ReadT]) -> ReadT:
    if not kept.startswith(_BEGINS[: len(kept)]):
        raise DamagedTracksError("these are no tracks")
    end = kept.rfind(_ENDS)
    if end < 0 or len(kept) < end + _END_BYTES:
        raise TruncatedTracksError(f"{len(kept)} bytes of tracks are left, and no end")
    if len(kept) > end + _END_BYTES:
        raise DamagedTracksError("something stands behind the end of the tracks")
    try:
        with zipfile.ZipFile(io.BytesIO(kept)) as archive:
            return read(archive)
    except _MALFORMED as error:
        raise DamagedTracksError(f"the tracks are malformed: {type(error).__name__}") from None


def _tracks(archive: zipfile.ZipFile) -> Tracks:
    header = _header(archive)
    if header["version"] != VERSION:
        raise TracksVersionError(f"tracks of version {int(header['version'])}; this is version {VERSION} of the service's format")

    def tracks(arrays: dict[str, Array]) -> Tracks:
        evidence, circumstances = (_value(header[part], arrays) for part in ("evidence", "circumstances"))
        if not isinstance(evidence, Evidence) or not isinstance(circumstances, Circumstances):
            raise TypeError("record")
        return Tracks(evidence, circumstances)

    return _read(archive, tracks)


def _header(archive: zipfile.ZipFile) -> Any:  # noqa: ANN401 - whatever JSON has
    members = {info.filename: info for info in archive.infolist()}
    if len(members) != len(archive.infolist()) or sum(info.file_size for info in members.values()) > MAX_BYTES:
        raise ValueError("members")
    return json.loads(_member(archive, members[f"{_HEADER}.npy"]).tobytes())


def _read(archive: zipfile.ZipFile, value: Callable[[dict[str, Array]], ReadT]) -> ReadT:
    """Return `value` of the arrays, of which it has to consume every one."""
    arrays = {info.filename: _member(archive, info) for info in archive.infolist() if info.filename != f"{_HEADER}.npy"}
    read = value(arrays)
    if arrays:
        raise ValueError("members that belong nowhere")
    return read


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    """Return an array; memory grows with the bytes that are there, not with the length that directory and header claim."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits:
        raise ValueError("method")
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ValueError("length")
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("version of npy")
    with _PARSING:
        shape, column_by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if column_by_column:
        raise ValueError("order")
    return _array(dtype.str, shape, data, file.tell())


def _array(dtype: str, shape: tuple[int, ...], data: bytes, place: int = 0) -> Array:
    """Return the read-only array at `place`; it must end with the data."""
    if not _DTYPE.fullmatch(dtype):
        raise ValueError("dtype")
    array: Array = np.ndarray(shape, dtype, data, place)
    if place + array.nbytes != len(data):
        raise ValueError("length")
    return array


@dataclass(frozen=True, slots=True)
class _Known:
    """The records and the enumerations that may be read, by name."""

    records: Mapping[str, type]
    names: Mapping[str, type[StrEnum]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[type], names: Sequence[type[StrEnum]]) -> _Known:
        return cls(_RECORDS | {each.__name__: each for each in records}, {each.__name__: each for each in names})


_OF_TRACKS = _Known(_RECORDS)


def _plain(value: object, arrays: dict[str, Array], *path: str, known: _Known = _OF_TRACKS) -> Any:  # noqa: ANN401, C901, PLR0911 - whatever JSON has, one line for each kind
    """Return a value as JSON; arrays are collected under their path. Numpy scalars keep their type: it takes part in sums."""
    name = ".".join(path)
    match value:
        case np.generic():
            return {"scalar": [value.dtype.str, value.tobytes().hex()]}
        case np.ndarray():
            arrays[name] = np.asarray(value, order="C")
            return {"array": name}
        case bytes():
            arrays[name] = np.frombuffer(value, np.uint8)
            return {"bytes": name}
        case Reason():
            return {"reason": value.value}
        case StrEnum() if known.names.get(type(value).__name__) is type(value):
            return {"name": [type(value).__name__, value.value]}
        case float() if not math.isfinite(value):
            return {"float64": struct.pack(">d", value).hex()}
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"time": value.isoformat()}
        case tuple():
            return {"tuple": [_plain(each, arrays, *path, str(place), known=known) for place, each in enumerate(value)]}
        case dict():
            held = enumerate(value.items())
            return {"map": {str(key): _plain(each, arrays, *path, str(place), known=known) for place, (key, each) in held}}
    record = type(value)
    if not dataclasses.is_dataclass(value) or known.records.get(record.__name__) is not record:
        raise RuntimeError(f"tracks have no place for a {record.__name__}")
    parts = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return {"record": record.__name__, "fields": {key: _plain(each, arrays, *path, key, known=known) for key, each in parts}}


def _value(plain: Any, arrays: dict[str, Array], known: _Known = _OF_TRACKS) -> Any:  # noqa: ANN401 - the inverse of `_plain`
    match plain:
        case {"record": name, "fields": fields}:
            return known.records[name](**{key: _value(each, arrays, known) for key, each in fields.items()})
        case {"tuple": values}:
            return tuple(_value(each, arrays, known) for each in values)
        case {"map": values}:
            return {key: _value(each, arrays, known) for key, each in values.items()}
        case {"name": [name, value]}:
            return known.names[name](value)
        case dict():
            ((kind, held),) = plain.items()
            return _READERS[kind](held, arrays)
        case list():
            raise TypeError("list")
    return plain


_READERS: dict[str, Callable[[Any, dict[str, Array]], Any]] = {
    "array": lambda held, arrays: arrays.pop(f"{held}.npy"),
    "bytes": lambda held, arrays: arrays.pop(f"{held}.npy").tobytes(),
    "scalar": lambda held, _: _array(held[0], (), bytes.fromhex(held[1]))[()],
    "reason": lambda held, _: Reason(held),
    "float64": lambda held, _: struct.unpack(">d", bytes.fromhex(held))[0],
    "time": lambda held, _: datetime.fromisoformat(held),
}
