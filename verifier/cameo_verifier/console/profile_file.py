"""A what-if profile as a TOML file: the profile it extends, and only the thresholds that differ."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cameo_credential.errors import InvalidRequestError

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def named(name: str) -> str:
    """Return the name if it is allowed for a profile.

    Raises:
        InvalidRequestError: the name is not allowed.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequestError("a profile is named by lower case letters, digits, _ and -, 64 at most")
    return name


def profile_file(profile: Profile, base: str, moved: frozenset[str]) -> str:
    """Return the TOML of a profile that extends `base` and changes those thresholds; `profiles.load` restores the same.

    It claims nothing unmeasured: data set and error rates are left out.
    """
    lines = [f"extends = {_text(base)}", f"description = {_text(profile.description)}"]
    for name in sorted(moved):
        threshold = profile[name]
        lines += [
            "",
            f"[thresholds.{name}]",
            f"value = {threshold.value!r}",
            f"unit = {_text(threshold.unit)}",
            f"direction = {_text(threshold.direction.value)}",
            f"source = {_text(threshold.source)}",
            f"date = {_text(threshold.date)}",
        ]
    return "\n".join([*lines, ""])


def _text(value: str) -> str:
    # JSON strings are TOML basic strings, except for surrogate pairs and one character that JSON leaves unescaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
