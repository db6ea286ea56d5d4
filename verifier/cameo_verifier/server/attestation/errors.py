"""Error of an attestation that does not verify."""

from __future__ import annotations

from cameo_credential.errors import CameoError


class AttestationError(CameoError):
    """An attestation does not verify; its message continues "the attestation"."""
