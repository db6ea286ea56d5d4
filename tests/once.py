"""Evidence of a half, picture or sound, that is the same in many recordings of a file of tests: the models see each once.

The pipeline decodes every recording and puts every question. Only the two calls that run the models, `observe` for the pictures
and `listen` for the sound, answer from memory where all that they are given was given before: the same pictures at the same times
and the same length, the same sound and the same words, byte for byte. A test shows that the models say the same again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.evidence import collect as pass_over
from cameo_verifier.evidence.picture import observe
from cameo_verifier.evidence.sound import listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32, FaceTrack, Frame, Missing, SoundTrack


class Once:
    """Remembers what the models said; `answered` counts how often it spared them."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._faces: dict[str, FaceTrack | Missing] = {}
        self._sounds: dict[str, SoundTrack] = {}
        self.answered = 0

    def put(self, patch: pytest.MonkeyPatch) -> None:
        """Put itself between the pass over a recording and the models."""
        patch.setattr(pass_over, "observe", self._observe)
        patch.setattr(pass_over, "listen", self._listen)

    def _observe(self, frames: Iterable[Frame], kit: ModelKit, **given: Any) -> FaceTrack | Missing:
        pictures = list(frames)
        key = hashlib.sha256(repr((given["duration_s"], given["still"])).encode())
        for frame in pictures:
            key.update(repr((frame.t_s, frame.rgb.shape)).encode())
            key.update(np.ascontiguousarray(frame.rgb))
        name = key.hexdigest()
        if name in self._faces:
            self.answered += 1
        else:
            self._faces[name] = observe(iter(pictures), kit, **given)
        return self._faces[name]

    def _listen(self, sound: F32, kit: ModelKit, *, spoken: Sequence[str], **given: Any) -> SoundTrack:
        name = hashlib.sha256(repr(spoken).encode() + np.ascontiguousarray(sound).tobytes()).hexdigest()
        if name in self._sounds:
            self.answered += 1
        else:
            self._sounds[name] = listen(sound, kit, spoken=spoken, **given)
        return self._sounds[name]
