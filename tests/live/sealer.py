"""A client's seals, written from the comments of `cameo.v1.Seal` alone: what an app on a phone has to do."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cameo.v1.session_service_pb2 import Seal


class Sealer:
    """The key of one capture, and the end of its chain.

    Attributes:
        session_id: as `welcome` says it.
        nonces: those that came, in order.
        recording: number of the current recording.
    """

    def __init__(self, session_id: str = "") -> None:
        self._key = generate_private_key(SECP256R1())
        self.session_id, self.nonces, self.recording = session_id, list[bytes](), 1
        self._number, self._previous = 0, bytes(32)

    @property
    def public(self) -> bytes:
        """The key's public half, for `hello`."""
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def seal(self, media: bytes | None, *, nonce: int = -1) -> Seal:
        """Return the seal of the next slice, or of the end; nonce: number of another than the newest."""
        number, used = self._number, nonce % len(self.nonces)
        domain = b"cameo.v1 end\x00" if media is None else b"cameo.v1 slice\x00"
        signed = domain + sha256(self.session_id.encode()).digest() + self.recording.to_bytes(4) + number.to_bytes(4)
        signed += self.nonces[used] + self._previous + sha256(media or b"").digest()
        r, s = decode_dss_signature(self._key.sign(signed, ECDSA(SHA256())))
        self._previous, self._number = sha256(signed).digest(), number + 1
        return Seal(number=number, nonce=used, signature=r.to_bytes(32) + s.to_bytes(32))
