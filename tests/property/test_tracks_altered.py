"""Tracks that were altered say so, whatever was done to them, and never yield others by accident."""

from __future__ import annotations

import io
import json
import tracemalloc
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cameo_verifier.evidence import tracks
from cameo_verifier.evidence.tracks import VERSION, DamagedTracksError, TracksError, TracksVersionError, TruncatedTracksError
from cameo_verifier.evidence.tracks import from_bytes as tracks_from
from cameo_verifier.evidence.tracks import to_bytes as bytes_of
from tests.property.test_tracks import SMALL, exactly

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = bytes_of(SMALL)
MOTION, SOUND, HEADER = "fingerprint.motion.npy", "fingerprint.sound.npy", "header.npy"


def members_of(kept: bytes) -> dict[str, bytes]:
    """Return the members of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(kept)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED, **longer: int) -> bytes:
    """Return a zip with sums that fit; its directory claims that some members are longer than they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
        for info in archive.filelist:
            info.file_size += longer.get(info.filename.removesuffix(".npy"), 0)
    return file.getvalue()


def with_members(**changed: bytes | None) -> bytes:
    """Return the small tracks with members added, changed or, by None, left out."""
    changed = {f"{name.replace('__', '.')}.npy": data for name, data in changed.items()}
    return zipped([(name, data) for name, data in {**MEMBERS, **changed}.items() if data is not None])


def npy(array: np.ndarray[Any, Any]) -> bytes:
    """Return an array as numpy saves it."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_header(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the small tracks with another header."""
    header = json.loads(np.load(io.BytesIO(MEMBERS[HEADER])).tobytes())
    change(header)
    return with_members(header=npy(np.frombuffer(json.dumps(header).encode(), np.uint8)))


MEMBERS = members_of(KEPT)


def test_any_flipped_bit_is_noticed_or_changes_nothing() -> None:
    """Every bit, one by one: an error that says what is wrong, or the same tracks to the bit, never others."""
    expected, unnoticed = exactly(SMALL), 0
    for place in range(8 * len(KEPT)):
        altered = bytearray(KEPT)
        altered[place // 8] ^= 1 << place % 8
        try:
            read = tracks_from(bytes(altered))
        except TracksError:
            continue
        assert exactly(read) == expected, place
        unnoticed += 1
    # What a zip says twice, or nobody asks for: times, systems, attributes, sizes before each member.
    assert unnoticed < 8 * len(KEPT) / 3


@given(st.integers(0, len(KEPT) - 1), st.integers(0, 255))
def test_any_other_byte_is_noticed_or_changes_nothing(place: int, other: int) -> None:
    """A byte, wherever, as any other: an error or the same tracks."""
    altered = bytearray(KEPT)
    altered[place] = other
    try:
        read = tracks_from(bytes(altered))
    except TracksError:
        return
    assert exactly(read) == exactly(SMALL)


def test_any_missing_end_is_called_so() -> None:
    """Tracks cut short anywhere are truncated, not damaged."""
    for length in range(len(KEPT)):
        with pytest.raises(TruncatedTracksError, match=f"^{length} bytes of tracks are left, and no end"):
            tracks_from(KEPT[:length])


@given(st.binary(max_size=200), st.sampled_from([b"", KEPT[:4]]), st.sampled_from([b"", KEPT[-22:]]))
def test_other_bytes_are_no_tracks(data: bytes, begin: bytes, end: bytes) -> None:
    """Whatever else is given, between whichever ends: one of the three errors."""
    with pytest.raises(TracksError):
        tracks_from(begin + data + end)


@given(st.sampled_from(sorted(MEMBERS)), st.data())
@settings(max_examples=400)
def test_a_member_altered_under_a_sum_that_fits(name: str, data: st.DataObject) -> None:
    """Where somebody made the sums anew, a member that cannot be read is an error of ours, whatever is wrong in it."""
    member = bytearray(MEMBERS[name])
    place = data.draw(st.integers(0, len(member) - 1))
    member[place : place + data.draw(st.integers(0, 3))] = data.draw(
        st.binary(max_size=3) | st.text("()[]{},:'\"0L", max_size=3).map(str.encode)
    )
    try:
        tracks_from(zipped(list({**MEMBERS, name: bytes(member)}.items())))
    except TracksError:
        return


def test_the_version_is_looked_at_first() -> None:
    """Another version is said to be one, whatever else is in its header and beside it."""
    for other in (VERSION - 1, VERSION + 1):
        with pytest.raises(TracksVersionError, match=f"version {other}; this is version {VERSION}"):
            tracks_from(with_header(lambda header, other=other: header.update(version=other)))
        header = npy(np.frombuffer(json.dumps({"version": other}).encode(), np.uint8))
        with pytest.raises(TracksVersionError, match=f"version {other}; this is version {VERSION}"):
            tracks_from(zipped([(HEADER, header), ("else.npy", b"nothing we know")]))


def test_what_is_no_zip_of_ours_is_damaged() -> None:
    """Another kind of file and something behind the end are told apart."""
    with pytest.raises(DamagedTracksError, match="no tracks"):
        tracks_from(b"CAMEOTRK" + KEPT)
    with pytest.raises(DamagedTracksError, match="behind the end"):
        tracks_from(KEPT + b"\x00")


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param(with_members(fingerprint__motion=None), id="a member is missing"),
        pytest.param(with_members(header=None), id="the header is missing"),
        pytest.param(with_members(further=MEMBERS[MOTION]), id="a member nothing refers to"),
        pytest.param(zipped([*MEMBERS.items(), (MOTION, MEMBERS[MOTION])]), id="a member twice"),
        pytest.param(zipped(list(MEMBERS.items()), zipfile.ZIP_DEFLATED), id="compressed"),
        pytest.param(zipped(list(MEMBERS.items()), zipfile.ZIP_BZIP2), id="compressed by another method"),
        pytest.param(zipped(list(MEMBERS.items()), header=1), id="longer in the directory"),
        pytest.param(zipped(list(MEMBERS.items()), header=-1), id="shorter in the directory"),
        pytest.param(with_members(fingerprint__motion=MEMBERS[MOTION] + b"\x00"), id="more than its shape says"),
        pytest.param(with_members(fingerprint__motion=MEMBERS[MOTION][:-1]), id="less than its shape says"),
        pytest.param(with_members(fingerprint__motion=npy(np.array([None, {}]))), id="pickled"),
        pytest.param(with_members(fingerprint__motion=npy(np.array(["a"]))), id="text"),
        pytest.param(with_members(fingerprint__motion=npy(np.zeros(2, "f4,f4"))), id="records"),
        pytest.param(with_members(fingerprint__motion=npy(np.zeros((3, 2), order="F"))), id="column by column"),
        pytest.param(with_members(fingerprint__motion=b"\x93NUMPY\x02\x00" + MEMBERS[MOTION][8:]), id="another npy"),
        pytest.param(with_header(lambda header: header.pop("evidence")), id="no evidence"),
        pytest.param(with_header(lambda header: header.update(evidence=header["circumstances"])), id="another record"),
        pytest.param(with_header(lambda header: header.pop("version")), id="no version"),
        pytest.param(with_header(lambda header: header.update(version="two")), id="a version that is no number"),
        pytest.param(with_members(header=npy(np.frombuffer(b"[" * 100_000, np.uint8))), id="too deep"),
    ],
)
def test_each_alteration_is_refused(altered: bytes) -> None:
    """Members unknown, missing, twice, of other kinds or lengths than were written: damaged, even under sums that fit."""
    with pytest.raises(DamagedTracksError, match="malformed"):
        tracks_from(altered)


@pytest.mark.parametrize("shape", [b"(30000000000, 6), }", b"(999999999, 99), } "])
def test_a_shape_makes_no_room(shape: bytes) -> None:
    """A member that claims to be huge is refused before any memory is taken for it."""
    claimed = MEMBERS[MOTION].replace(b"(3, 6), }" + b" " * (len(shape) - 9), shape)
    assert len(claimed) == len(MEMBERS[MOTION])
    assert claimed != MEMBERS[MOTION]
    assert _peak_of_refusing(with_members(fingerprint__motion=claimed)) < 1_000_000


def test_the_directory_says_how_much_it_is_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the bound by the zip's directory is refused before it is read."""
    zeros = with_members(further=npy(np.zeros(20_000_000, np.int8)))
    monkeypatch.setattr(tracks, "MAX_BYTES", 10_000_000)
    assert _peak_of_refusing(zeros) < 1_000_000


def test_a_directory_that_lies_makes_no_room() -> None:
    """A member that is longer than its directory says is read no further than that."""
    zeros = zipped([*MEMBERS.items(), ("further.npy", npy(np.zeros(20_000_000, np.int8)))], further=1_000 - 20_000_000)
    assert _peak_of_refusing(zeros) < 1_000_000


def _peak_of_refusing(kept: bytes) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(DamagedTracksError, match="malformed"):
            tracks_from(kept)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
