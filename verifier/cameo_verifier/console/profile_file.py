"""A profile that somebody tried, as a file to keep: TOML that says what it extends and only what it moves."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cameo_credential.errors import InvalidRequestError

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def named(name: str) -> str:
    """Return a name that a profile may have.

    Raises:
        InvalidRequestError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequestError("a profile is named by lower case letters, digits, _ and -, 64 at most")
    return name


def profile_file(profile: Profile, base: str, moved: frozenset[str]) -> str:
    """Return the file of a profile that extends `base` and moves those thresholds; `profiles.load` reads the same again.

    What nobody measured it does not claim: data set and error rates are left out until somebody has them.
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
    # JSON's strings are TOML's basic strings, but for pairs of surrogates and one character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
