"""Media decoding: turns bytes into upright RGB frames and 16 kHz sound, within limits.

The whole clip never sits decoded in memory: pictures stream through, and only the sound, 64 kB a second, is kept.
`open_recording` is the only entry; `require_supported` refuses cheaply beforehand what it would never read. Everything PyAV
raises becomes `cameo_verifier.errors.UnjudgeableError`.
"""

from __future__ import annotations

from cameo_verifier.media.recording import Recording, open_recording, require_supported

__all__ = ["Recording", "open_recording", "require_supported"]
