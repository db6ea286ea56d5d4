"""Guardian rules: how a minor's cameo changes between its owner and the guardians.

1. An owner's request has two parts: what narrows the cameo takes effect at once, the rest waits as one pending change.
2. A pending change takes effect once *every* linked guardian has approved it; one refusal ends it (docs/adr/0005).
3. Any one guardian narrows or pauses at once. This narrows the pending change too, withdraws that guardian's approval of it, and
   ends it if it no longer asks for anything.
4. A new request of the owner replaces a pending one. If it is narrower, the approvals given stay; otherwise they are dropped.
5. A cameo is active when nobody pauses it. A guardian ends only their own pause; the owner's request to resume is a change as in
   2.
6. A suspension is a pause by the site's analysts, independent of the pauses of others; only analysts end it.
7. A guardian who steps down widens nothing: their pause passes to the others, and pending changes are withdrawn. With the
   last guardian the audience is reset to `ONLY_ME`, and no generator may hold a credential.

Every rule takes the current cameo and returns the new one, with the kinds of events, in order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from cameo_verifier.cameo.model import ANALYSTS, OWNER, Cameo, CameoState, Change, ChangeState, EventKind, Terms, WhoMayUse
from cameo_verifier.cameo.permissions import WORDS_MAX, digest_of, intersect, narrower
from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Ruled: TypeAlias = tuple[Cameo, tuple[EventKind, ...]]

_SETTLED = {
    ChangeState.CHANGE_APPROVED: EventKind.CHANGE_APPROVED,
    ChangeState.CHANGE_REFUSED: EventKind.CHANGE_REFUSED,
    ChangeState.CHANGE_WITHDRAWN: EventKind.CHANGE_WITHDRAWN,
}


def requested_terms(cameo: Cameo) -> Terms:
    """Return the terms the owner last asked for, in effect or pending."""
    return cameo.pending.terms if cameo.pending else cameo.terms


def change_terms(cameo: Cameo, word: Terms, *, guardians: frozenset[str], now: datetime) -> Ruled:
    """Apply the owner's new terms; those that need no approval take full effect.

    Raises:
        RefusedError: `MINOR_NEEDS_GUARDIAN` if something would need approval and no guardian is linked; `TOO_MANY_RESTRICTIONS`.
    """
    held, kinds = _hold(cameo, intersect(cameo.terms, word))
    pending = cameo.pending
    resume = pending is not None and pending.resume
    if narrower(word, cameo.terms) and not resume:
        left, settled = _settle(held, ChangeState.CHANGE_WITHDRAWN)
        return left, (*kinds, *settled)
    if pending is not None and narrower(word, pending.terms):
        return replace(held, change=replace(pending, terms=word)), kinds
    return _propose(held, word, resume=resume, guardians=guardians, now=now, kinds=kinds)


def ask_to_resume(cameo: Cameo, *, guardians: frozenset[str], now: datetime) -> Ruled:
    """Apply the owner's request to end every pause.

    Raises:
        RefusedError: `MINOR_NEEDS_GUARDIAN`.
    """
    if not cameo.paused_by - {ANALYSTS} or (cameo.pending and cameo.pending.resume):
        return cameo, ()
    return _propose(cameo, requested_terms(cameo), resume=True, guardians=guardians, now=now)


def approve(cameo: Cameo, number: int, *, guardian: str, guardians: frozenset[str]) -> Ruled:
    """Apply a guardian's approval of the change of this number; idempotent for a change that is approved already.

    Raises:
        RefusedError: `CHANGE_NOT_PENDING`.
    """
    change = _asked(cameo, number, or_already=ChangeState.CHANGE_APPROVED)
    if change is None or guardian in change.approved_by:
        return cameo, ()
    change = replace(change, approved_by=change.approved_by | {guardian})
    if not guardians <= change.approved_by:
        return replace(cameo, change=change), (EventKind.CHANGE_APPROVED,)
    held, changed = _hold(cameo, change.terms)
    held, resumed = _run(held, held.paused_by & {ANALYSTS}) if change.resume else (held, ())
    settled, approved = _settle(held, ChangeState.CHANGE_APPROVED)
    return settled, (*approved, *changed, *resumed)


def refuse(cameo: Cameo, number: int) -> Ruled:
    """Apply a guardian's refusal of the change of this number; idempotent for a change that is refused already.

    Raises:
        RefusedError: `CHANGE_NOT_PENDING`.
    """
    if _asked(cameo, number, or_already=ChangeState.CHANGE_REFUSED) is None:
        return cameo, ()
    return _settle(cameo, ChangeState.CHANGE_REFUSED)


def narrow(cameo: Cameo, bound: Callable[[Terms], Terms], *, guardian: str) -> Ruled:
    """Apply a guardian's bound to the current terms and to the pending change: each becomes at most what `bound` returns for it.

    What remains pending needs that guardian's approval again.

    Raises:
        RefusedError: `TOO_MANY_RESTRICTIONS`.
    """
    terms = intersect(cameo.terms, bound(cameo.terms))
    pending = cameo.pending
    if pending is None:
        return _hold(cameo, terms)
    held, kinds = _hold(replace(cameo, change=replace(pending, approved_by=pending.approved_by - {guardian})), terms)
    left, settled = _wait_for(held, _few(intersect(pending.terms, bound(pending.terms))), resume=pending.resume)
    return left, (*kinds, *settled)


def pause(cameo: Cameo, reason: str, *, by: str) -> Ruled:
    """Apply a pause by `OWNER` or a guardian; it also ends a pending request to resume."""
    if by in cameo.paused_by and not (cameo.pending and cameo.pending.resume):
        return cameo, ()
    kinds = () if cameo.state is CameoState.CAMEO_PAUSED else (EventKind.WAS_PAUSED,)
    paused = replace(cameo, state=CameoState.CAMEO_PAUSED, paused_by=cameo.paused_by | {by}, reason=reason)
    if paused.pending is None or not paused.pending.resume:
        return paused, kinds
    how = ChangeState.CHANGE_WITHDRAWN if by == OWNER else ChangeState.CHANGE_REFUSED
    left, settled = _wait_for(paused, paused.pending.terms, resume=False, otherwise=how)
    return left, (*kinds, *settled)


def suspend(cameo: Cameo) -> Ruled:
    """Apply a suspension by analysts; their reason is not for the owner to read, so the reason of any other pause stays."""
    if cameo.suspended:
        return cameo, ()
    kinds = () if cameo.state is CameoState.CAMEO_PAUSED else (EventKind.WAS_PAUSED,)
    paused = replace(cameo, state=CameoState.CAMEO_PAUSED, paused_by=cameo.paused_by | {ANALYSTS})
    return paused, (EventKind.WAS_SUSPENDED, *kinds)


def end_suspension(cameo: Cameo) -> Ruled:
    """End the analysts' suspension; the cameo is active again if nobody else pauses it."""
    if not cameo.suspended:
        return cameo, ()
    run, kinds = end_pause(cameo, by=ANALYSTS)
    return run, (EventKind.SUSPENSION_WAS_LIFTED, *kinds)


def end_pause(cameo: Cameo, *, by: str) -> Ruled:
    """End one's own pause; if it was the last, the cameo is active again and a pending request to resume is approved."""
    if by not in cameo.paused_by:
        return cameo, ()
    run, kinds = _run(cameo, cameo.paused_by - {by})
    if not kinds or run.pending is None or not run.pending.resume:
        return run, kinds
    left, settled = _wait_for(run, run.pending.terms, resume=False, otherwise=ChangeState.CHANGE_APPROVED)
    return left, (*settled, *kinds)


def step_down(cameo: Cameo, *, guardian: str, left: frozenset[str]) -> Ruled:
    """Remove a guardian, which widens nothing."""
    paused_by = (cameo.paused_by - {guardian}) | (left or {OWNER}) if guardian in cameo.paused_by else cameo.paused_by
    terms = cameo.terms if left else replace(cameo.terms, who=WhoMayUse.ONLY_ME, selected=frozenset(), offline=frozenset())
    held, kinds = _hold(replace(cameo, paused_by=paused_by), terms)
    ended, settled = _settle(held, ChangeState.CHANGE_WITHDRAWN)
    return ended, (*settled, *kinds)


def consent_digest(
    *, guardian: str, minor: str, by_guardian: bool, text_version: str, locale: str, agreed_at: datetime, text_sha256: str = ""
) -> str:
    """Return the digest over one side's consent to a guardianship."""
    document = {
        "agreed_at": agreed_at.isoformat(),
        "guardian": guardian,
        "locale": locale,
        "minor": minor,
        "side": "guardian" if by_guardian else "minor",
        "text_sha256": text_sha256,
        "text_version": text_version,
    }
    return digest_of(document)


def _propose(
    cameo: Cameo, word: Terms, *, resume: bool, guardians: frozenset[str], now: datetime, kinds: tuple[EventKind, ...] = ()
) -> Ruled:
    if not guardians:
        raise RefusedError(Refusal.MINOR_NEEDS_GUARDIAN)
    change = Change(cameo.version + 1, _few(word), resume=resume, proposed_at=now)
    return replace(cameo, change=change), (*kinds, EventKind.CHANGE_PROPOSED)


def _asked(cameo: Cameo, number: int, *, or_already: ChangeState) -> Change | None:
    """Return the pending change of this number, or None if it ended as `or_already` says."""
    change = cameo.change
    if change is None or change.number != number or change.state not in {ChangeState.CHANGE_PENDING, or_already}:
        raise RefusedError(Refusal.CHANGE_NOT_PENDING)
    return cameo.pending


def _hold(cameo: Cameo, terms: Terms) -> Ruled:
    return replace(cameo, terms=_few(terms)), (EventKind.PERMISSION_CHANGED,) if terms != cameo.terms else ()


def _run(cameo: Cameo, paused_by: frozenset[str]) -> Ruled:
    if paused_by or cameo.state is not CameoState.CAMEO_PAUSED:
        return replace(cameo, paused_by=paused_by), ()
    return replace(cameo, state=CameoState.CAMEO_ACTIVE, paused_by=paused_by, reason=""), (EventKind.WAS_RESUMED,)


def _wait_for(cameo: Cameo, terms: Terms, *, resume: bool, otherwise: ChangeState = ChangeState.CHANGE_REFUSED) -> Ruled:
    """Narrow the pending change; if it no longer asks for anything, settle it."""
    if cameo.pending is None or (narrower(terms, cameo.terms) and not resume):
        return _settle(cameo, otherwise)
    return replace(cameo, change=replace(cameo.pending, terms=terms, resume=resume)), ()


def _settle(cameo: Cameo, how: ChangeState) -> Ruled:
    if cameo.pending is None:
        return cameo, ()
    settled = replace(cameo.pending, terms=Terms(), resume=False, approved_by=frozenset(), state=how)
    return replace(cameo, change=settled), (_SETTLED[how],)


def _few(terms: Terms) -> Terms:
    if len(terms.words) > WORDS_MAX:
        raise RefusedError(Refusal.TOO_MANY_RESTRICTIONS)
    return terms
