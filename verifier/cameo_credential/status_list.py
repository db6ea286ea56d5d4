"""Token Status List (IETF draft-ietf-oauth-status-list): one small number for each credential, published for all of them at once.

A request for the list does not reveal which credential is checked. A list has its full capacity from the start, an index is drawn
at random from the free ones, and with each credential seven indices that nobody has change (`decoys`): a list does not reveal
the order of issue, nor which of its entries are credentials.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM
from cameo_credential.refusal import Refusal
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.arrays import U8
    from cameo_credential.issuer_keys import IssuerKeys, KnownKeys

BITS = 2
"""Width of an entry in our own lists: valid, invalid and suspended need two bits."""

_WIDTHS = (1, 2, 4, 8)
_MAX_BYTES = 16 * 1024 * 1024
"""Maximum size of a list once decompressed: 64 million credentials of two bits."""


@dataclass(frozen=True, slots=True, eq=False)
class StatusList:
    """The statuses. `packed` (N,) uint8: entries of `bits` each, the first in the lowest bits of the first byte (section 4.1)."""

    bits: int
    packed: U8 = field(repr=False)

    @classmethod
    def of(cls, statuses: U8, *, bits: int = BITS) -> Self:
        """Pack statuses (M,) uint8, each below 2**bits; unused bits of the last byte are 0.

        Raises:
            ValueError: a width that the draft does not define, or a status that does not fit.
        """
        if bits not in _WIDTHS:
            raise ValueError(f"an entry has 1, 2, 4 or 8 bits, not {bits}")
        if statuses.size and int(statuses.max()) >= 1 << bits:
            raise ValueError(f"a status does not fit into {bits} bits")
        each = 8 // bits
        rows = np.zeros((-(-len(statuses) // each), each), np.uint8)
        rows.ravel()[: len(statuses)] = statuses
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        return cls(bits, np.bitwise_or.reduce(rows << shifts, axis=1).astype(np.uint8))

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.packed) * 8 // self.bits

    def __getitem__(self, index: int) -> int:
        """Return the status at an index.

        Raises:
            IndexError: the list is shorter.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        byte, place = divmod(index * self.bits, 8)
        return int(self.packed[byte]) >> place & (1 << self.bits) - 1

    def to_json(self) -> dict[str, Any]:
        """Return the `status_list` member (section 4.2)."""
        return {"bits": self.bits, "lst": to_base64url(zlib.compress(self.packed.tobytes(), 9))}

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Parse a `status_list` member.

        Raises:
            ValueError: it is malformed, or decompresses to more than `_MAX_BYTES`.
        """
        if not isinstance(document, dict) or document.get("bits") not in _WIDTHS or not isinstance(document.get("lst"), str):
            raise ValueError("'status_list' needs 'bits', one of 1, 2, 4 and 8, and 'lst'")
        unpacking = zlib.decompressobj()
        try:
            packed = unpacking.decompress(from_base64url(document["lst"]), _MAX_BYTES)
        except (ValueError, zlib.error) as error:
            raise ValueError(f"'lst' cannot be unpacked: {error}") from None
        if not unpacking.eof:
            raise ValueError("'lst' is cut off or unpacks to too much")
        return cls(document["bits"], np.frombuffer(packed, np.uint8))


@dataclass(frozen=True, slots=True)
class StatusListToken:
    """A verified list. `uri` is its own; `ttl` is the time for which it may be cached."""

    uri: str
    issued_at: datetime
    expires_at: datetime
    ttl: timedelta
    statuses: StatusList


def publish(
    statuses: StatusList,
    *,
    uri: str,
    keys: IssuerKeys,
    now: datetime,
    ttl: timedelta,
    lifetime: timedelta,
    algorithm: str = SIGNATURE_ALGORITHM,
) -> str:
    """Return the signed list, a compact JWS of type `statuslist+jwt` (section 5.1).

    Args:
        statuses: the list.
        uri: where it is published: what credentials name in `status.status_list.uri`.
        keys: the issuer's keys.
        now: rounded down to the second.
        ttl: time for which a reader may cache it.
        lifetime: time after which it expires.
        algorithm: by which it is signed.

    Raises:
        RuntimeError: a bug of ours, found before anything was returned.
        KeyFileError: no key may sign by the algorithm.
    """
    start = int(now.timestamp())
    claims = {
        "sub": uri,
        "iat": start,
        "exp": start + int(lifetime.total_seconds()),
        "ttl": int(ttl.total_seconds()),
        "status_list": statuses.to_json(),
    }
    token = sign(claims, key=keys.by(algorithm), typ=TokenType.STATUS_LIST)
    try:
        read = read_list(token, issuer_keys=keys.public(), expected_uri=uri, now=datetime.fromtimestamp(start, UTC))
    except CredentialError as error:
        raise RuntimeError(f"a status list that was just signed is not valid: {error}") from error
    if not np.array_equal(read.statuses.packed, statuses.packed):
        raise RuntimeError("a status list that was just signed says something else than what was composed")
    return token


def read_list(
    token: str, *, issuer_keys: KnownKeys, expected_uri: str, now: datetime, leeway: timedelta = timedelta(0)
) -> StatusListToken:
    """Verify a signed list and return it.

    Raises:
        CredentialError: `malformed`, `unsupported_algorithm`, `wrong_type`, `unknown_key`, `bad_signature`, `wrong_list` (another
            URI), `not_yet_valid` or `expired`.
    """
    key, claims = verified_claims(token, issuer_keys, TokenType.STATUS_LIST)
    try:
        uri, issued_at, expires_at, ttl_s = _facts(claims)
        statuses = StatusList.from_json(claims.get("status_list"))
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the list cannot be read: {error}") from None
    if uri != expected_uri:
        raise CredentialError(Refusal.WRONG_LIST, f"this list is not the one at {expected_uri!r}")
    if now + leeway < issued_at:
        raise CredentialError(Refusal.NOT_YET_VALID, f"the list is of {issued_at.isoformat()}")
    ends_at = min(expires_at, key.expires_at)
    if now - leeway >= ends_at:
        raise CredentialError(Refusal.EXPIRED, f"the list was good until {ends_at.isoformat()}")
    return StatusListToken(uri, issued_at, ends_at, timedelta(seconds=ttl_s), statuses)


def _facts(claims: Mapping[str, Any]) -> tuple[str, datetime, datetime, int]:
    uri = claims.get("sub")
    times = [claims.get(name) for name in ("iat", "exp", "ttl")]
    if not isinstance(uri, str) or not uri:
        raise ValueError("'sub' is missing or not a string")
    if not all(type(value) is int and value >= 0 for value in times):
        raise ValueError("'iat', 'exp' and 'ttl' must be whole seconds")
    issued_s, expires_s, ttl_s = (int(value) for value in times if value is not None)
    try:
        return uri, datetime.fromtimestamp(issued_s, UTC), datetime.fromtimestamp(expires_s, UTC), ttl_s
    except (OverflowError, OSError):
        raise ValueError("a time is out of range") from None
