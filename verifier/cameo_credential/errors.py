"""Errors of credentials and their keys, and the root of the error tree that a caller can catch."""

from __future__ import annotations

from typing import Any


class CameoError(Exception):
    """The base of every error this project raises on purpose. It can be pickled, to be passed between processes."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild by attributes: the default would call the class with the message alone."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[CameoError], arguments: tuple[object, ...], attributes: dict[str, object]) -> CameoError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


class InvalidRequestError(CameoError):
    """The caller's input is wrong; the message says what to change."""


class KeyFileError(CameoError):
    """A key file is missing, malformed or open to others; the message names the file and what to do."""


class CredentialError(CameoError):
    """A token was refused; `reason` is a short stable code such as ``"expired"`` or ``"wrong_audience"``."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the reason with the message."""
        super().__init__(message)
        self.reason = reason
