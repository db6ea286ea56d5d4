"""Profiles: named sets of thresholds, each with a unit, a direction and where its value comes from.

A profile is a TOML file. The built-in ones lie beside this module; a site adds its own by path. A profile may `extends`
another and override single thresholds or roles. No check carries a literal of its own.

`default` is the list of all checks and thresholds there are, with their units and directions; a test holds it against the code.
Whatever else is read, a file as what is sent, may name nothing else and must come to all of it.

A profile names the one for possible minors, `minor_profile`. It is laid over the profile so that each threshold and role is the
stricter of the two: nobody is judged more mildly for looking young. An empty name moves nobody.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cameo_verifier.checks import BY_NAME, QUESTIONS
from cameo_verifier.errors import ProfileError
from cameo_verifier.evidence.likeness_rules import LIKENESS
from cameo_verifier.profile import CheckRole, Profile, Threshold
from cameo_verifier.spelling import meant
from cameo_verifier.types import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet

DEFAULT = "default"
_TEXTS = ("extends", "description", "minor_profile", "evaluation")
_TABLES = ("thresholds", "roles")
_PARTS = frozenset({*_TEXTS, *_TABLES})
_READ = frozenset((*(threshold for question in QUESTIONS for threshold in question.thresholds), *LIKENESS))
"""Names of the thresholds that the questions read, and by which a likeness is made."""


@cache
def built_in() -> tuple[str, ...]:
    """Names of the profiles in the package."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load(name_or_path: str = DEFAULT) -> Profile:
    """Load a built-in profile by name, or one of your own by the path of its TOML file.

    Raises:
        ProfileError: there is none, it is malformed, or not complete; the message names the part.
    """
    return _with_minor(*_load(name_or_path))


def parse(text: str, *, known: Mapping[str, str], extends: str, name: str = "inline") -> Profile:
    """Parse an untrusted profile, TOML or JSON: it overrides a known profile, opens no file and adds no thresholds.

    Args:
        text: what a file holds; without `extends` it changes the profile of that argument.
        known: names it may use, and what `load` takes for each.
        extends: which of them it changes, unless it says.
        name: what it is called.

    Raises:
        ProfileError: it is malformed, or uses a name that is not known; the message names the part.
    """
    document = _parsed(text, name)
    for key, default in (("extends", extends), ("minor_profile", "")):
        used = document.get(key, default)
        if used not in known and (key, used) != ("minor_profile", ""):
            raise ProfileError(f"profile {name!r}: {key} is none of {', '.join(known)}")
    base, minor_name = _load(known[document.get("extends", extends)])
    profile, minor_name = _laid(name, document, base, minor_name, listed=_listed())
    return _with_minor(profile, known.get(minor_name, minor_name))


def varied(base: str, name: str, values: Mapping[str, float], *, source: str, date: str) -> Profile:
    """Return a profile that extends `base` with some thresholds changed, each with this source, as from a file of that name.

    Raises:
        ProfileError: there is no such base, it has no threshold of one of the names, or the name is that of a built-in profile.
    """
    _require_own(name)
    moved = {key: {"value": value, "source": source, "date": date} for key, value in values.items()}
    document = {"description": f"{base}, with {len(moved)} thresholds moved.", "thresholds": moved}
    return _with_minor(*_laid(name, document, *_load(base), listed=_listed()))


def minor_profile(base: str) -> str:
    """Return the name or path of the profile for possible minors that a profile names; empty where it names none.

    Raises:
        ProfileError: as `load`.
    """
    return _load(base)[1]


def varied_for_minors(
    base: str, name: str, values: Mapping[str, float], *, telling: Collection[str], source: str, date: str
) -> Profile:
    """Return `base` with thresholds changed in its profile for possible minors; those in `telling` change in `base`.

    What judges a minor stays at least as strict as `base` in everything. Where `base` names no such profile, it is moved itself.

    Raises:
        ProfileError: as `varied`.
    """
    minor_name = minor_profile(base)
    if not minor_name or minor_name == load(base).name:
        return varied(base, name, values, source=source, date=date)
    everybody = varied(base, name, {key: values[key] for key in values.keys() & set(telling)}, source=source, date=date)
    rest = {key: value for key, value in values.items() if key not in telling}
    return replace(everybody, minor=_stricter(everybody, varied(minor_name, f"{name}-minor", rest, source=source, date=date)))


def _with_minor(profile: Profile, minor_name: str) -> Profile:
    if not minor_name or minor_name == profile.name:
        return profile
    minor, _ = _load(minor_name)
    return replace(profile, minor=_stricter(profile, minor))


def _load(name_or_path: str, extended_by: tuple[str, ...] = ()) -> tuple[Profile, str]:
    """Return a profile with what it inherits, and the name of the one for minors."""
    if name_or_path in built_in():
        return _load_built_in(name_or_path)
    if name_or_path in extended_by:
        raise ProfileError(f"profile {name_or_path!r} extends itself")
    path = Path(name_or_path)
    if not path.is_file():
        raise ProfileError(f"no profile {name_or_path!r}; built in: {', '.join(built_in())}; or give the path of a TOML file")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"cannot read the profile {name_or_path!r}: {error}") from None
    _require_own(path.stem)
    document = _parsed(text, path.stem)
    parent = document.get("extends")
    base, minor_name = _load(parent, (*extended_by, name_or_path)) if parent else (_NOTHING, "")
    return _laid(path.stem, document, base, minor_name, listed=_listed())


@cache
def _load_built_in(name: str) -> tuple[Profile, str]:
    document = _parsed((_folder() / f"{name}.toml").read_text("utf-8"), name)
    base, minor_name = _load_built_in(parent) if (parent := document.get("extends")) else (_NOTHING, "")
    return _laid(name, document, base, minor_name, listed=None if name == DEFAULT else _listed())


def _listed() -> Profile:
    """Return the profile that lists every check and threshold."""
    return _load_built_in(DEFAULT)[0]


def _laid(
    name: str, document: Mapping[str, Any], base: Profile, minor_name: str, *, listed: Profile | None
) -> tuple[Profile, str]:
    """Lay what a document says over a profile, and return it with the name of the one for minors.

    listed: the profile that lists every check and threshold, None for that one itself.
    """
    thresholds, roles = dict(base.thresholds), dict(base.roles)
    for key, given in document.get("thresholds", {}).items():
        _require_known(name, "thresholds", key, _READ)
        limit = listed[key] if listed is not None else None
        thresholds[key] = _threshold(name, key, given, own=base.thresholds.get(key), listed=limit)
    for check, given in document.get("roles", {}).items():
        _require_known(name, "roles", check, BY_NAME)
        roles[check] = _role(name, check, given)
    _require_complete(name, "threshold", thresholds.keys(), _READ)
    _require_complete(name, "role of check", roles.keys(), BY_NAME.keys())
    profile = _profile(name, document.get("description", ""), thresholds, roles)
    return replace(profile, evaluation=document.get("evaluation", "")), document.get("minor_profile", minor_name)


def _stricter(profile: Profile, minor: Profile) -> Profile:
    """Lay the profile for minors over another: of each threshold and role the stricter one."""
    thresholds = {key: own.stricter(minor[key]) for key, own in profile.thresholds.items()}
    roles = {check: own.stricter(minor.role(check)) for check, own in profile.roles.items()}
    return _profile(minor.name, minor.description, thresholds, roles)


def _profile(name: str, description: str, thresholds: Mapping[str, Threshold], roles: Mapping[str, CheckRole]) -> Profile:
    canonical = "\n".join([*(f"{t!r}" for _, t in sorted(thresholds.items())), *(f"{c}={r}" for c, r in sorted(roles.items()))])
    return Profile(name, description, thresholds, roles, hashlib.sha256(canonical.encode()).hexdigest())


_NOTHING = _profile("", "", {}, {})
"""What a profile extends that extends none."""


def _folder() -> Any:  # noqa: ANN401 - importlib's Traversable has no public name before 3.12
    return resources.files(__package__)


def _parsed(text: str, name: str) -> dict[str, Any]:
    """Return a document whose parts are known and of their types; what is in its tables is read later."""
    kind, loads = ("JSON", json.loads) if text.lstrip().startswith("{") else ("TOML", tomllib.loads)
    try:
        document: dict[str, Any] = loads(text)
    except RecursionError:
        raise ProfileError(f"profile {name!r} is nested too deeply") from None
    except ValueError as error:
        raise ProfileError(f"profile {name!r} is not valid {kind}: {error}") from None
    if unknown := sorted(document.keys() - _PARTS):
        known = ", ".join(sorted(_PARTS))
        raise ProfileError(f"profile {name!r}: {unknown[0]!r} is none of {known}{meant(unknown[0], _PARTS)}")
    for part, given in document.items():
        if part in _TABLES and not isinstance(given, dict):
            raise ProfileError(f"profile {name!r}: {part} is not a table")
        if part in _TEXTS and not isinstance(given, str):
            raise ProfileError(f"profile {name!r}: {part} is not a text")
    return document


def _require_own(name: str) -> None:
    if name in built_in():
        raise ProfileError(f"{name!r} is the name of a profile that is built in: call your own otherwise")


def _require_complete(profile: str, kind: str, found: AbstractSet[str], wanted: AbstractSet[str]) -> None:
    if missing := sorted(wanted - found):
        more = f", nor {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ProfileError(f"profile {profile!r} has no {kind} {missing[0]!r}{more}; it inherits them if it extends {DEFAULT!r}")


def _require_known(profile: str, kind: str, name: str, known: Collection[str]) -> None:
    """Refuse what there is not: a misspelt name would change nothing and say so to nobody."""
    if name not in known:
        raise ProfileError(f"profile {profile!r}: {kind} has no {name!r}{meant(name, known)}")


def _role(profile: str, check: str, given: object) -> CheckRole:
    try:
        role = CheckRole(given) if isinstance(given, str) else None
    except ValueError:
        role = None
    if role is None:
        raise ProfileError(f"profile {profile!r}: role of {check!r} is none of {', '.join(CheckRole)}: {given!r}")
    if BY_NAME[check].advice_only and role is not CheckRole.ADVISE:
        raise ProfileError(f"profile {profile!r}: {check!r} may only advise: its error rates are not known")
    return role


_FIELDS = frozenset(field.name for field in fields(Threshold)) - {"name"}
_UNSAID = {"source": "given without a source", "dataset": "", "error_rates": "", "date": ""}


def _threshold(profile: str, key: str, given: object, *, own: Threshold | None, listed: Threshold | None) -> Threshold:
    """Read one threshold, a number or a table, over the one it changes: `own`, where there is one.

    A new value is not what was measured for the old one: where it comes from is said anew, or not at all. Unit and direction are
    those of the threshold that is `listed`.
    """
    table: dict[str, Any] = given if isinstance(given, dict) else {"value": given}
    if unknown := sorted(table.keys() - _FIELDS):
        raise ProfileError(f"profile {profile!r}: threshold {key!r} has no {unknown[0]!r}{meant(unknown[0], _FIELDS)}")
    if own is not None:
        inherited = {field: getattr(own, field) for field in _FIELDS}
        table = {**inherited, **(_UNSAID if table.get("value", own.value) != own.value else {}), **table}
    if absent := sorted({"value", "unit", "direction", "source"} - table.keys()):
        raise ProfileError(f"profile {profile!r}: threshold {key!r} says no {absent[0]}")
    if not all(isinstance(text, str) for field, text in table.items() if field != "value"):
        raise ProfileError(f"profile {profile!r}: threshold {key!r} has a part that is no text")
    limit = listed or own
    if limit is not None and (table["unit"], table["direction"]) != (limit.unit, limit.direction.value):
        raise ProfileError(f"profile {profile!r}: threshold {key!r} is {limit.direction} … {limit.unit}, and cannot be another")
    try:
        return Threshold(name=key, **{**table, "value": _number(table["value"]), "direction": Direction(table["direction"])})
    except (OverflowError, ValueError) as error:
        raise ProfileError(f"profile {profile!r}: threshold {key!r}: {error}") from None


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError("its value is no number, or not a finite one")
    return float(given)
