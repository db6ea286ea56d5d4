"""Export archives: whole and by the issuer, or refused."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cameo_credential.errors import CredentialError
from cameo_credential.export_archive import MANIFEST, NAMESPACE, open_archive, write_archive
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER = "https://cameo.localhost"
KEYS = IssuerKeys(SigningKey.generate(now=NOW))
FILES = {"README.txt": b"all of it", "tables/attempts.json": b"[]", "evidence/a1/recording": bytes(range(256)) * 5000}
LEFT_OUT = {"tables/servers": "about servers"}


def archive(files: Mapping[str, bytes] = FILES, keys: IssuerKeys = KEYS, now: datetime = NOW) -> bytes:
    """Write an archive."""
    parts = write_archive(iter(files.items()), subject="ann", left_out=LEFT_OUT, issuer=ISSUER, keys=keys, now=now)
    return b"".join(parts)


def repacked(change: Mapping[str, bytes | None], content: bytes | None = None) -> bytes:
    """Write the entries of an archive anew, some of them changed, added or left out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content or archive())) as source, zipfile.ZipFile(buffer, "w") as target:
        entries = {name: source.read(name) for name in source.namelist()} | change
        for name, data in entries.items():
            if data is not None:
                target.writestr(name, data)
    return buffer.getvalue()


def refusal(content: bytes, folder: Path, issuer: str = ISSUER) -> str:
    """Open an archive that is refused."""
    path = folder / "export.zip"
    path.write_bytes(content)
    with pytest.raises(CredentialError) as refused:
        open_archive(path, issuer_keys=KEYS.public(ISSUER), expected_issuer=issuer)
    return refused.value.reason


def test_an_archive_opens_to_what_it_names(tmp_path: Path) -> None:
    """Subject, time, files and what is left out; any ZIP program reads it."""
    path = tmp_path / "export.zip"
    path.write_bytes(archive())
    opened = open_archive(path, issuer_keys=KEYS.public(ISSUER), expected_issuer=ISSUER)
    assert (opened.subject, opened.made_at, opened.left_out) == ("ann", NOW, LEFT_OUT)
    assert opened.files == {name: len(data) for name, data in FILES.items()}
    with zipfile.ZipFile(path) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in FILES} == FILES


def test_it_is_written_entry_by_entry() -> None:
    """An entry's bytes are there before the next one is read."""
    taken: list[str] = []

    def entries() -> object:
        for name, data in FILES.items():
            taken.append(name)
            yield name, data

    parts = write_archive(entries(), subject="ann", left_out={}, issuer=ISSUER, keys=KEYS, now=NOW)  # type: ignore[arg-type]
    assert next(parts)
    assert taken == ["README.txt"]


@pytest.mark.parametrize("name", FILES)
def test_an_entry_that_is_altered_missing_or_added_is_refused(name: str, tmp_path: Path) -> None:
    """Also one under another name, and one that is there twice."""
    data = FILES[name]
    for altered in (data + b"x", data[:-1], b"", bytes([data[0] ^ 1]) + data[1:]):
        assert refusal(repacked({name: altered}), tmp_path) == "tampered"
    assert refusal(repacked({name: None}), tmp_path) == "tampered"
    assert refusal(repacked({"evidence/a1/other": b"x"}), tmp_path) == "tampered"
    assert refusal(repacked({name: None, f"{name}2": data}), tmp_path) == "tampered"


def test_a_manifest_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """None, another key's, another type's, another issuer's, or one that says nothing."""
    assert refusal(repacked({MANIFEST: None}), tmp_path) == "malformed"
    assert refusal(archive(keys=IssuerKeys(SigningKey.generate(now=NOW))), tmp_path) == "unknown_key"
    assert refusal(archive(), tmp_path, "https://other.example") == "wrong_issuer"
    assert refusal(archive(now=KEYS.active.expires_at), tmp_path) == "expired"
    claims = {"iss": ISSUER, "sub": "ann", "iat": int(NOW.timestamp())}
    for ours in (None, {}, {"files": 7, "left_out": {}}, {"files": {"README.txt": {}}, "left_out": {}}):
        token = sign(claims | {NAMESPACE: ours}, key=KEYS.active, typ=TokenType.EXPORT)
        assert refusal(repacked({MANIFEST: token.encode()}), tmp_path) == "malformed"
    token = sign(claims, key=KEYS.active, typ=TokenType.CONSENT)
    assert refusal(repacked({MANIFEST: token.encode()}), tmp_path) == "wrong_type"
    assert refusal(repacked({MANIFEST: "é".encode()}), tmp_path) == "tampered"


def test_what_is_no_whole_archive_is_refused(tmp_path: Path) -> None:
    """An empty file, half an archive, and one with a flipped bit in any hundredth of it."""
    whole = archive({"README.txt": b"all of it" * 20})
    for content in (b"", whole[: len(whole) // 2], b"PK" + bytes(100)):
        assert refusal(content, tmp_path) in {"tampered", "malformed"}
    path = tmp_path / "export.zip"
    for place in range(0, len(whole), max(1, len(whole) // 100)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            opened = open_archive(path, issuer_keys=KEYS.public(ISSUER), expected_issuer=ISSUER)
        except CredentialError:
            continue
        assert opened.files == {"README.txt": 180}  # a bit of the ZIP's own fields that no reader looks at
