"""The nouns: a cameo and its terms, the grant for one job, what came out of it, a minor's guardian, and what happened when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class CameoState(StrEnum):
    """Where a cameo stands."""

    CAMEO_ACTIVE = "active"
    CAMEO_PAUSED = "paused"
    CAMEO_REVOKED = "revoked"
    """For good; its owner still sees it and its uses."""
    CAMEO_DELETED = "deleted"
    """A tombstone: no biometric data, notes or terms are left."""


class WhoMayUse(StrEnum):
    """Whom the owner lets use the likeness; the owner always may."""

    ONLY_ME = "only_me"
    SELECTED = "selected"
    MUTUALS = "mutuals"
    """Those who follow the owner and are followed back, by the app's graph."""
    EVERYONE = "everyone"


class UseCategory(StrEnum):
    """What a use is about."""

    ADVERTISING = "advertising"
    POLITICS = "politics"
    RELIGION = "religion"
    VIOLENCE = "violence"
    INTIMACY = "intimacy"
    GAMBLING = "gambling"
    ALCOHOL_AND_DRUGS = "alcohol_and_drugs"
    SATIRE = "satire"
    GENERAL = "general"
    """None of those above; nobody can exclude it."""
    UNSPECIFIED = "unspecified"
    """Nobody says; every owner who excludes anything excludes it."""


EXCLUDABLE = frozenset(UseCategory) - {UseCategory.GENERAL, UseCategory.UNSPECIFIED}
"""What an owner may exclude."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The owner's word. words: restrictions in plain words, for the generator to heed; categories: uses that are refused here."""

    who: WhoMayUse = WhoMayUse.ONLY_ME
    selected: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    categories: frozenset[UseCategory] = frozenset()
    appearance_notes: str = ""
    voice_notes: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person agreed to: version and locale of the text they saw, when, and the digest over it (hex sha256)."""

    text_version: str
    locale: str
    agreed_at: datetime
    digest: str


class ChangeState(StrEnum):
    """What became of a change that a minor asked for."""

    CHANGE_PENDING = "pending"
    CHANGE_APPROVED = "approved"
    CHANGE_REFUSED = "refused"
    CHANGE_WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Change:
    """A minor's word that holds once every guardian has approved it.

    number: the cameo's version it was asked for with. terms: the owner's word in full; those of nobody once it is settled.
    resume: whether every pause is to end. approved_by: the guardians who have said yes so far.
    """

    number: int
    terms: Terms
    resume: bool
    proposed_at: datetime
    approved_by: frozenset[str] = frozenset()
    state: ChangeState = ChangeState.CHANGE_PENDING


@dataclass(frozen=True, slots=True)
class Cameo:
    """One likeness under one owner's control. attempt_id: empty once deleted. version: grows by one with every change.

    attested_at: when the recording was judged that vouches for the person; None once deleted. change: the last one that a minor
    asked for, pending or settled. paused_by: `OWNER`, guardians and `ANALYSTS`, who each have paused it.
    """

    id: str
    subject: str
    attempt_id: str
    state: CameoState
    terms: Terms
    minor_safeguards: bool
    consent: Consent
    version: int
    created_at: datetime
    updated_at: datetime
    reason: str
    """Why it was paused, revoked or deleted, in the words of who did."""
    change: Change | None = None
    paused_by: frozenset[str] = frozenset()
    attested_at: datetime | None = None

    @property
    def suspended(self) -> bool:
        """Whether analysts have suspended it, which they alone can end."""
        return ANALYSTS in self.paused_by

    @property
    def pending(self) -> Change | None:
        """The change that waits for guardians, if there is one."""
        return self.change if self.change and self.change.state is ChangeState.CHANGE_PENDING else None


OWNER = ""
"""The owner among those who have paused a cameo; a guardian's id is never empty."""

ANALYSTS = "\u0001analysts"
"""The site's analysts among those, whose pause is a suspension; no id of a person has a control character."""


class GuardianshipState(StrEnum):
    """How far two people have come in being guardian and minor."""

    AWAITING_GUARDIAN = "awaiting_guardian"
    """The minor has consented."""
    AWAITING_MINOR = "awaiting_minor"
    """The guardian has consented."""
    LINKED = "linked"
    """Both have."""
    ENDED = "ended"
    """The guardian stepped down, or one of the two did not want it."""


@dataclass(frozen=True, slots=True)
class Guardianship:
    """Who answers for which minor; each side's consent, None where it is not given."""

    guardian: str
    minor: str
    state: GuardianshipState
    guardian_consent: Consent | None
    minor_consent: Consent | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for one job, to be spent once before `expires_at`."""

    id: str
    audience: str
    requester: str
    job_id: str
    cameo_ids: tuple[str, ...]
    purposes: frozenset[UseCategory]
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None
    spent_by_request: str = ""
    """The `request_id` that spent it, so that a lost reply can be asked for again."""
    revoked_at: datetime | None = None


class OutputState(StrEnum):
    """Who can see an output."""

    DRAFT = "draft"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Output:
    """What came out of a job: hex sha256 of the file, id of its C2PA manifest, and whose it is."""

    id: str
    grant_id: str
    sha256: str
    c2pa_manifest: str
    state: OutputState
    creator: str
    created_at: datetime
    updated_at: datetime
    platform: str = ""
    """Who shows it; empty where nobody does, and the generator holds it."""


@dataclass(frozen=True, slots=True)
class Use:
    """One grant and what came of it; `number` orders the uses of all cameos by when they were granted."""

    number: int
    grant: Grant
    outputs: tuple[Output, ...]


class EventKind(StrEnum):
    """What happened to a cameo, to a person's guardians or to an attempt."""

    WAS_CREATED = "created"
    PERMISSION_CHANGED = "permission_changed"
    WAS_PAUSED = "paused"
    WAS_REVOKED = "revoked"
    WAS_RESUMED = "resumed"
    WAS_DELETED = "deleted"
    USE_GRANTED = "use_granted"
    OUTPUT_RECORDED = "output_recorded"
    GUARDIAN_LINKED = "guardian_linked"
    GUARDIAN_STEPPED_DOWN = "guardian_stepped_down"
    CHANGE_PROPOSED = "change_proposed"
    CHANGE_APPROVED = "change_approved"
    CHANGE_REFUSED = "change_refused"
    CHANGE_WITHDRAWN = "change_withdrawn"
    REMOVAL_WAS_REQUESTED = "removal_requested"
    REMOVAL_WAS_ANSWERED = "removal_answered"
    ATTEMPT_WAS_DECIDED = "attempt_decided"
    WAS_SUSPENDED = "suspended"
    SUSPENSION_WAS_LIFTED = "suspension_lifted"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, without anything of the person. number: 1, 2, 3 … without a gap, in the order of commits.

    cameo_id: empty where it is about a person's guardian, or about an attempt that people decided. ruling: what they decided.
    """

    number: int
    cameo_id: str
    kind: EventKind
    at: datetime
    grant_id: str
    output_id: str
    removal_id: str = ""
    attempt_id: str = ""
    ruling: str = ""
