"""Settings from environment variables: an invalid value is refused with the variable, the value and what is allowed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from cameo_credential.errors import InvalidRequestError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_settings import PydanticBaseSettingsSource


class Variables(BaseSettings):
    """Base class of settings, whose errors name the variable of an invalid value."""

    model_config = SettingsConfigDict(frozen=True, allow_inf_nan=False)

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - settings by name
        """Read the environment; arguments override it.

        Raises:
            InvalidRequestError: a value is not allowed; it names the variable, the value and what is allowed.
        """
        try:
            super().__init__(**given)
        except ValidationError as error:
            found = [self._wrong(str(each["loc"][0]), each["input"]) for each in error.errors() if each["loc"]]
            raise InvalidRequestError("; ".join(found) or str(error)) from None
        except SettingsError as error:
            # Malformed JSON; pydantic names the field alone.
            if (named := re.search(r'field "(\w+)"', str(error))) is None:
                raise InvalidRequestError(str(error)) from None
            raise InvalidRequestError(self._wrong(named[1], os.environ.get(self.variable(named[1]), ""))) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out the sources that settings have none of: a `.env` file and a folder of secrets."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

    @classmethod
    def variable(cls, name: str) -> str:
        """Return the environment variable of a setting."""
        return f"{cls.model_config.get('env_prefix', '')}{name}".upper()

    @classmethod
    def allowed(cls, name: str) -> str:
        """Return the allowed values of a setting, in words."""
        return _allowed(cls.model_fields[name])

    @classmethod
    def _wrong(cls, name: str, value: object) -> str:
        return f"{cls.variable(name)} is {value!r}, and has to be {cls.allowed(name)}"


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", SecretStr: "text"}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _allowed(field: FieldInfo) -> str:
    """Return the allowed values of a field, in words."""
    kind: Any = field.annotation
    if kind == tuple[str, ...]:
        return 'a JSON list of texts, such as ["MIT"]'
    if isinstance(kind, type) and issubclass(kind, BaseSettings):
        return f"a JSON object; better set {kind.model_config.get('env_prefix', '')}…"
    bounds = [
        f"{words} {getattr(bound, name):.15g}"
        for bound in field.metadata
        for name, words in _BOUNDS.items()
        if hasattr(bound, name)
    ]
    return " ".join([_KINDS.get(kind, "a path"), " and ".join(bounds)]).rstrip()
