"""What-if: one attempt judged again from its tracks with other thresholds, and a profile to save. No stored verdict changes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cameo_credential.errors import InvalidRequestError
from cameo_verifier import profiles
from cameo_verifier.checks import BY_NAME
from cameo_verifier.console.attempt import OPENED, answers, reader_of
from cameo_verifier.console.people import ConsoleRole, only
from cameo_verifier.console.profile_file import named, profile_file
from cameo_verifier.console.questions import question as asked_by
from cameo_verifier.console.rendering import page, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from cameo_verifier.console.attempt import Answer
    from cameo_verifier.console.cases import Cases
    from cameo_verifier.profile import Profile, Threshold
    from cameo_verifier.types import Judgement

FIELD, MINOR = "t.", "minor"
"""Prefix of the form's fields of thresholds, and the field of a form about a possible minor."""
_TELLING = frozenset(asked_by("age").thresholds)
"""Thresholds that decide who may be a minor: they are those of the profile for everybody."""
_SHARES = frozenset({"cosine", "p(live)", "p(synthetic)", "of words", "of frames", "of closed", "of a turn", "of a head's depth"})
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Slider:
    """A slider: a threshold that can be changed between two ends, in steps."""

    threshold: Threshold
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True)
class Group:
    """The sliders of one check."""

    title: str
    meaning: str
    check: str
    sliders: tuple[Slider, ...]


def slider(threshold: Threshold) -> Slider:
    """Return a slider over the sensible range of a threshold, by its unit."""
    value = threshold.value
    if threshold.unit in _SHARES:
        low, high = 0.0, 1.0
    elif threshold.unit == "correlation":
        low, high = -1.0, 1.0
    else:
        reach = abs(value) or 1.0
        low, high = value - reach, value + reach
    return Slider(threshold, low, high, _round_step((high - low) / _STEPS))


def groups(profile: Profile, first: Iterable[str]) -> tuple[Group, ...]:
    """Return every threshold of a profile once, under the first check that depends on it; checks in `first` come first."""
    shown: set[str] = set()
    found = []
    for check in dict.fromkeys([*first, *BY_NAME]):
        question = asked_by(check)
        own = [name for name in question.thresholds if name in profile.thresholds and name not in shown]
        shown.update(own)
        if own:
            found.append(Group(question.title, question.asks, check, tuple(slider(profile[name]) for name in own)))
    return tuple(found)


class WhatIf:
    """Handlers of the what-if pages; `base` is the name or path of the profile they start from."""

    def __init__(self, cases: Cases, *, base: str, clock: Callable[[], datetime]) -> None:
        self._cases, self._base, self._clock = cases, base, clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/attempts/{id}/what-if", self._show),
            Route("/attempts/{id}/what-if", self._judge, methods=["POST"]),
            Route("/what-if/profile", self._save, methods=["POST"]),
        ]

    def vary(self, fields: Iterable[tuple[str, str]], person: str, name: str = "what-if") -> tuple[Profile, frozenset[str]]:
        """Return the profile of a form, and the thresholds it changes; with the field `minor`, those for possible minors.

        Raises:
            InvalidRequestError: a field is not a number.
            ProfileError: the profile has no such threshold.
        """
        listed = list(fields)
        minor = (MINOR, "1") in listed
        base = self._shown(minor=minor)
        given = {key.removeprefix(FIELD): _number(value) for key, value in listed if key.startswith(FIELD)}
        moved = {key: value for key, value in given.items() if value != base[key].value}
        how = {"source": f"tried by {person} in the console", "date": f"{self._clock():%Y-%m-%d}"}
        if minor:
            return profiles.varied_for_minors(self._base, name, moved, telling=_TELLING, **how), frozenset(moved)
        return profiles.varied(self._base, name, moved, **how), frozenset(moved)

    def _shown(self, *, minor: bool) -> Profile:
        """Return the profile whose thresholds the sliders show: for a possible minor, the one it is judged by."""
        base = profiles.load(self._base)
        if not minor or base.minor is None:
            return base
        return replace(base.minor, thresholds={**base.minor.thresholds, **{name: base[name] for name in _TELLING}})

    def _show(self, request: Request) -> Response:
        opened = self._cases.open(request.path_params["id"], reader_of(request, OPENED))
        profile = profiles.load(self._base)
        judged = opened.judged_by(profile)
        answered, minor = _answers(judged, profile), judged.minor_safeguards and profile.minor is not None
        shown = self._shown(minor=minor)
        return page(
            request,
            "what_if.html",
            attempt=opened.attempt,
            base=shown,
            minor=MINOR if minor else "",
            groups=groups(shown, [answer.result.name for answer in answered]),
            field=FIELD,
            judged=judged,
            answers=answered,
        )

    def _judge(self, request: Request) -> Response:
        """Return the judgement with these thresholds, as JSON for the page's script."""
        opened = self._cases.open(request.path_params["id"], reader_of(request, OPENED))
        base = profiles.load(self._base)
        before = opened.judged_by(base)
        minor = [(MINOR, "1")] if before.minor_safeguards and base.minor is not None else []
        profile, moved = self.vary([*_fields(request.state.body), *minor], request.state.person.name)
        judged = opened.judged_by(profile)
        were = {answer.result.name: answer for answer in _answers(before, base)}
        return JSONResponse(
            {
                "verdict": judged.decision.verdict.value,
                "before": before.decision.verdict.value,
                "reasons": [words(reason) for reason in judged.decision.reasons],
                "moved": sorted(moved),
                "checks": [_document(answer, were.get(answer.result.name)) for answer in _answers(judged, profile)],
            }
        )

    def _save(self, request: Request) -> Response:
        only(request.state.person, ConsoleRole.LEAD)
        name = named(dict(request.state.form).get("name", "").strip())
        profile, moved = self.vary(request.state.form, request.state.person.name, name)
        if not moved:
            raise InvalidRequestError("no threshold was moved: this is the profile there is already")
        base = self._base
        if dict(request.state.form).get(MINOR) and profile.minor is not None:
            if moved & _TELLING:
                raise InvalidRequestError(
                    "the thresholds of age are those of everybody's profile: save them from an adult's attempt"
                )
            profile, base = profile.minor, profiles.minor_profile(base)
        headers = {"Content-Disposition": f'attachment; filename="{name}.toml"'}
        return Response(profile_file(profile, base, moved), media_type="application/toml", headers=headers)


def _answers(judged: Judgement, profile: Profile) -> list[Answer]:
    return answers(judged.checks, profile.judging(minor=judged.minor_safeguards))


def _document(answer: Answer, before: Answer | None) -> dict[str, Any]:
    result = answer.result
    return {
        "name": result.name,
        "title": answer.question.title,
        "outcome": "counts against" if answer.against else result.outcome.value,
        "against": answer.against,
        "passed": result.outcome.value == "pass",
        "score": answer.score,
        "limit": answer.limit,
        "changed": before is None or (before.against, before.result.outcome) != (answer.against, result.outcome),
    }


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        document = json.loads(body)
    except ValueError:
        raise InvalidRequestError("the request is not JSON") from None
    values: Mapping[str, Any] = document.get("values", {}) if isinstance(document, dict) else {}
    if not isinstance(values, dict):
        raise InvalidRequestError('"values" is no object')
    return [(f"{FIELD}{key}", str(value)) for key, value in values.items()]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequestError(f"no number: {text[:40]!r}") from None
    if not math.isfinite(value):
        raise InvalidRequestError("a threshold is finite")
    return value


def _round_step(step: float) -> float:
    """Return a step rounded to one digit: 1, 2 or 5."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1.0, 2.0, 5.0, 10.0) if digit * power >= step * 0.999)
