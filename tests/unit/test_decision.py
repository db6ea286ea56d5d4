"""The fold from check results to a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier import decision
from cameo_verifier.decision import decide
from cameo_verifier.profile import CheckRole, Profile
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.types import CheckResult, Decision, Outcome, Verdict

PROFILE = load()
CONFIRMED = tuple(name for name, role in PROFILE.roles.items() if role is CheckRole.CONFIRM)


def passed(name: str) -> CheckResult:
    return CheckResult(name, Outcome.PASS)


def failed(name: str, reason: Reason) -> CheckResult:
    return CheckResult(name, Outcome.FAIL, reason=reason)


def with_roles(**roles: str) -> Profile:
    return Profile("test", "", {}, {name: CheckRole(role) for name, role in roles.items()}, "")


def test_every_required_check_passed_is_accepted() -> None:
    """All confirmations given and nothing against it is the only way to be accepted."""
    decision = decide([passed(name) for name in CONFIRMED], PROFILE)
    assert (decision.verdict, decision.reasons) == (Verdict.ACCEPTED, ())


def test_nothing_at_all_is_rejected() -> None:
    """No result and nothing required rejects, so that an empty policy lets nobody in."""
    decision = decide([], PROFILE)
    assert (decision.verdict, decision.reasons) == (Verdict.REJECTED, (Reason.NOT_CONFIRMED,))


@given(missing=st.sampled_from(CONFIRMED))
def test_a_missing_required_result_is_rejected(missing: str) -> None:
    """Every single required check is needed."""
    decision = decide([passed(name) for name in CONFIRMED if name != missing], PROFILE)
    assert (decision.verdict, decision.reasons) == (Verdict.REJECTED, (Reason.NOT_CONFIRMED,))


def test_a_confirmation_that_nobody_asked_is_missing() -> None:
    """Whoever forgets to ask a question does not do without its answer; only what is exempt by name is."""
    roles = with_roles(phrase="confirm", seen_before="confirm")
    assert decide([passed("phrase")], roles).reasons == (Reason.NOT_CONFIRMED,)
    assert decide([passed("phrase")], roles, exempt=["seen_before"]).verdict is Verdict.ACCEPTED
    assert decide([passed("phrase")], roles, exempt=["movement"]).verdict is Verdict.REJECTED
    assert decide([], roles, exempt=["phrase", "seen_before"]).reasons == (Reason.NOT_CONFIRMED,)


def test_advice_never_decides() -> None:
    """A failed advisory check changes nothing."""
    results = [passed("phrase"), failed("blink", Reason.NO_BLINK)]
    assert decide(results, with_roles(phrase="confirm", blink="advise")).verdict is Verdict.ACCEPTED


def test_a_veto_that_could_not_run_does_not_reject_and_a_confirmation_does() -> None:
    """Unable to run counts as not confirmed, but is no evidence of attack."""
    unable = CheckResult.unable("speaker", Reason.NO_SPEECH)
    veto = with_roles(phrase="confirm", speaker="veto")
    confirm = with_roles(phrase="confirm", speaker="confirm")
    assert decide([passed("phrase"), unable], veto).verdict is Verdict.ACCEPTED
    assert decide([passed("phrase"), unable], confirm).reasons == (Reason.NO_SPEECH,)


@pytest.mark.parametrize(
    ("quality", "mismatch", "verdict", "reasons"),
    [
        (Reason.TOO_NOISY, Reason.PHRASE_MISMATCH, Verdict.RETRY, (Reason.TOO_NOISY,)),
        (Reason.TOO_DARK, Reason.MOVEMENT_MISSING, Verdict.RETRY, (Reason.TOO_DARK,)),
        (Reason.TOO_DARK, Reason.PHRASE_MISMATCH, Verdict.REJECTED, (Reason.PHRASE_MISMATCH, Reason.TOO_DARK)),
        (Reason.RECORDING_TOO_SHORT, Reason.PHRASE_MISMATCH, Verdict.RETRY, (Reason.RECORDING_TOO_SHORT,)),
        (Reason.TOO_DARK, Reason.FROZEN_OR_LOOPED, Verdict.REJECTED, (Reason.FROZEN_OR_LOOPED, Reason.TOO_DARK)),
        (Reason.TOO_DARK, Reason.SCREEN_OR_PRINT, Verdict.RETRY, (Reason.TOO_DARK,)),
        (Reason.TOO_BRIGHT, Reason.SCREEN_OR_PRINT, Verdict.RETRY, (Reason.TOO_BRIGHT,)),
    ],
)
def test_poor_quality_explains_a_mismatch_of_its_own_sense(
    quality: Reason, mismatch: Reason, verdict: Verdict, reasons: tuple[Reason, ...]
) -> None:
    """Noise explains misheard words, never darkness, and an attack only by what was shown to look like it."""
    profile = with_roles(light="confirm", other="confirm")
    decision = decide([failed("light", quality), failed("other", mismatch)], profile)
    assert (decision.verdict, decision.reasons) == (verdict, reasons)


@given(
    st.lists(
        st.tuples(st.sampled_from(CONFIRMED), st.sampled_from(Outcome), st.sampled_from(Reason)), unique_by=lambda row: row[0]
    )
)
def test_no_failed_confirmation_is_ever_accepted(rows: list[tuple[str, Outcome, Reason]]) -> None:
    """Whatever the other results are, an attack's reason that no defect excuses rejects, and acceptance needs all of them."""
    results = [CheckResult(n, o, reason=None if o is Outcome.PASS else r) for n, o, r in rows]
    decision = decide(results, PROFILE)
    everything = len(rows) == len(CONFIRMED) and all(o is Outcome.PASS for _, o, _ in rows)
    assert (decision.verdict is Verdict.ACCEPTED) == everything
    found = {r.reason for r in results if r.reason is not None}
    excused = frozenset().union(*(reason.excuses for reason in found))
    if any(reason.kind is Kind.ATTACK for reason in found - excused):
        assert decision.verdict is Verdict.REJECTED


@given(reason=st.sampled_from(sorted(Reason.CORRUPT_MEDIA.excuses)))
def test_a_damaged_recording_is_asked_for_again_whatever_else_it_shows(reason: Reason) -> None:
    """Damage produces any finding, so that it never accuses; nor is it accepted."""
    results = [failed("damage", Reason.CORRUPT_MEDIA), failed("phrase", reason)]
    decision = decide(results, with_roles(damage="confirm", phrase="confirm"))
    assert (decision.verdict, decision.reasons) == (Verdict.RETRY, (Reason.CORRUPT_MEDIA,))


def test_reasons_that_explain_one_another_all_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """None does today; were there two, neither may make the other go, and both with it: nothing would be left to refuse by."""
    assert not any(decision._explains(one, other) and decision._explains(other, one) for one in Reason for other in Reason)
    monkeypatch.setattr(decision, "_explains", lambda one, other: one is not other)
    results = [failed("phrase", Reason.PHRASE_MISMATCH), failed("light", Reason.TOO_DARK)]
    found = decide(results, with_roles(phrase="confirm", light="confirm"))
    assert (found.verdict, set(found.reasons)) == (Verdict.REJECTED, {Reason.PHRASE_MISMATCH, Reason.TOO_DARK})


@pytest.mark.parametrize(
    ("covered", "produced"),
    [
        (Reason.EYES_NOT_VISIBLE, Reason.FACE_CHANGED),
        (Reason.MOUTH_NOT_VISIBLE, Reason.FACE_CHANGED),
        (Reason.MOUTH_NOT_VISIBLE, Reason.FLAT_FACE),
        (Reason.MOUTH_NOT_VISIBLE, Reason.LIPS_DO_NOT_MATCH),
        (Reason.MOUTH_NOT_VISIBLE, Reason.SCREEN_OR_PRINT),
    ],
)
def test_glasses_and_masks_accuse_nobody(covered: Reason, produced: Reason) -> None:
    """What a covered face produces by itself asks again, with the cover alone as its reason; another attack still rejects."""
    results = [failed("mouth", covered), failed("depth", produced)]
    only = with_roles(mouth="confirm", depth="confirm", seen_before="veto")
    assert decide(results, only) == Decision(Verdict.RETRY, (covered,))
    assert decide([*results, failed("seen_before", Reason.SEEN_BEFORE)], only).verdict is Verdict.REJECTED


@given(quality=st.sampled_from([reason for reason in Reason if reason.excuses]))
def test_only_a_reason_that_asks_again_excuses(quality: Reason) -> None:
    """What excuses an attack's reason never lets a recording in by itself, and never excuses a missing confirmation."""
    assert quality.kind is Kind.QUALITY
    assert Reason.NOT_CONFIRMED not in quality.excuses


def test_no_two_reasons_excuse_each_other() -> None:
    """Followed from excuse to excuse no reason comes back to itself: else both would be dropped, and nothing be left to say."""

    def reached(reason: Reason) -> set[Reason]:
        found: set[Reason] = set()
        waiting = [reason]
        while waiting:
            new = waiting.pop().excuses - found
            found |= new
            waiting += new
        return found

    assert not [reason for reason in Reason if reason in reached(reason)]


@given(st.lists(st.sampled_from(Reason), min_size=1))
def test_whatever_counts_against_a_recording_is_never_excused_into_acceptance(reasons: list[Reason]) -> None:
    """However the reasons explain one another, one is left."""
    names = [f"check{index}" for index in range(len(reasons))]
    results = [failed(name, reason) for name, reason in zip(names, reasons, strict=True)]
    decision = decide(results, with_roles(**dict.fromkeys(names, "confirm")))
    assert decision.verdict is not Verdict.ACCEPTED
    assert decision.reasons


def test_the_reason_that_explains_most_comes_first() -> None:
    """Of reasons of one kind the person is told what produces the others; otherwise they come in the order of the questions."""
    results = [
        failed("light", Reason.BLURRED),
        failed("other", Reason.LIGHT_FLICKERS),
        failed("third", Reason.FROZEN_OR_LOOPED),
    ]
    every = with_roles(light="confirm", other="confirm", third="veto")
    assert decide(results, every).reasons == (Reason.LIGHT_FLICKERS, Reason.BLURRED)
    assert decide(results[:2], every).reasons == (Reason.BLURRED, Reason.LIGHT_FLICKERS)


@pytest.mark.parametrize(
    ("worse", "milder"),
    [
        (Kind.ATTACK, Kind.LIFECYCLE),
        (Kind.LIFECYCLE, Kind.UNREADABLE),
        (Kind.UNREADABLE, Kind.MISMATCH),
        (Kind.MISMATCH, Kind.IDENTITY),
        (Kind.IDENTITY, Kind.QUALITY),
    ],
)
def test_the_worst_kind_of_reason_comes_first(worse: Kind, milder: Kind) -> None:
    """Whichever check said it first: the person is told what weighs most, unless a milder reason explains it."""
    both = with_roles(one="confirm", other="confirm")
    pairs = [(bad, better) for bad in Reason if bad.kind is worse for better in Reason if better.kind is milder]
    told = [decide([failed("one", better), failed("other", bad)], both).reasons for bad, better in pairs]
    unexplained = [(pair, reasons) for pair, reasons in zip(pairs, told, strict=True) if len(reasons) == 2]
    assert unexplained
    assert [reasons for _, reasons in unexplained] == [pair for pair, _ in unexplained]


def test_who_has_to_be_looked_at_is_not_sent_away() -> None:
    """Identity alone goes to a person; with anything that rejects it is rejected."""
    both = with_roles(age="confirm", other="confirm")
    young = failed("age", Reason.POSSIBLE_MINOR)
    assert decide([young, passed("other")], both) == Decision(Verdict.REVIEW, (Reason.POSSIBLE_MINOR,))
    assert decide([young, failed("other", Reason.PHRASE_MISMATCH)], both).verdict is Verdict.REJECTED
