"""`cameo evaluate`: judges a suite of attacks and bona fide recordings, and reports the error rates."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cameo_credential.errors import InvalidRequestError
from cameo_verifier import offline, pipeline, profiles
from cameo_verifier.cli.injection import evaluate_injection
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.progress import progress
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.profile import Profile
from cameo_verifier.review import screen_light_rates
from cameo_verifier.review.cases import Case, read_cases
from cameo_verifier.review.judging import Attempt, judge
from cameo_verifier.review.kept import BONA_FIDE, Kept, kept_of, settled, told
from cameo_verifier.review.labelled import judge_labelled
from cameo_verifier.review.late import DELAYS_S, SESSIONS, simulate
from cameo_verifier.review.late_tables import GOALS, WHAT, late_document, late_tables
from cameo_verifier.review.lips import judge_clips, read_clips
from cameo_verifier.review.lips_tables import lips_document, lips_tables
from cameo_verifier.review.page import page
from cameo_verifier.review.rendering import interval, percent, shifts
from cameo_verifier.review.replay import NotReplayed
from cameo_verifier.review.report import Report, compose, document
from cameo_verifier.review.screen_light import CONDITIONS, present, read_take, recordings
from cameo_verifier.review.screen_light_rates import light_document, light_tables
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.workers.process import thread_environment

_WIDE = 160
"""Columns of the tables if the output is no terminal."""


class Half(StrEnum):
    """The part of a suite to judge."""

    ALL = "all"
    CALIBRATE = "calibrate"
    REPORT = "report"


def evaluate(  # noqa: PLR0913 - the options of a command
    suite: Annotated[
        Path | None,
        typer.Argument(
            help="A folder with a manifest.jsonl, or a manifest; with --lips or --light the recordings.", show_default=False
        ),
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json and report.html.", show_default=False)] = None,
    lips: Annotated[
        bool, typer.Option("--lips", help="Measure how agreement of lips and sound tells own from other sound.")
    ] = False,
    late: Annotated[
        bool, typer.Option("--late", help="Simulate delays of live sessions: who is asked again, and which delay is accepted.")
    ] = False,
    light: Annotated[
        bool, typer.Option("--light", help="Simulate a display's colours on genuine recordings: how well its light tells people.")
    ] = False,
    injection: Annotated[
        bool,
        typer.Option("--injection", help="Inject rendered attacks into live sessions, by method and instrument (CEN/TS 18099)."),
    ] = False,
    per_cell: Annotated[int, typer.Option(min=1, help="With --injection: sessions of each method with each instrument.")] = 1,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="Judge this site's own labelled attempts, from their tracks, in place of a suite.")
    ] = False,
    why: Annotated[
        str, typer.Option(help="With --labelled: why you need that evidence, for the audit log.", show_default=False)
    ] = "",
    data: Data = None,
    profile: Annotated[str, typer.Option(help="A built-in profile, or the path of a TOML file.")] = profiles.DEFAULT,
    half: Annotated[
        Half, typer.Option(help="The half that thresholds are set on, the one they are reported on, or all.")
    ] = Half.ALL,
    workers: Annotated[int, typer.Option(min=1, help="Processes that judge side by side.", show_default="cores")] = os.cpu_count()
    or 1,
    groups: Annotated[
        bool, typer.Option("--groups", help="Print the rates of bona fide people by the groups that the manifest gives them.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")] = False,
) -> None:
    """Judge every recording of a suite and report APCER by species and BPCER by condition, after ISO/IEC 30107-3.

    A manifest is JSON Lines of {"file", "species"} or {"file", "bona_fide": true, "condition"?}; "challenge" if there was one.
    With --labelled the attempts are this site's own whose label is settled. With --lips SUITE is a folder with talking clips in
    `bonafide` and generated heads in `deepfake`; with --light the same folder, or one genuine recording.
    With --late and --injection nothing is read: delays are drawn from published distributions, attacks are rendered.
    """
    if late or injection:
        _simulated(profile, late=late, per_cell=per_cell, workers=workers, out=out, json_=json_)
        return
    settings = site_settings(data) if labelled else Settings()
    loaded = profiles.load(profile)
    if (suite is None) != labelled:
        raise typer.BadParameter("give a suite, or --labelled")
    if lips and suite is not None:
        _lips(suite, loaded, settings, json_=json_)
        return
    if light and suite is not None:
        _light(suite, loaded, settings, json_=json_)
        return
    if out is None:
        raise typer.BadParameter("is needed for the report", param_hint="--out")
    chosen = "" if half is Half.ALL else half
    if groups and suite is None:
        raise typer.BadParameter("needs a suite whose manifest has groups", param_hint="--groups")
    cases = () if suite is None else read_cases(suite, half=chosen)
    if groups and not any(case.groups for case in cases):
        raise InvalidRequestError(f'no recording of {suite} has "groups"')
    kept: tuple[Kept, ...] = ()
    if suite is None:
        attempts, kept = _of_site(loaded, settings, why)
    else:
        attempts = _judged(cases, loaded, settings, workers)
    out.mkdir(parents=True, exist_ok=True)
    made_at = datetime.now(UTC).replace(microsecond=0)
    manifest = "labelled attempts" if suite is None else suite.name
    report = compose(attempts, profile=loaded, manifest=manifest, half=chosen, made_at=made_at, kept=kept)
    found = document(report)
    (out / "report.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (out / "report.html").write_text(page(report), "utf-8")
    if json_:
        print_json(found)
    else:
        _show(report, out / "report.html", groups=groups)


def _simulated(profile: str, *, late: bool, per_cell: int, workers: int, out: Path | None, json_: bool) -> None:
    if late:
        _late(profiles.load(profile), json_=json_)
        return
    settings = Settings().model_copy(update={"profile": profile})
    evaluate_injection(settings, per_cell=per_cell, side_by_side=workers, out=out, json_=json_)


def _lips(folder: Path, profile: Profile, settings: Settings, *, json_: bool) -> None:
    offline.go_offline()
    with ModelKit.open(settings) as kit, Console(stderr=True).status("reading") as status:
        clips = read_clips(folder, kit, settings, profile, progress=lambda name: status.update(escape(name)))
        status.update("comparing")
        report = judge_clips(clips)
    if json_:
        print_json(lips_document(report, profile))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    for table in lips_tables(report, profile):
        console.print(table)
        console.print()


def _late(profile: Profile, *, json_: bool) -> None:
    lines = []
    with progress("simulating", len(DELAYS_S)) as bar:
        lines = list(bar.each(simulate(profile), lambda line: f"{line.delay_s:.1f} s added"))
    if json_:
        print_json(late_document(lines, profile))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(f"{WHAT} {SESSIONS} sessions a line.\n")
    rates, sources = late_tables(lines)
    for shown in (rates, GOALS, sources):
        console.print(shown)
        console.print()


def _light(given: Path, profile: Profile, settings: Settings, *, json_: bool) -> None:
    offline.go_offline()
    paths = recordings(given)
    found = []
    with ModelKit.open(settings) as kit, progress("relighting", len(paths)) as bar:
        for path in bar.each(paths, lambda path: path.name):
            take = read_take(path, kit, settings)
            found += [] if take is None else [each for condition in CONDITIONS for each in present(take, condition)]
    if not found:
        raise InvalidRequestError(f"{given} has no genuine recordings in folders bonafide and headturn")
    if json_:
        print_json(light_document(found, profile))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(f"{screen_light_rates.WHAT}\n")
    rates, late, sources = light_tables(found, profile)
    for shown in (rates, screen_light_rates.GOALS, late, sources):
        console.print(shown)
        console.print()


def _of_site(profile: Profile, settings: Settings, why: str) -> tuple[list[Attempt], tuple[Kept, ...]]:
    reader = Reader(getpass.getuser(), why)
    with open_site(settings) as site:
        store = LabelStore(site.engine)
        consensus = store.consensus(store.labelled())
        labels = {attempt_id: label for attempt_id, each in consensus.items() if (label := each.settled)}
        verdicts = AttemptSearch(site.engine).verdicts(labels)
        judged = judge_labelled(site.room.vault, labels, profile, reader=reader, now=datetime.now(UTC))
        with progress("judging", len(labels)) as bar:
            found = list(bar.each(judged, lambda each: each.attempt_id if isinstance(each, NotReplayed) else each.case.id))
    console = Console(stderr=True, highlight=False)
    if disputed := sum(each.disputed for each in consensus.values()):
        console.print(f"{disputed} attempts are disputed and left out")
    for each in found:
        if isinstance(each, NotReplayed):
            console.print(f"left out: {escape(each.attempt_id)}: {escape(each.why)}", soft_wrap=True)
    attempts = [each for each in found if isinstance(each, Attempt)]
    if not attempts:
        raise InvalidRequestError("no attempt with a settled label can be judged again; `cameo label` gives labels")
    return attempts, kept_of(settled(consensus), verdicts, {each.case.id for each in attempts})


def _judged(cases: tuple[Case, ...], profile: Profile, settings: Settings, workers: int) -> list[Attempt]:
    offline.go_offline()
    pipeline.require_askable(profile, settings, received=all(case.received_at is not None for case in cases))
    # Each process reads these when it loads its numeric libraries.
    os.environ.update(thread_environment(settings.threads))
    judged = judge(cases, profile=profile, settings=settings, workers=min(workers, len(cases)))
    with progress("judging", len(cases)) as bar:
        return list(bar.each(judged, lambda attempt: f"{attempt.case.id} {attempt.verdict.value}"))


def _show(report: Report, written: Path, *, groups: bool) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    table = Table("species", "presented", "accepted", "APCER", "95 % interval", "retry", "stopped by", box=None, pad_edge=False)
    for rates in report.species:
        table.add_row(
            escape(rates.species),
            str(rates.apcer.trials),
            str(rates.apcer.count),
            percent(rates.apcer.share),
            interval(rates.apcer),
            percent(rates.retries.share),
            ", ".join(f"{name} {count}" for name, count in rates.stopped_by.items()),
        )
    console.print(table)
    table = Table(
        "bona fide", "presented", "rejected", "BPCER", "95 % interval", "retry", "counted against", box=None, pad_edge=False
    )
    for group in (*report.conditions, report.bona_fide):
        table.add_row(
            escape(group.condition),
            str(group.bpcer.trials),
            str(group.bpcer.count),
            percent(group.bpcer.share),
            interval(group.bpcer),
            percent(group.retries.share),
            ", ".join(f"{name} {count}" for name, count in group.stopped_by.items()),
        )
    console.print()
    console.print(table)
    if report.kept:
        console.print()
    for name in dict.fromkeys(each.name for each in report.kept):
        rate = "BPCER" if name == BONA_FIDE else f"APCER {escape(name)}"
        console.print(f"{rate} is of {told(report.kept, name)}", soft_wrap=True)
    if groups:
        console.print()
        console.print(_by_group(report))
    console.print(f"\n{written}", soft_wrap=True, markup=False)


def _by_group(report: Report) -> Table:
    columns = ("by", "group", "presented", "failure to acquire", "false rejection", "accused", "time", "score shift, worst three")
    table = Table(*columns, box=None, pad_edge=False)
    for rates in report.groups:
        table.add_row(
            escape(rates.attribute),
            escape(rates.group),
            str(rates.accused.trials),
            f"{percent(rates.acquisition_failures.share)} ({interval(rates.acquisition_failures)})",
            f"{percent(rates.false_rejections.share)} ({interval(rates.false_rejections)})",
            str(rates.accused.count),
            f"{rates.median_s:.1f} s",
            shifts(rates),
        )
    return table
