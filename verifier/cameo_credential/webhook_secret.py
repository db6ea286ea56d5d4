"""Webhook secrets: the symmetric scheme `v1` of Standard Webhooks, HMAC-SHA256 with a secret that sender and receiver share.

A secret is written `whsec_` and the base64 of 24 to 64 bytes. Who holds one can forge webhooks to its endpoint, and to no other:
each endpoint has its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Self

PREFIX = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64
"""The specification's limits; 24 bytes are 192 bits."""


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A secret of one endpoint; `key` is its raw bytes."""

    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the secret of its text.

        Raises:
            ValueError: it does not begin with `whsec_`, is not canonical base64, or has another length than 24 to 64 bytes. The
                message does not repeat it.
        """
        encoded = text.removeprefix(PREFIX)
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if encoded == text or base64.b64encode(key).decode("ascii") != encoded or not MIN_BYTES <= len(key) <= MAX_BYTES:
            raise ValueError(f"a webhook secret is {PREFIX} and the base64 of {MIN_BYTES} to {MAX_BYTES} bytes")
        return cls(key)

    def sign(self, content: bytes) -> bytes:
        """Return the HMAC-SHA256 of the signed content, 32 bytes."""
        return hmac.digest(self.key, content, hashlib.sha256)
