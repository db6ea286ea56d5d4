"""Screen light: draws the colours that a display shows one after another while a person answers.

All sequences are numbered and one number is drawn, as of challenges. A colour differs from the one before it; every two differ by
at least 0.5 in linear red or blue against green, which is what a face reflects of them. Photosensitive people: each stays for
`LEAST_S`, so no second has more than three changes, one flash and a half (WCAG 2.2, 2.3.1: three flashes are allowed), and
none is a saturated red, for which WCAG has a rule of its own.
"""

from __future__ import annotations

import math

PALETTE = (0xFFFFFF, 0xFF7676, 0xFFBC00, 0xFFFF00, 0x00FF00, 0x00FFFF, 0x00BCFF, 0x0000FF, 0xFF00FF)
"""The colours, sRGB 0xRRGGBB: white, coral, orange, yellow, green, cyan, azure, blue, magenta."""
LENGTH = 7
"""Colours in a sequence: as many as 20 bits need."""
LEAST_S = 0.475
"""Least time in seconds for which a colour is shown."""
COUNT = len(PALETTE) * (len(PALETTE) - 1) ** (LENGTH - 1)
"""The number of sequences."""
ENTROPY_BITS = math.log2(COUNT)
"""The base-2 logarithm of the number of equally likely sequences."""


def sequence(number: int) -> tuple[int, ...]:
    """Return the colours of the sequence of that number, `0 <= number < COUNT`; different numbers give different ones."""
    if not 0 <= number < COUNT:
        raise ValueError(f"sequence number {number} is not in 0..{COUNT - 1}")
    number, first = divmod(number, len(PALETTE))
    colours = [PALETTE[first]]
    for _ in range(LENGTH - 1):
        number, following = divmod(number, len(PALETTE) - 1)
        colours.append([colour for colour in PALETTE if colour != colours[-1]][following])
    return tuple(colours)


def linear(colour: int) -> tuple[float, float, float]:
    """Return red, green and blue, 0 to 1 and linear in light, of an sRGB colour 0xRRGGBB (IEC 61966-2-1)."""
    red, green, blue = (_linear((colour >> shift & 0xFF) / 255) for shift in (16, 8, 0))
    return red, green, blue


def _linear(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else float(((level + 0.055) / 1.055) ** 2.4)
