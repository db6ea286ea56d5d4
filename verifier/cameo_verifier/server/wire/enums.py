"""Conversion of enums of `cameo.v1`: `Verdict.RETRY` in Python is `VERDICT_RETRY` on the wire.

People, JSON and `ErrorInfo.reason` get the name without the enum's prefix.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import StrEnum

    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

_NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def full_name(enum: EnumTypeWrapper, value: StrEnum | str) -> str:
    """Return the name of a value on the wire: `REASON_TOO_DARK` of `Reason.TOO_DARK`."""
    return _prefix(enum) + value.upper()


def short_name(enum: EnumTypeWrapper, number: int) -> str:
    """Return the name of a number without the prefix of its enum.

    Raises:
        ValueError: the enum has no such number.
    """
    return enum.Name(number).removeprefix(_prefix(enum))


def short_names(enum: EnumTypeWrapper) -> list[str]:
    """Return the names of an enum without its prefix, in order of declaration, without the unspecified one."""
    return [name.removeprefix(_prefix(enum)) for name, number in enum.items() if number]


def _prefix(enum: EnumTypeWrapper) -> str:
    return _NEW_WORD.sub("_", enum.DESCRIPTOR.name).upper() + "_"
