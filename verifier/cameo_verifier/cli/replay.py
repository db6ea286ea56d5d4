"""`cameo replay`: judges stored attempts again, and shows what another profile, kit or version changes."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cameo_credential.errors import InvalidRequestError
from cameo_verifier import profiles
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.progress import progress
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.review.filter_language import condition_of as parse
from cameo_verifier.review.kept import BONA_FIDE, told
from cameo_verifier.review.rendering import interval, percent
from cameo_verifier.review.replay import OpenReplay, Source, materials
from cameo_verifier.review.replay_diff import Difference, RateChange, difference, document
from cameo_verifier.review.replay_engine import replay_all
from cameo_verifier.review.replay_page import replay_page
from cameo_verifier.review.replay_ray import replay_on_ray
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.workers.process import ResourceLimits, thread_environment

if TYPE_CHECKING:
    from cameo_verifier.cli.site import Site

_WIDE = 160
_SHOWN = 6
"""Ids of a group that are printed; JSON and HTML list all."""


class Engine(StrEnum):
    """Where attempts are judged again; the results are the same."""

    LOCAL = "local"
    RAY = "ray"


def replay(  # noqa: PLR0913 - the options of a command
    attempts: Annotated[list[str] | None, typer.Argument(help="Ids of attempts.", show_default=False)] = None,
    *,
    where: Annotated[
        str, typer.Option(help="Which attempts, such as 'verdict=REJECTED and reason=FLAT_FACE'.", show_default=False)
    ] = "",
    why: Annotated[str, typer.Option(help="Why you need this evidence, for the audit log.", show_default=False)],
    who: Annotated[str, typer.Option(help="Who you are, for the audit log.", show_default="your account")] = "",
    profile: Annotated[str, typer.Option(help="A built-in profile, or the path of a TOML file.", show_default="the site's")] = "",
    models: Annotated[Path | None, typer.Option(help="Folder of another model kit.", show_default=False)] = None,
    source: Annotated[
        Source, typer.Option("--from", help="Judge from tracks, or run everything on the recording.")
    ] = Source.TRACKS,
    engine: Annotated[Engine, typer.Option(help="Processes of this machine, or a Ray cluster.")] = Engine.LOCAL,
    workers: Annotated[int, typer.Option(min=1, help="Processes side by side, with --engine local.")] = 1,
    ray_address: Annotated[str, typer.Option(help="Of the cluster, with --engine ray.")] = "auto",
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder for replay.json and replay.html.", show_default=False)] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the difference as one JSON document.")] = False,
) -> None:
    """Judge stored attempts again under today's or another profile or kit, and show which verdicts flip and by which check.

    From tracks nothing is decoded and no model is loaded. From recordings the same code, kit and profile reproduce every score
    bit for bit, and the result says so; otherwise it lists what differs.
    """
    if models is not None and source is Source.TRACKS:
        raise InvalidRequestError("tracks hold what the models of then made of the recording: another kit needs --from recording")
    settings = site_settings(data, **({} if models is None else {"models": models}))
    reader = Reader(who or getpass.getuser(), why)
    loaded = profiles.load(profile or settings.profile)
    if workers > 1:
        settings = settings.model_copy(update={"overlap": False})
        os.environ.update(thread_environment(settings.threads))
    with open_site(settings) as site:
        attempt_ids = _chosen(site, attempts or [], where)
        held = materials(site.room.vault, attempt_ids, source, reader=reader, now=datetime.now(UTC))
        opener = OpenReplay(loaded, source, settings)
        apart, limits = source is Source.RECORDING, ResourceLimits.of(settings)
        if engine is Engine.RAY:
            replays = replay_on_ray(held, opener, address=ray_address, apart=apart, limits=limits)
        else:
            replays = replay_all(held, opener, workers=min(workers, len(attempt_ids)), apart=apart, limits=limits)
        with progress("judging again", len(attempt_ids)) as bar:
            found = list(bar.each(replays, lambda each: each.attempt_id))
        consensus = LabelStore(site.engine).consensus(attempt_ids)
        verdicts = AttemptSearch(site.engine).verdicts(attempt_ids)
    made_at = datetime.now(UTC).replace(microsecond=0)
    result = difference(found, consensus, verdicts=verdicts, source=source, profile=loaded, made_at=made_at)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "replay.json").write_text(json.dumps(document(result), indent=1, allow_nan=False) + "\n", "utf-8")
        (out / "replay.html").write_text(replay_page(result), "utf-8")
    if json_:
        print_json(document(result))
    else:
        _show(result)


def _chosen(site: Site, attempts: list[str], expression: str) -> list[str]:
    if bool(attempts) == bool(expression):
        raise InvalidRequestError("name attempts, or say which with --where")
    site.require_attempts(*attempts)
    chosen = sorted(set(attempts)) if attempts else AttemptSearch(site.engine).judged(parse(expression))
    if not chosen:
        raise InvalidRequestError("no judged attempt is meant by this")
    return chosen


def _show(found: Difference) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    flipped = sum(len(flip.attempt_ids) for flip in found.flips)
    console.print(
        f"from {found.source.value}, under profile {escape(found.profile.name)}: "
        f"{flipped} of {len(found.replayed)} verdicts flip, {len(found.reproduced)} reproduced bit for bit"
    )
    for name, count in found.changed.items():
        console.print(f"  not what it was: {escape(name)} (of {count})")
    if found.broken:
        console.print(f"[red]  judged otherwise though nothing has changed:[/red] {_some(found.broken)}")
    console.print(
        f"of {found.unaccepted.rate.trials} that were accepted {found.unaccepted.rate.count} are not any more, "
        f"of {found.let_in.rate.trials} others {found.let_in.rate.count} are"
    )
    if found.flips:
        table = Table("before", "after", "by", "number", "attempts", box=None, pad_edge=False)
        for flip in found.flips:
            by = ", ".join(flip.checks)
            table.add_row(flip.before.value, flip.after.value, by, str(len(flip.attempt_ids)), _some(flip.attempt_ids))
        console.print()
        console.print(table)
    if found.labels:
        console.print()
        console.print(_rates(found))
        for name, label in [*((f"APCER {each.name}", each.name) for each in found.species), ("BPCER", BONA_FIDE)]:
            console.print(f"  {escape(name)} is of {told(found.kept, label)}", soft_wrap=True)
    if found.disputed:
        console.print(f"\ndisputed, and left out of the rates: {_some(found.disputed)}")
    for each in found.not_replayed:
        console.print(f"[yellow]not judged again:[/yellow] {escape(each.attempt_id)}: {escape(each.why)}", soft_wrap=True)


def _rates(found: Difference) -> Table:
    table = Table(
        "labelled",
        "attempts",
        "before",
        "95 % interval",
        "after",
        "95 % interval",
        "new errors",
        "gone",
        box=None,
        pad_edge=False,
    )
    rows: list[tuple[str, RateChange]] = [(f"APCER {change.name}", change) for change in found.species]
    rows += [("BPCER", found.bpcer), ("bona fide retries", found.retries)]
    for name, change in rows:
        table.add_row(
            name,
            str(change.before.trials),
            percent(change.before.share),
            interval(change.before),
            percent(change.after.share),
            interval(change.after),
            str(change.gained.count),
            str(change.lost.count),
        )
    return table


def _some(attempt_ids: tuple[str, ...]) -> str:
    shown = ", ".join(map(escape, attempt_ids[:_SHOWN]))
    return shown if len(attempt_ids) <= _SHOWN else f"{shown} and {len(attempt_ids) - _SHOWN} more"
