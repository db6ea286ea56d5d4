"""Profiles: named sets of thresholds, each with a unit, a direction and where its value comes from.

A profile is a TOML file. The built-in ones lie beside this module; a site adds its own by path. A profile may `extends`
another and override single thresholds or roles. No check carries a literal of its own.

A profile names the one for possible minors, `minor_profile`. It is laid over the profile so that each threshold and role is the
stricter of the two: nobody is judged more mildly for looking young. An empty name moves nobody.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.errors import ProfileError
from verifier.types import CheckResult, Direction, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from verifier.reasons import Reason

DEFAULT = "default"
ADVICE_ONLY = frozenset({"synthetic_voice"})
"""Checks for which nothing was measured: no profile may let them decide."""

_PARTS = {"extends", "description", "thresholds", "roles", "minor_profile", "evaluation"}


class Role(StrEnum):
    """What a check's result counts for."""

    VETO = "veto"
    """A fail rejects; a check that was unable to run does not."""
    CONFIRM = "confirm"
    """It must pass: unable to run counts as not confirmed."""
    ADVISE = "advise"
    """Recorded for analysts; never decides."""

    def stricter(self, other: Role) -> Role:
        """Return whichever of the two counts against more recordings."""
        return min(self, other, key=(Role.CONFIRM, Role.VETO, Role.ADVISE).index)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on one score. `source`, `dataset`, `error_rates` and `date` say where the value comes from."""

    name: str
    value: float
    unit: str
    direction: Direction
    source: str
    dataset: str = ""
    error_rates: str = ""
    date: str = ""

    def holds(self, score: float) -> bool:
        """Whether `score` is on the good side; NaN never is."""
        return score >= self.value if self.direction is Direction.AT_LEAST else score <= self.value

    def stricter(self, other: Threshold) -> Threshold:
        """Return whichever of the two fewer scores hold; this one where they are equal.

        Raises:
            ProfileError: they do not limit the same thing.
        """
        if (self.direction, self.unit) != (other.direction, other.unit):
            raise ProfileError(f"threshold {self.name!r} is {other.direction} … {other.unit} in another profile")
        return other if other.value != self.value and self.holds(other.value) else self

    def judge(self, check: str, score: float, reason: Reason, detail: str = "") -> CheckResult:
        """Return the result of the check of that name: it passes, or fails for `reason`."""
        passed = self.holds(score)
        return CheckResult(
            name=check,
            outcome=Outcome.PASS if passed else Outcome.FAIL,
            score=score,
            unit=self.unit,
            threshold=self.value,
            direction=self.direction,
            reason=None if passed else reason,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of thresholds and of roles per check.

    minor: what a possible minor is judged by; None where that is this profile itself. evaluation: the run of the attack suite
    that its error rates come from, and what it came to; empty where there was none.
    """

    name: str
    description: str
    thresholds: Mapping[str, Threshold]
    roles: Mapping[str, Role]
    digest: str
    minor: Profile | None = None
    evaluation: str = ""

    def judging(self, *, minor: bool) -> Profile:
        """Return what to judge by: this profile, or the stricter one of a possible minor."""
        return self.minor if minor and self.minor is not None else self

    def __getitem__(self, name: str) -> Threshold:
        """Return one threshold.

        Raises:
            ProfileError: the profile has none of that name.
        """
        try:
            return self.thresholds[name]
        except KeyError:
            raise ProfileError(f"profile {self.name!r} has no threshold {name!r}") from None

    def role(self, check: str) -> Role:
        """Return what the check of that name counts for.

        Raises:
            ProfileError: the profile does not say.
        """
        try:
            return self.roles[check]
        except KeyError:
            raise ProfileError(f"profile {self.name!r} gives no role to check {check!r}") from None


def built_in() -> tuple[str, ...]:
    """Names of the profiles in the package."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load(name_or_path: str = DEFAULT) -> Profile:
    """Load a built-in profile by name, or one of your own by the path of its TOML file.

    Raises:
        ProfileError: there is none, or it is malformed; the message names the part.
    """
    return _with_minor(*_load(name_or_path))


def parse(text: str, *, known: Mapping[str, str], extends: str, name: str = "inline") -> Profile:
    """Read a profile that somebody sends, as TOML or JSON. It changes a profile that is known; it opens no file and adds nothing.

    Args:
        text: its `thresholds`, of which each may be a number, `roles`, and optionally `extends` and `minor_profile`.
        known: names it may use, and what `load` takes for each.
        extends: which of them it changes, unless it says.
        name: what it is called.

    Raises:
        ProfileError: it is malformed, or uses a name that is not known; the message names the part.
    """
    document = _parsed(text, name)
    if unknown := sorted(document.keys() - _PARTS):
        raise ProfileError(f"profile {name!r}: {unknown[0]!r} is none of {', '.join(sorted(_PARTS))}")
    for key, default in (("extends", extends), ("minor_profile", "")):
        used = document.get(key, default)
        if not isinstance(used, str) or (used not in known and (key, used) != ("minor_profile", "")):
            raise ProfileError(f"profile {name!r}: {key} is none of {', '.join(known)}")
    base, minor_name = _load(known[document.get("extends", extends)])
    changes = {kind: _changes(name, kind, document.get(kind, {}), getattr(base, kind).keys()) for kind in ("thresholds", "roles")}
    thresholds = {key: _changed(name, base[key], given) for key, given in changes["thresholds"].items()}
    profile = _laid(name, document.get("description", ""), base, thresholds, changes["roles"])
    minor_name = document.get("minor_profile", minor_name)
    return _with_minor(profile, known.get(minor_name, minor_name))


def _with_minor(profile: Profile, minor_name: str) -> Profile:
    if not minor_name or minor_name == profile.name:
        return profile
    minor, _ = _load(minor_name)
    return replace(profile, minor=_stricter(profile, minor))


def varied(base: str, name: str, values: Mapping[str, float], *, source: str, date: str) -> Profile:
    """Return the profile that a file of that name would be which extends `base` and moves some thresholds, each for that reason.

    Raises:
        ProfileError: there is no such base, or it has no threshold of one of the names.
    """
    parent, minor_name = _load(base)
    moved = {
        key: replace(parent[key], value=float(value), source=source, dataset="", error_rates="", date=date)
        for key, value in values.items()
    }
    profile = _profile(name, f"{base}, with {len(moved)} thresholds moved.", {**parent.thresholds, **moved}, parent.roles)
    if not minor_name or minor_name == name:
        return profile
    minor, _ = _load(minor_name)
    return replace(profile, minor=_stricter(profile, minor))


def _load(name_or_path: str) -> tuple[Profile, str]:
    """Return a profile with what it inherits, and the name of the one for minors."""
    document, name = _read(name_or_path)
    base, minor = _load(parent) if (parent := document.get("extends")) else (_profile(name, "", {}, {}), "")
    changed = {key: _threshold(name, key, table) for key, table in document.get("thresholds", {}).items()}
    profile = _laid(name, document.get("description", ""), base, changed, document.get("roles", {}))
    return replace(profile, evaluation=str(document.get("evaluation", ""))), str(document.get("minor_profile", minor))


def _laid(
    name: str, description: object, base: Profile, changed: Mapping[str, Threshold], given_roles: Mapping[str, object]
) -> Profile:
    """Lay changes over a profile."""
    roles = dict(base.roles)
    for check, role in given_roles.items():
        try:
            roles[check] = Role(str(role))
        except ValueError:
            raise ProfileError(f"profile {name!r}: role of {check!r} is none of {', '.join(Role)}: {role!r}") from None
        if check in ADVICE_ONLY and roles[check] is not Role.ADVISE:
            raise ProfileError(f"profile {name!r}: {check!r} may only advise: its error rates are not known")
    return _profile(name, str(description), {**base.thresholds, **changed}, roles)


def _stricter(profile: Profile, minor: Profile) -> Profile:
    """Lay the profile for minors over another: of each threshold and role the stricter one."""
    try:
        thresholds = {key: own.stricter(minor.thresholds.get(key, own)) for key, own in profile.thresholds.items()}
    except ProfileError as error:
        raise ProfileError(f"profile {profile.name!r} and its minor profile {minor.name!r}: {error}") from None
    roles = {check: own.stricter(minor.roles.get(check, own)) for check, own in profile.roles.items()}
    return _profile(minor.name, minor.description, {**minor.thresholds, **thresholds}, {**minor.roles, **roles})


def _profile(name: str, description: str, thresholds: Mapping[str, Threshold], roles: Mapping[str, Role]) -> Profile:
    canonical = "\n".join([*(f"{t!r}" for _, t in sorted(thresholds.items())), *(f"{c}={r}" for c, r in sorted(roles.items()))])
    return Profile(name, description, thresholds, roles, hashlib.sha256(canonical.encode()).hexdigest())


def _folder() -> Any:  # noqa: ANN401 - importlib's Traversable has no public name before 3.12
    return resources.files(__package__)


def _read(name_or_path: str) -> tuple[dict[str, Any], str]:
    if name_or_path in built_in():
        text, name = (_folder() / f"{name_or_path}.toml").read_text("utf-8"), name_or_path
    else:
        path = Path(name_or_path)
        if not path.is_file():
            raise ProfileError(f"no profile {name_or_path!r}; built in: {', '.join(built_in())}; or give the path of a TOML file")
        text, name = path.read_text("utf-8"), path.stem
    return _parsed(text, name), name


def _parsed(text: str, name: str) -> dict[str, Any]:
    kind, loads = ("JSON", json.loads) if text.lstrip().startswith("{") else ("TOML", tomllib.loads)
    try:
        document: dict[str, Any] = loads(text)
    except RecursionError:
        raise ProfileError(f"profile {name!r} is nested too deeply") from None
    except ValueError as error:
        raise ProfileError(f"profile {name!r} is not valid {kind}: {error}") from None
    return document


def _changes(profile: str, kind: str, given: object, names: Collection[str]) -> dict[str, Any]:
    """Return the changes of one kind, each of something there is: a misspelt one would change nothing and say so to nobody."""
    if not isinstance(given, dict):
        raise ProfileError(f"profile {profile!r}: {kind} is not a table")
    if unknown := sorted(given.keys() - set(names)):
        raise ProfileError(f"profile {profile!r}: {kind} has no {unknown[0]!r}")
    return given


def _changed(profile: str, own: Threshold, given: object) -> Threshold:
    fields = asdict(own)
    key = fields.pop("name")
    new = _threshold(profile, key, {**fields, **given} if isinstance(given, dict) else {**fields, "value": given})
    if (new.unit, new.direction) != (own.unit, own.direction):
        raise ProfileError(f"profile {profile!r}: threshold {key!r} is {own.direction} … {own.unit}, and cannot be another")
    if not math.isfinite(new.value) or not all(isinstance(getattr(new, field), str) for field in fields if field != "value"):
        raise ProfileError(f"profile {profile!r}: {key!r} has a value that is no number, or a part that is no text")
    return new


def _threshold(profile: str, key: str, table: object) -> Threshold:
    if not isinstance(table, dict):
        raise ProfileError(f"profile {profile!r}: threshold {key!r} is not a table")
    try:
        return Threshold(name=key, **{**table, "value": float(table["value"]), "direction": Direction(table["direction"])})
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ProfileError(f"profile {profile!r}: threshold {key!r}: {error}") from None
