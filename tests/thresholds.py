"""The thresholds of each built-in profile as a list: `python -m tests.thresholds > tests/thresholds.txt`."""

from __future__ import annotations

import sys

from verifier.profiles import built_in, load


def listed() -> str:
    """Return one line for each threshold: profile, name, direction, value and unit."""
    return "".join(
        f"{name} {each.name} {each.direction.value} {each.value!r} {each.unit}\n"
        for name in sorted(built_in())
        for each in sorted(load(name).thresholds.values(), key=lambda threshold: threshold.name)
    )


if __name__ == "__main__":
    sys.stdout.write(listed())
