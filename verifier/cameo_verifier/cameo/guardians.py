"""A minor's cameo between its owner and the guardians: whose word holds when.

1. The owner's word has two parts: what narrows the cameo holds at once, the rest waits as one pending change.
2. A pending change holds once *every* linked guardian has approved it; one who refuses ends it (docs/adr/0005).
3. Any one guardian narrows or pauses at once. That narrows what is pending too, takes back that guardian's approval of it, and
   ends it where nothing of it is left.
4. A new word of the owner's takes the place of a pending one. If it is narrower, the approvals given stay; otherwise they go.
5. A cameo is active when nobody pauses it. A guardian ends their own pause only; the owner's wish to resume is a change as in 2.
6. What the site's analysts suspend is paused by them, whoever else pauses it or lets it run; they alone end that.
7. Nobody's leaving widens anything: who steps down leaves their pause to the others, and pending changes are withdrawn. With the
   last guardian the audience goes back to `ONLY_ME`.

Every rule takes the cameo as it stands and returns it as it is to be, with the kinds of what happened, in order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from cameo_verifier.cameo.model import ANALYSTS, OWNER, Cameo, CameoState, Change, ChangeState, EventKind, Terms, WhoMayUse
from cameo_verifier.cameo.permissions import WORDS_MAX, digest_of, narrowed, narrower
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


def last_word(cameo: Cameo) -> Terms:
    """Return the terms the owner last asked for, whether they hold or wait."""
    return cameo.pending.terms if cameo.pending else cameo.terms


def say(cameo: Cameo, word: Terms, *, guardians: frozenset[str], now: datetime) -> Ruled:
    """Take the owner's word; one that waits for nobody holds in full.

    Raises:
        RefusedError: `MINOR_NEEDS_GUARDIAN` where something would have to wait and nobody is linked; `TOO_MANY_RESTRICTIONS`.
    """
    held, kinds = _hold(cameo, narrowed(cameo.terms, word))
    pending = cameo.pending
    resume = pending is not None and pending.resume
    if narrower(word, cameo.terms) and not resume:
        left, settled = _settle(held, ChangeState.CHANGE_WITHDRAWN)
        return left, (*kinds, *settled)
    if pending is not None and narrower(word, pending.terms):
        return replace(held, change=replace(pending, terms=word)), kinds
    return _propose(held, word, resume=resume, guardians=guardians, now=now, kinds=kinds)


def ask_to_resume(cameo: Cameo, *, guardians: frozenset[str], now: datetime) -> Ruled:
    """Take the owner's wish that every pause ends.

    Raises:
        RefusedError: `MINOR_NEEDS_GUARDIAN`.
    """
    if not cameo.paused_by - {ANALYSTS} or (cameo.pending and cameo.pending.resume):
        return cameo, ()
    return _propose(cameo, last_word(cameo), resume=True, guardians=guardians, now=now)


def approve(cameo: Cameo, number: int, *, guardian: str, guardians: frozenset[str]) -> Ruled:
    """Take a guardian's yes to the change of this number; to one that holds already it changes nothing.

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
    """Take a guardian's no to the change of this number; to one that was refused already it changes nothing.

    Raises:
        RefusedError: `CHANGE_NOT_PENDING`.
    """
    if _asked(cameo, number, or_already=ChangeState.CHANGE_REFUSED) is None:
        return cameo, ()
    return _settle(cameo, ChangeState.CHANGE_REFUSED)


def narrow(cameo: Cameo, bound: Callable[[Terms], Terms], *, guardian: str) -> Ruled:
    """Take a guardian's bound: what holds and what waits become at most what `bound` makes of them.

    What is left to wait needs that guardian's approval anew.

    Raises:
        RefusedError: `TOO_MANY_RESTRICTIONS`.
    """
    terms = narrowed(cameo.terms, bound(cameo.terms))
    pending = cameo.pending
    if pending is None:
        return _hold(cameo, terms)
    held, kinds = _hold(replace(cameo, change=replace(pending, approved_by=pending.approved_by - {guardian})), terms)
    left, settled = _wait_for(held, _few(narrowed(pending.terms, bound(pending.terms))), resume=pending.resume)
    return left, (*kinds, *settled)


def pause(cameo: Cameo, reason: str, *, by: str) -> Ruled:
    """Take the pause of `OWNER` or a guardian, and with it the end of a wish to resume."""
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
    """Take the analysts' pause; what they say of it is not the owner's to read, so the words of whoever else paused it stay."""
    if cameo.suspended:
        return cameo, ()
    kinds = () if cameo.state is CameoState.CAMEO_PAUSED else (EventKind.WAS_PAUSED,)
    paused = replace(cameo, state=CameoState.CAMEO_PAUSED, paused_by=cameo.paused_by | {ANALYSTS})
    return paused, (EventKind.WAS_SUSPENDED, *kinds)


def end_suspension(cameo: Cameo) -> Ruled:
    """Take back the analysts' pause; the cameo is active again when that was the last."""
    if not cameo.suspended:
        return cameo, ()
    run, kinds = lift(cameo, by=ANALYSTS)
    return run, (EventKind.SUSPENSION_WAS_LIFTED, *kinds)


def lift(cameo: Cameo, *, by: str) -> Ruled:
    """Take back one's own pause; the cameo is active again when that was the last, and a wish to resume has come true."""
    if by not in cameo.paused_by:
        return cameo, ()
    run, kinds = _run(cameo, cameo.paused_by - {by})
    if not kinds or run.pending is None or not run.pending.resume:
        return run, kinds
    left, settled = _wait_for(run, run.pending.terms, resume=False, otherwise=ChangeState.CHANGE_APPROVED)
    return left, (*settled, *kinds)


def step_down(cameo: Cameo, *, guardian: str, left: frozenset[str]) -> Ruled:
    """Let a guardian go, whose leaving widens nothing."""
    paused_by = (cameo.paused_by - {guardian}) | (left or {OWNER}) if guardian in cameo.paused_by else cameo.paused_by
    terms = cameo.terms if left else replace(cameo.terms, who=WhoMayUse.ONLY_ME, selected=frozenset())
    held, kinds = _hold(replace(cameo, paused_by=paused_by), terms)
    ended, settled = _settle(held, ChangeState.CHANGE_WITHDRAWN)
    return ended, (*settled, *kinds)


def consent_digest(*, guardian: str, minor: str, by_guardian: bool, text_version: str, locale: str, agreed_at: datetime) -> str:
    """Return the digest over one side's consent."""
    document = {
        "agreed_at": agreed_at.isoformat(),
        "guardian": guardian,
        "locale": locale,
        "minor": minor,
        "side": "guardian" if by_guardian else "minor",
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
    """Return the pending change of this number, None if it ended as `or_already` says."""
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
    """Let the pending change ask for less; where nothing is left to ask for it is settled."""
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
