"""Export archives: all that a site keeps of one person, a ZIP file with a manifest that the issuer signs.

The last entry, `manifest.jws`, is a JWS of type `cameo-export+jwt` with the name, length and SHA-256 of every other entry. An
archive is written entry by entry, so that no more than one of them is in memory.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cameo_credential.issuer_keys import IssuerKeys, VerificationKeys

MANIFEST = "manifest.jws"
NAMESPACE = "urn:cameo:export:1"
MAX_MANIFEST_BYTES = 16 * 2**20
_BLOCK_BYTES = 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every entry: that of the archive is in the manifest."""


class _Pipe(io.RawIOBase):
    """A file to write to that cannot seek; `take` returns what was written since."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def write_archive(
    entries: Iterator[tuple[str, bytes]],
    *,
    subject: str,
    left_out: Mapping[str, str],
    issuer: str,
    keys: IssuerKeys,
    now: datetime,
) -> Iterator[bytes]:
    """Yield the bytes of an archive.

    Args:
        entries: name and content of each, the names unique.
        subject: whom it is about, `sub` of the manifest.
        left_out: what is kept and not in it, with the reasons; read after the last entry.
        issuer: `iss` of the manifest.
        keys: the issuer's.
        now: when it is made, in UTC.
    """
    pipe, files = _Pipe(), {}
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            archive.writestr(_entry(name), content)
            yield pipe.take()
        claims = {
            "iss": issuer,
            "sub": subject,
            "iat": int(now.timestamp()),
            NAMESPACE: {"files": files, "left_out": dict(left_out)},
        }
        archive.writestr(_entry(MANIFEST), sign(claims, key=keys.active, typ=TokenType.EXPORT))
    yield pipe.take()


@dataclass(frozen=True, slots=True)
class Export:
    """A verified archive. files: names and lengths. left_out: what is kept and not in it, with the reasons."""

    subject: str
    made_at: datetime
    files: Mapping[str, int]
    left_out: Mapping[str, str]


def open_archive(path: Path, *, issuer_keys: VerificationKeys, expected_issuer: str) -> Export:
    """Verify an archive: that the issuer made it, and that every entry is there, unaltered and with no other beside it.

    Raises:
        CredentialError: `tampered` where an entry is missing, altered or too many; otherwise a reason of the manifest's token.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                if names.count(MANIFEST) != 1 or archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
                    raise CredentialError(Refusal.MALFORMED, f"an export has one {MANIFEST}")
                token = archive.read(MANIFEST).decode("ascii")
                key, claims = verified_claims(token, issuer_keys, TokenType.EXPORT)
                if claims.get("iss") != expected_issuer:
                    raise CredentialError(Refusal.WRONG_ISSUER, f"the export was not made by {expected_issuer!r}")
                ours, made_at = claims[NAMESPACE], datetime.fromtimestamp(claims["iat"], UTC)
                files = {name: (each["bytes"], each["sha256"]) for name, each in ours["files"].items()}
                if made_at >= key.expires_at:
                    raise CredentialError(Refusal.EXPIRED, "the key that signed the export had ended when it was made")
                if sorted(names) != sorted([*files, MANIFEST]):
                    raise CredentialError(Refusal.TAMPERED, "the export has other entries than its manifest names")
                for name, (size, sha256) in files.items():
                    if archive.getinfo(name).file_size != size or _digest(archive, name) != sha256:
                        raise CredentialError(Refusal.TAMPERED, f"{name} of the export was altered")
                return Export(
                    str(claims["sub"]), made_at, {name: size for name, (size, _) in files.items()}, dict(ours["left_out"])
                )
        except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError, UnicodeDecodeError):
            raise CredentialError(Refusal.TAMPERED, "the export is not a whole ZIP file of ours") from None
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            raise CredentialError(Refusal.MALFORMED, "the export's manifest cannot be read") from None


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
