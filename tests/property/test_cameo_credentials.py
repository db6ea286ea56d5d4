"""An owner's changes and the issue and revocation of credentials in any order, against a model of what each credential is worth.

`make test` runs 60 examples, `make soak` 2,000 (`CAMEO_EXAMPLES`).
"""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cameo_challenges.model import Challenge, Say
from cameo_credential.token_status import Status
from cameo_verifier.cameo.model import CameoState
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.credentials.credentials import IssuedCredential
from cameo_verifier.store.credentials.earned import Earned
from cameo_verifier.store.credentials.issuance import Basis, IssuanceStore
from cameo_verifier.store.credentials.receipts import KeptReceipt
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db.engine import writing
from cameo_verifier.types import Decision, Evidence, Judgement, MediaInfo, Missing, Verdict
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

EXAMPLES = int(os.environ.get("CAMEO_EXAMPLES", "60"))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCES = ("https://one.example", "https://two.example")
NUMBERS = itertools.count()
ACCEPTED = Judgement(
    decision=Decision(Verdict.ACCEPTED, ()),
    checks=(),
    evidence=Evidence(MediaInfo("mp4", 1000, "cd" * 32, 9.5), Missing(Reason.NO_VIDEO), Missing(Reason.NO_AUDIO)),
    profile="default",
    minor_safeguards=False,
    digests={},
    timings_ms={},
)
STANDING = {
    None: Status.VALID,
    CameoState.CAMEO_ACTIVE: Status.VALID,
    CameoState.CAMEO_PAUSED: Status.SUSPENDED,
    CameoState.CAMEO_REVOKED: Status.INVALID,
    CameoState.CAMEO_DELETED: Status.INVALID,
}
REFUSALS = {
    CameoState.CAMEO_PAUSED: Refusal.CAMEO_IS_PAUSED,
    CameoState.CAMEO_REVOKED: Refusal.CAMEO_ENDED,
    CameoState.CAMEO_DELETED: Refusal.CAMEO_GONE,
}


@cache
def database() -> Engine:
    """One database for all examples, each with a cameo of its own."""
    return writing(databases.lasting("credentials"))


class Credentials(RuleBasedStateMachine):
    """One cameo, two audiences; issuing takes two steps, and anything may come between them."""

    def __init__(self) -> None:
        """Accept an attempt; its owner has not made the cameo yet."""
        super().__init__()
        self.number = next(NUMBERS)
        self.now = START
        self.store, self.statuses = IssuanceStore(database()), StatusStore(database())
        self.subject, self.cameo_id = f"owner-{self.number}", f"cameo-{self.number}"
        self.state: CameoState | None = None
        self.version = 0
        self.begun: list[tuple[Basis, str, str]] = []
        self.kept: dict[tuple[str, str], str] = {}
        """(request id, audience) to the id of the credential."""
        self.revoked: set[str] = set()
        self.issued: dict[str, str] = {}
        """The id of each credential, to its audience."""
        self.let: frozenset[str] = frozenset()
        """The audiences that the owner lets hold one."""
        challenge, attempt = f"c{self.number}", f"a{self.number}"
        ChallengeStore(database()).add(
            Challenge((Say("one"),), id=challenge, issued_at=START, expires_at=START + timedelta(hours=1)), subject=self.subject
        )
        attempts = AttemptStore(database())
        attempts.begin(attempt, challenge_id=challenge, audience=AUDIENCES[0], request_id="r", now=START)
        sealed = Vault(bytes(32)).seal(self.cameo_id, b"face and voice")
        attempts.finish(attempt, ACCEPTED, now=START, earned=Earned(self._receipt()), likeness=sealed)

    def _issued(self, request_id: str, audience: str) -> IssuedCredential:
        return IssuedCredential(
            jti=self._listed(),
            attempt_id=f"a{self.number}",
            cameo_id=self.cameo_id,
            request_id=request_id,
            audience=audience,
            subject="pseudonym",
            issued_at=self.now,
            expires_at=self.now + timedelta(days=1),
            token="t.t.t.t.t",  # noqa: S106 - not a secret
        )

    def _receipt(self) -> KeptReceipt:
        until = self.now + timedelta(days=1)
        return KeptReceipt(self._listed(), f"a{self.number}", self.cameo_id, self.now, until, "r.r.r~")

    def _listed(self) -> str:
        """Return a new id with a place in a status list."""
        jti = f"jti-{next(NUMBERS)}"
        while True:
            kept = self.statuses.open_list(capacity=2**20, new_key=lambda: bytes(32), now=START)
            if self.statuses.take(kept, place := next(NUMBERS), place, jti=jti):
                return jti

    def _refused(self, work: Callable[[], Any]) -> Refusal | None:
        try:
            work()
        except RefusedError as error:
            return error.refusal
        return None

    def _do(self, work: Callable[[Connection], object]) -> None:
        with database().begin() as connection:
            work(connection)

    @precondition(lambda self: self.state is None)
    @rule()
    def create(self) -> None:
        """The owner makes the cameo."""
        consent = {"text_version": "1", "locale": "en", "agreed_at": START, "now": self.now}
        self._do(lambda connection: cameos.create(connection, f"a{self.number}", subject=self.subject, request_id="r", **consent))
        self.state, self.version = CameoState.CAMEO_ACTIVE, 1

    @precondition(lambda self: self.state is not None)
    @rule(verb=st.sampled_from(("pause", "resume", "pause", "resume", "revoke", "delete")))
    def act(self, verb: str) -> None:
        """The owner takes the cameo back or gives it free again."""
        how: dict[str, Any] = {"subject": self.subject, "now": self.now} | ({"reason": ""} if verb in {"pause", "revoke"} else {})
        refusal = self._refused(lambda: self._do(lambda connection: getattr(cameos, verb)(connection, self.cameo_id, **how)))
        after = {
            "pause": CameoState.CAMEO_PAUSED,
            "resume": CameoState.CAMEO_ACTIVE,
            "revoke": CameoState.CAMEO_REVOKED,
            "delete": CameoState.CAMEO_DELETED,
        }[verb]
        if refusal is None and after is not self.state:
            self.state, self.version = after, self.version + 1

    @precondition(lambda self: self.state is CameoState.CAMEO_ACTIVE)
    @rule(note=st.sampled_from(("one", "two")))
    def say(self, note: str) -> None:
        """The owner changes their notes."""

        def work(connection: Connection) -> None:
            how: dict[str, Any] = {"subject": self.subject, "version": self.version, "now": self.now}
            changed = cameos.change(connection, self.cameo_id, lambda terms: replace(terms, voice_notes=note), **how)
            self.version = changed.version

        self._do(work)

    @precondition(lambda self: self.state in {CameoState.CAMEO_ACTIVE, CameoState.CAMEO_PAUSED})
    @rule(chosen=st.sampled_from(((), AUDIENCES[:1], AUDIENCES[1:], AUDIENCES, AUDIENCES)))
    def let_hold(self, chosen: tuple[str, ...]) -> None:
        """The owner says who may hold a credential; whom they leave out holds none any more, for good."""

        def work(connection: Connection) -> None:
            how: dict[str, Any] = {"subject": self.subject, "version": self.version, "now": self.now}
            changed = cameos.change(connection, self.cameo_id, lambda terms: replace(terms, offline=frozenset(chosen)), **how)
            self.version = changed.version

        self._do(work)
        self.let = frozenset(chosen)
        self.revoked |= {jti for jti, audience in self.issued.items() if audience not in self.let}

    @rule(request_id=st.sampled_from(("x", "y", "z")), audience=st.sampled_from(AUDIENCES))
    def begin(self, request_id: str, audience: str) -> None:
        """A further credential is asked for, now or again."""
        found: list[Any] = []
        asked = {"subject": self.subject, "audience": audience, "request_id": request_id}
        refusal = self._refused(lambda: found.append(self.store.basis(self.cameo_id, **asked)))
        used = {used for used, _ in self.kept}
        if self.state is None:
            assert refusal is Refusal.CAMEO_UNKNOWN
        elif self.state is not CameoState.CAMEO_ACTIVE:
            assert refusal is REFUSALS[self.state]
        elif audience not in self.let:
            assert refusal is Refusal.USE_NOT_PERMITTED
        elif request_id in used:
            earlier = self.kept.get((request_id, audience))
            assert refusal is (Refusal.REQUEST_ID_REUSED if earlier is None else None)
            assert earlier is None or found[0].jti == earlier
        else:
            assert refusal is None
            self.begun.append((found[0], request_id, audience))

    @precondition(lambda self: self.begun)
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        """A credential that was made is to be kept, whatever has happened since."""
        basis, request_id, audience = self.begun.pop(data.draw(st.integers(0, len(self.begun) - 1)))
        made = self._issued(request_id, audience)
        found: list[IssuedCredential] = []
        refusal = self._refused(lambda: found.append(self.store.keep(made, basis)))
        earlier = [(used, jti) for used, jti in self.kept.items() if used[0] == request_id]
        if self.state is not CameoState.CAMEO_ACTIVE:
            assert refusal is REFUSALS[self.state]  # type: ignore[index]  # a basis is read of a cameo only
        elif earlier:
            [((_, for_whom), jti)] = earlier
            assert refusal is (None if for_whom == audience else Refusal.REQUEST_ID_REUSED)
            assert refusal is not None or found[0].jti == jti
        elif basis.cameo.version != self.version:
            assert refusal is Refusal.CAMEO_CHANGED
        else:
            assert refusal is None
            assert found == [made]
            self.kept[request_id, audience] = made.jti
            self.issued[made.jti] = audience

    @precondition(lambda self: self.issued)
    @rule(data=st.data(), stranger=st.booleans())
    def revoke_one(self, data: st.DataObject, *, stranger: bool) -> None:
        """The owner, or someone who is not, ends one credential."""
        jti = data.draw(st.sampled_from(sorted(self.issued)))
        how: dict[str, Any] = {"reason": "so", "request_id": f"revoke-{next(NUMBERS)}", "now": self.now}
        refusal = self._refused(lambda: self.store.revoke(jti, subject="stranger" if stranger else self.subject, **how))
        if stranger or self.state is CameoState.CAMEO_DELETED:
            assert refusal is Refusal.CREDENTIAL_UNKNOWN
        else:
            assert refusal is None
            self.revoked.add(jti)

    @invariant()
    def each_credential_is_worth_what_the_owner_last_said(self) -> None:
        """Its cameo's standing, or nothing at all once it was revoked by itself."""
        for jti in self.issued:
            expected = Status.INVALID if jti in self.revoked else STANDING[self.state]
            assert self.statuses.get(jti).status is expected


class TestCredentials(Credentials.TestCase):  # type: ignore[name-defined, misc]  # made by hypothesis
    """No credential is worth more than its cameo, none that was revoked comes back, none is kept under terms of before."""

    settings = settings(max_examples=EXAMPLES, stateful_step_count=20, suppress_health_check=list(HealthCheck))
