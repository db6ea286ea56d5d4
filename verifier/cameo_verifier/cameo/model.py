"""The cameo's data model: a cameo and its terms, grants, outputs, guardianships and events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_credential.item_kind import VECTOR_KINDS, ItemKind

if TYPE_CHECKING:
    from datetime import datetime


class CameoState(StrEnum):
    """The state of a cameo."""

    CAMEO_ACTIVE = "active"
    CAMEO_PAUSED = "paused"
    CAMEO_REVOKED = "revoked"
    """Final; its owner still sees it and its uses."""
    CAMEO_DELETED = "deleted"
    """A tombstone: no biometric data, notes or terms are left."""


class WhoMayUse(StrEnum):
    """The audience of a cameo: whom the owner permits to use the likeness. The owner always may."""

    ONLY_ME = "only_me"
    SELECTED = "selected"
    MUTUALS = "mutuals"
    """Those who follow the owner and are followed back, according to the app's graph."""
    EVERYONE = "everyone"


class UseCategory(StrEnum):
    """The category of a use."""

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
    """The terms the owner sets.

    Attributes:
        who: whom the owner lets use the likeness.
        selected: with `SELECTED`, the app's ids of those.
        words: restrictions in plain words, for the generator to observe.
        categories: uses that are refused here.
        appearance_notes, voice_notes: how the owner wants to look and to sound.
        generators: names of the generators that may use it; None for every registered one.
        items: the kinds of items that are delivered to them. Vectors at first: they serve to compare and to condition, but show
            and speak to nobody. Pictures and sound of a person do, in whoever's hands, so the owner adds them by word.
        offline: names of those that may also hold it in a long-lived credential.
    """

    who: WhoMayUse = WhoMayUse.ONLY_ME
    selected: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    categories: frozenset[UseCategory] = frozenset()
    appearance_notes: str = ""
    voice_notes: str = ""
    generators: frozenset[str] | None = None
    items: frozenset[ItemKind] = VECTOR_KINDS
    offline: frozenset[str] = frozenset()

    def admit(self, generator: str) -> bool:
        """Return whether a registered generator may use the likeness."""
        return self.generators is None or generator in self.generators

    def let_hold(self, generator: str) -> bool:
        """Return whether a registered generator may hold the likeness in a credential, apart from any job: both vectors."""
        return self.admit(generator) and generator in self.offline and self.items >= VECTOR_KINDS


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent: version, locale and hex sha256 of the text the person saw, the time, and the digest over it (hex sha256).

    text_sha256: empty in consents from before it was required.
    """

    text_version: str
    locale: str
    agreed_at: datetime
    digest: str
    text_sha256: str = ""


class ChangeState(StrEnum):
    """The state of a change that a minor asked for."""

    CHANGE_PENDING = "pending"
    CHANGE_APPROVED = "approved"
    CHANGE_REFUSED = "refused"
    CHANGE_WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Change:
    """A change a minor asked for, which takes effect once every guardian has approved it.

    number: the cameo's version with which it was requested. terms: the owner's terms in full; empty once it is settled. resume:
    True if it ends every pause. approved_by: the guardians who have approved it so far.
    """

    number: int
    terms: Terms
    resume: bool
    proposed_at: datetime
    approved_by: frozenset[str] = frozenset()
    state: ChangeState = ChangeState.CHANGE_PENDING


@dataclass(frozen=True, slots=True)
class Cameo:
    """One likeness under one owner's control.

    Attributes:
        id: the cameo's id.
        subject: the owner.
        attempt_id: the accepted attempt it is made of; empty once deleted.
        state: active, paused, revoked or deleted.
        terms: the terms in effect.
        minor_safeguards: True if the owner may be a minor.
        consent: the owner's consent to the cameo.
        version: incremented by one with every change.
        created_at, updated_at: times in UTC.
        reason: why it was paused, revoked or deleted, in the words of whoever did so.
        change: the last change a minor asked for, pending or settled.
        paused_by: who pauses it now: `OWNER`, guardians, `ANALYSTS`.
        attested_at: when the recording was judged that vouches for the person; None once deleted.
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
    change: Change | None = None
    paused_by: frozenset[str] = frozenset()
    attested_at: datetime | None = None

    @property
    def suspended(self) -> bool:
        """True if analysts have suspended it, which only they can end."""
        return ANALYSTS in self.paused_by

    @property
    def pending(self) -> Change | None:
        """The change that waits for guardians, None if there is none."""
        return self.change if self.change and self.change.state is ChangeState.CHANGE_PENDING else None


OWNER = ""
"""The owner, as an entry of `paused_by`; a guardian's id is never empty."""

ANALYSTS = "\u0001analysts"
"""The site's analysts, as an entry of `paused_by`; no id of a person has a control character."""


class GuardianshipState(StrEnum):
    """The state of a guardianship."""

    AWAITING_GUARDIAN = "awaiting_guardian"
    """The minor has consented."""
    AWAITING_MINOR = "awaiting_minor"
    """The guardian has consented."""
    LINKED = "linked"
    """Both have."""
    ENDED = "ended"
    """The guardian stepped down, or one of the two declined."""


@dataclass(frozen=True, slots=True)
class Guardianship:
    """A link between a guardian and a minor.

    Attributes:
        guardian: who answers for the minor.
        minor: the owner of the cameos.
        state: which consents are given, or that it ended.
        guardian_consent: the guardian's consent, None if not given.
        minor_consent: the minor's consent, None if not given.
        created_at, updated_at: times in UTC.
    """

    guardian: str
    minor: str
    state: GuardianshipState
    guardian_consent: Consent | None
    minor_consent: Consent | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission for one job, to be spent once before `expires_at`.

    Attributes:
        id: the grant's id.
        audience: the generator it is for.
        requester: the person the video is made for.
        job_id: the generator's id of the job.
        cameo_ids: the cameos it permits.
        purposes: the categories the use falls into.
        created_at, expires_at: times in UTC.
        spent_at: when it was spent, None if it was not.
        spent_by_request: the `request_id` that spent it, so that a retry after a lost reply gets the same reply.
        revoked_at: when it was revoked, None if it was not.
        overdue_at: when it was flagged that no output had been recorded in time, None if it was not.
    """

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
    revoked_at: datetime | None = None
    overdue_at: datetime | None = None


class OutputState(StrEnum):
    """The visibility of an output."""

    DRAFT = "draft"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a job produced.

    Attributes:
        id: the output's id.
        grant_id: the grant of the job.
        sha256: hex sha256 of the file.
        c2pa_manifest: id of its C2PA manifest.
        state: draft or published.
        creator: whose output it is.
        created_at, updated_at: times in UTC.
        platform: the platform that shows it; empty if none does and the generator holds it.
    """

    id: str
    grant_id: str
    sha256: str
    c2pa_manifest: str
    state: OutputState
    creator: str
    created_at: datetime
    updated_at: datetime
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """One grant with its outputs; `number` orders the uses of all cameos by the time of the grant."""

    number: int
    grant: Grant
    outputs: tuple[Output, ...]


class EventKind(StrEnum):
    """The kind of an event about a cameo, a person's guardians, an attempt or a live session."""

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
    CREDENTIAL_WAS_ISSUED = "credential_issued"
    CREDENTIAL_WAS_REVOKED = "credential_revoked"
    OUTPUT_IS_OVERDUE = "output_overdue"
    ATTEMPT_WAS_DECIDED = "attempt_decided"
    WAS_SUSPENDED = "suspended"
    SUSPENSION_WAS_LIFTED = "suspension_lifted"
    SESSION_WAS_JUDGED = "session_judged"
    SESSION_HAS_ENDED = "session_ended"
    SESSION_HAS_EXPIRED = "session_expired"


@dataclass(frozen=True, slots=True)
class Event:
    """One event, without personal data.

    Attributes:
        number: 1, 2, 3 … without a gap, in the order of commits.
        cameo_id: the cameo; empty if the event is about a person's guardian, an attempt that reviewers decided or a live
            session.
        kind: what happened.
        at: when it happened, in UTC.
        grant_id, output_id, removal_id, attempt_id, credential_id: what it is about, each empty if not applicable.
        ruling: the reviewers' decision on the attempt.
        session_id: the live session that ended.
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
    credential_id: str = ""
    session_id: str = ""
