"""Bytes to upright RGB frames and 16 kHz sound, within limits.

The whole clip never sits decoded in memory: pictures stream through, and only the sound, 64 kB a second, is kept.
`open_recording` is the only way in; `require_supported` says beforehand and cheaply what it would never read. Everything PyAV
raises comes out as `cameo_verifier.errors.UnjudgeableError`.
"""

from __future__ import annotations

from cameo_verifier.media.recording import Recording, open_recording, require_supported

__all__ = ["Recording", "open_recording", "require_supported"]
