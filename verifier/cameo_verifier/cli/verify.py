"""`cameo verify`: judges recordings against challenges, issued or written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cameo_challenges.model import Challenge, InvalidChallengeError, from_json
from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier import offline, pipeline, profiles
from cameo_verifier.cli.output import EXIT_CODES, checks_table, judgement_document, print_json
from cameo_verifier.cli.progress import busy, progress
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.profile import Profile
from cameo_verifier.settings import Settings
from cameo_verifier.spelling import misspelt
from cameo_verifier.types import Judgement

_KEYS = ("recording", "challenge", "profile")
"""Keys of a line of cases that are checked for spelling; others are ignored."""


@dataclass(frozen=True, slots=True)
class _Case:
    file: str
    recording: Path
    challenge: Challenge
    profile: str


def verify(
    recording: Annotated[Path | None, typer.Argument(help="The recording.", show_default=False)] = None,
    challenge: Annotated[
        str | None, typer.Option(help='A challenge: a JSON file, or the JSON itself such as \'{"steps":[{"say":"one two"}]}\'.')
    ] = None,
    profile: Annotated[str, typer.Option(help="A built-in profile, or the path of a TOML file.")] = profiles.DEFAULT,
    cases: Annotated[
        Path | None, typer.Option(help='A JSON Lines file of {"recording", "challenge", "profile"?}; paths relative to it.')
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line, in order.")] = False,
) -> None:
    """Judge a recording, or many. Exit code: 0 accepted, 1 rejected, 3 retry, 2 could not be judged."""
    settings = Settings()
    offline.go_offline()
    if cases is not None:
        if recording is not None or challenge is not None:
            raise InvalidRequestError("give a recording with --challenge, or --cases, not both")
        _verify_cases(cases, profile, settings)
        return
    if recording is None or challenge is None:
        raise InvalidRequestError("give a recording and its --challenge, or --cases FILE.jsonl")
    case = _Case(str(recording), recording, _challenge(challenge, Path()), profile)
    loaded = _askable(profile, settings)
    with busy("judging"), ModelKit.open(settings) as kit:
        judgement = _judge(case, kit, settings, loaded)
    if json_ or jsonl:
        print_json({"file": case.file, **judgement_document(judgement)})
    else:
        _show(judgement)
    raise typer.Exit(EXIT_CODES[judgement.decision.verdict])


def _verify_cases(path: Path, default_profile: str, settings: Settings) -> None:
    loaded = {default_profile: _askable(default_profile, settings)}
    cases = list(_read_cases(path, default_profile))
    with ModelKit.open(settings) as kit, progress("judging", len(cases)) as bar:
        for file, case in cases:
            try:
                if isinstance(case, str):
                    document: dict[str, Any] = {"error": case}
                else:
                    if case.profile not in loaded:
                        loaded[case.profile] = _askable(case.profile, settings)
                    document = judgement_document(_judge(case, kit, settings, loaded[case.profile]))
            except CameoError as error:
                document = _error_document(error)
            bar.print_json({"file": file, **document})
            bar.done(file)


def _askable(name: str, settings: Settings) -> Profile:
    """Load a profile, and refuse one that has a confirming check which only a server can run."""
    profile = profiles.load(name)
    pipeline.require_askable(profile, settings)
    return profile


def _error_document(error: CameoError) -> dict[str, Any]:
    reason = {"reason": error.reason.value} if isinstance(error, UnjudgeableError) else {}
    return {"error": str(error), **reason}


def _read_cases(path: Path, default_profile: str) -> Iterator[tuple[str, _Case | str]]:
    """Yield each line's file name with its case, or with the error of the line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"cannot read the cases: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            if wrong := misspelt(document, _KEYS):
                yield "", f"line {number} of {path.name}: {wrong}"
                continue
            file = document["recording"]
            where = path.parent / file
            given = document["challenge"]
        except (json.JSONDecodeError, KeyError, TypeError):
            yield "", f'line {number} of {path.name} is not {{"recording": …, "challenge": …}}'
            continue
        try:
            challenge = _challenge(given, path.parent)
        except InvalidRequestError as error:
            yield file, f"line {number}: {error}"
            continue
        yield file, _Case(file, where, challenge, _profile(document.get("profile", default_profile), path.parent))


def _profile(name: str, folder: Path) -> str:
    beside = folder / name
    return str(beside) if name.endswith(".toml") and beside.is_file() else name


def _challenge(given: object, folder: Path) -> Challenge:
    """Parse a challenge given as an object, as JSON text, or as the path of a file."""
    try:
        if isinstance(given, str):
            text = given if given.lstrip().startswith("{") else (folder / given).read_text("utf-8")
            given = json.loads(text)
        return from_json(given)
    except OSError as error:
        raise InvalidRequestError(f"cannot read the challenge: {error}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"the challenge is not JSON: {error}") from None
    except InvalidChallengeError as error:
        raise InvalidRequestError(f"the challenge is malformed: {error}") from None


def _judge(case: _Case, kit: ModelKit, settings: Settings, profile: Profile) -> Judgement:
    if not case.recording.is_file():
        raise InvalidRequestError(f"no such file: {case.file}")
    return pipeline.verify(case.recording, case.challenge, profile=profile, kit=kit, settings=settings)


def _show(judgement: Judgement) -> None:
    console = Console(highlight=False)
    decision = judgement.decision
    console.print(f"[bold]{decision.verdict.value}[/bold] {', '.join(decision.reasons)}")
    if decision.reasons:
        console.print(decision.reasons[0].hint)
    console.print(checks_table(judgement.checks))
    console.print(f"{judgement.timings_ms['total'] / 1e3:.2f} s, profile {judgement.profile}")
    if judgement.minor_safeguards:
        console.print("possibly a minor: minor safeguards apply")
