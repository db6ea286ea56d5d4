"""The seal of one capture: an ECDSA signature of each slice over a hash chain, with nonces of the server's; see `cameo.v1.Seal`.

A seal shows that one key signed an unaltered stream while the session went on. It does not show what was before the key: whoever
runs the page can sign what no camera saw.
"""

from __future__ import annotations

import secrets
import struct
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cameo.v1 import error_reason_pb2
from cameo_verifier.server.wire.cameo_input import invalid
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse

NONCE_BYTES = 32
_SLICE, _END = b"cameo.v1 slice\0", b"cameo.v1 end\0"
_NUMBERS = struct.Struct(">II")
_POINT_BYTES, _SIGNATURE_BYTES = 65, 64
_DIGEST = ECDSA(Prehashed(SHA256()))


def to_sign(*, session: bytes, recording: int, number: int, nonce: bytes, previous: bytes, media: bytes | None) -> bytes:
    """Return the bytes that a seal signs.

    Args:
        session: SHA-256 of the session's id.
        recording: number of the recording, from 1.
        number: number of the slice, from 0.
        nonce: the server's, which the seal mixes in.
        previous: SHA-256 of what was signed before; 32 zero bytes for the first slice.
        media: the slice; None for the end.
    """
    domain = _END if media is None else _SLICE
    return domain + session + _NUMBERS.pack(recording, number) + nonce + previous + sha256(media or b"").digest()


class CaptureSeal:
    """Verifies what one client sends, message by message, and gives out the nonces."""

    def __init__(self, key: bytes, session_id: str, *, late_s: float) -> None:
        """Begin a chain.

        Args:
            key: the client's public key, a point on P-256 of 65 bytes.
            session_id: the session.
            late_s: time after which a nonce must have been taken up, also by a client that confirms nothing.

        Raises:
            RequestError: `REQUEST_INVALID`: the key is none.
        """
        try:
            if len(key) != _POINT_BYTES:
                raise ValueError("a compressed point, or none")  # noqa: TRY301 - reported like every other
            self._key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key)
        except ValueError:
            raise invalid("hello.seal_key", f"is an uncompressed point on P-256, {_POINT_BYTES} bytes") from None
        self._public = key
        self._session, self._late_s = sha256(session_id.encode()).digest(), late_s
        self._nonces: list[tuple[bytes, float]] = []
        self._revealed: dict[tuple[bool, int], int] = {}
        """The nonce that went with each prompt and colour."""
        self._oldest = 0
        self._previous, self._recording, self._number, self._ended = bytes(NONCE_BYTES), 1, 0, False

    @property
    def attested(self) -> bytes:
        """SHA-256 of the first nonce and the key: what a platform's attestation has to be of."""
        return sha256(self._nonces[0][0] + self._public).digest()

    def renew(self, message: CaptureResponse, now: float) -> bytes:
        """Return a new nonce, which goes with this message."""
        kind = message.WhichOneof("message")
        if kind in {"prompt", "light"}:
            number = message.prompt.number if kind == "prompt" else message.light.number
            self._revealed[kind == "light", number] = len(self._nonces)
        nonce = secrets.token_bytes(NONCE_BYTES)
        self._nonces.append((nonce, now))
        return nonce

    def verify(self, message: CaptureRequest, now: float) -> None:
        """Check the next message of the client.

        Raises:
            RequestError: `SEAL_MISSING`, `SEAL_OUT_OF_ORDER`, `SEAL_STALE` or `SEAL_INVALID`.
        """
        match message.WhichOneof("message"):
            case "started":
                self._recording += 1
                self._oldest = len(self._nonces) - 1
            case "shown":
                revealed = self._revealed.get((message.shown.colour, message.shown.number), 0)
                self._oldest = max(self._oldest, revealed)
            case "media":
                self._verify(message, message.media, now)
            case "bye":
                self._verify(message, None, now)
                self._ended = True

    def _verify(self, message: CaptureRequest, media: bytes | None, now: float) -> None:
        if not message.HasField("seal"):
            raise RequestError(error_reason_pb2.ERROR_REASON_SEAL_MISSING, "a capture that began sealed is sealed to its end")
        seal = message.seal
        if self._ended or seal.number != self._number:
            told = f"slice {seal.number} came where {'nothing more' if self._ended else self._number} was to come"
            raise RequestError(error_reason_pb2.ERROR_REASON_SEAL_OUT_OF_ORDER, told)
        while self._oldest + 1 < len(self._nonces) and now - self._nonces[self._oldest + 1][1] > self._late_s:
            self._oldest += 1
        if not self._oldest <= seal.nonce < len(self._nonces):
            raise RequestError(
                error_reason_pb2.ERROR_REASON_SEAL_STALE,
                f"slice {seal.number} has nonce {seal.nonce}; taken are {self._oldest} to {len(self._nonces) - 1}",
            )
        signed = to_sign(
            session=self._session,
            recording=self._recording,
            number=seal.number,
            nonce=self._nonces[seal.nonce][0],
            previous=self._previous,
            media=media,
        )
        digest = sha256(signed).digest()
        if not self._signed(digest, seal.signature):
            told = f"the signature of slice {seal.number} does not fit: it, or one before it, is not what the key signed"
            raise RequestError(error_reason_pb2.ERROR_REASON_SEAL_INVALID, told)
        self._oldest, self._previous, self._number = seal.nonce, digest, self._number + 1

    def _signed(self, digest: bytes, signature: bytes) -> bool:
        if len(signature) != _SIGNATURE_BYTES:
            return False
        r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
        try:
            self._key.verify(encode_dss_signature(r, s), digest, _DIGEST)
        except InvalidSignature:
            return False
        return True
