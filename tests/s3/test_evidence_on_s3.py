"""Evidence on S3's wire, over HTTP to a server that checks signatures: what a folder promises, and S3's own troubles."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.store.evidence.errors import EvidenceMissingError, StorageError
from cameo_verifier.store.evidence.objects import open_objects
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.killed_writer import killed_while_writing
from tests.unit.store.conftest import NOW, engine, url
from tests.unit.store.evidence_site import PIECES, open_site
from tests.unit.store.objects_contract import LONG, AnyPlace, names, objects, site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_verifier.store.evidence.objects import Objects
    from tests.unit.store.evidence_site import Site

__all__ = ["engine", "objects", "site", "url"]

_PLACES = count()
ASKS: dict[str, Callable[[Objects], object]] = {
    "put": lambda store: store.put("aa/a1/tracks", b"x"),
    "get": lambda store: store.get("aa/a1/tracks"),
    "delete": lambda store: store.delete("aa/a1/tracks"),
    "list": names,
}


@pytest.fixture
def place() -> str:
    """A prefix nobody has used."""
    return f"s3://evidence/site-{next(_PLACES)}"


class TestS3(AnyPlace):
    """A bucket, with a prefix."""

    def test_prefixes_are_apart(self, objects: Objects) -> None:
        """Another site under another prefix of the same bucket sees nothing of it, also where one begins like the other."""
        other = open_objects("s3://evidence/site")
        assert names(other) == set()
        with pytest.raises(EvidenceMissingError):
            other.get(next(iter(names(objects))))

    def test_more_names_than_fit_a_page_are_all_listed(self, objects: Objects) -> None:
        """S3 lists a thousand at a time."""
        before, wanted = names(objects), {f"zz/z{number}/tracks" for number in range(1010)}
        for name in wanted:
            objects.put(name, b"x")
        assert names(objects) == before | wanted


@pytest.mark.parametrize("ask", ASKS)
def test_a_lost_bucket_is_no_missing_object(ask: str) -> None:
    """Whatever is asked: the store is out of order, and nobody is told that their evidence is not there, or is removed."""
    with pytest.raises(StorageError, match="s3://lost/site refused: NoSuchBucket"):
        ASKS[ask](open_objects("s3://lost/site"))


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    ("name", "code"), [("AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch"), ("AWS_ACCESS_KEY_ID", "InvalidAccessKeyId")]
)
def test_wrong_credentials_say_so(place: str, monkeypatch: pytest.MonkeyPatch, ask: str, name: str, code: str) -> None:
    """In the store's own word, and without them."""
    monkeypatch.setenv(name, "wrong/credentials")
    with pytest.raises(StorageError, match=f"refused: {code}$") as raised:
        ASKS[ask](open_objects(place))
    assert "wrong" not in str(raised.value)


def test_whoever_may_only_look_keeps_and_removes_nothing(
    site: Site, engine: Engine, place: str, tmp_path: Path, server: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that may read reads; what it may not do changes nothing, and the sweeper says what it could not remove."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server["reader_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server["reader_secret"])
    looking = open_site(engine, tmp_path, evidence=place)
    assert looking.read("a1") == PIECES[Kind.RECORDING]
    looking.judged("a2", "ann")
    with pytest.raises(StorageError, match="refused: AccessDenied"):
        looking.room.vault.keep("a2", "ann", PIECES, now=NOW)
    assert looking.room.vault.held("a2") == ()
    swept = looking.room.sweeper.sweep(now=NOW.replace(year=2027))
    assert (swept.removed, len(swept.failed)) == ((), 7)
    assert all("AccessDenied" in each for each in swept.failed)
    assert site.read("a1") == PIECES[Kind.RECORDING]


def test_a_store_that_is_gone_is_given_up_soon(
    engine: Engine, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there any more: an error of a few seconds, no row of what is not kept, and the database goes on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    site = open_site(engine, tmp_path, evidence=place)
    site.judged("a1")
    began = time.monotonic()
    with pytest.raises(StorageError, match="refused: "):
        site.room.vault.keep("a1", "ann", PIECES, now=NOW)
    assert time.monotonic() - began < 60
    assert site.room.vault.held("a1") == ()
    with pytest.raises(EvidenceMissingError, match="no recording was kept"):
        site.read("a1")


@pytest.mark.parametrize("delay_s", [0.02, 0.1, 0.3])
def test_a_killed_writer_leaves_no_half_object(place: str, delay_s: float) -> None:
    """After kill -9 in mid-write of objects of several parts every one that is listed is whole, and all reported are there."""
    reported = killed_while_writing(place, LONG, delay_s=delay_s)
    objects = open_objects(place)
    found = names(objects)
    assert found >= reported
    assert all(objects.get(name) == LONG for name in found)
