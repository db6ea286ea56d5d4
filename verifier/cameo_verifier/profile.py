"""Profile: a named set of thresholds, each with its source, and of roles per check. `profiles` reads their files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_verifier.errors import ProfileError
from cameo_verifier.types import CheckResult, Direction, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_verifier.reasons import Reason


class CheckRole(StrEnum):
    """The effect of a check's result on the verdict."""

    VETO = "veto"
    """A failure rejects; a check that was unable to run does not."""
    CONFIRM = "confirm"
    """It must pass: unable to run counts as not confirmed."""
    ADVISE = "advise"
    """Recorded for analysts; never decides."""

    def stricter(self, other: CheckRole) -> CheckRole:
        """Return whichever of the two counts against more recordings."""
        return min(self, other, key=(CheckRole.CONFIRM, CheckRole.VETO, CheckRole.ADVISE).index)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on one score, with the origin of its value.

    Attributes:
        name: its name in the profile.
        value: the limit, in `unit`.
        unit: unit of score and value.
        direction: which side passes.
        source: where the value comes from.
        dataset: the recordings it was measured on.
        error_rates: the error rates measured there.
        date: when it was set.
    """

    name: str
    value: float
    unit: str
    direction: Direction
    source: str
    dataset: str = ""
    error_rates: str = ""
    date: str = ""

    def holds(self, score: float) -> bool:
        """Whether `score` is on the passing side; NaN never is."""
        return score >= self.value if self.direction is Direction.AT_LEAST else score <= self.value

    def stricter(self, other: Threshold) -> Threshold:
        """Return whichever of the two fewer scores pass; this one where they are equal.

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

    Attributes:
        name: its name in settings and results.
        description: its purpose, in one sentence.
        thresholds: thresholds by name.
        roles: roles by check.
        digest: the SHA-256 of its content, 64 hex digits.
        minor: the profile that judges a possible minor; None where that is this profile itself.
        evaluation: the run of the attack suite that its error rates come from, and its result; empty where there was none.
    """

    name: str
    description: str
    thresholds: Mapping[str, Threshold]
    roles: Mapping[str, CheckRole]
    digest: str
    minor: Profile | None = None
    evaluation: str = ""

    def judging(self, *, minor: bool) -> Profile:
        """Return the profile to judge by: this one, or the stricter one of a possible minor."""
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

    @property
    def confirmed_by(self) -> frozenset[str]:
        """Names of the checks that must pass."""
        return frozenset(check for check, role in self.roles.items() if role is CheckRole.CONFIRM)

    def role(self, check: str) -> CheckRole:
        """Return the role of the check of that name.

        Raises:
            ProfileError: the profile gives it none.
        """
        try:
            return self.roles[check]
        except KeyError:
            raise ProfileError(f"profile {self.name!r} gives no role to check {check!r}") from None
