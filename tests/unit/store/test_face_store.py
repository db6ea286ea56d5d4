from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.cameos.faces import Code, Collection, FaceStore, Holder
from tests.unit.store.conftest import NOW
from tests.unit.store.test_attempt_store import JUDGEMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge

KEY, MODEL = "0123456789abcdef", "ab" * 32


@pytest.fixture
def store(engine: Engine) -> FaceStore:
    """The faces of an empty database."""
    return FaceStore(engine)


def code(byte: int, *, key_id: str = KEY, model: str = MODEL) -> Code:
    return Code(bytes([byte]) * 512, key_id, model)


def read(store: FaceStore, after: int = 0) -> list[tuple[int, bytes]]:
    return [row for rows in store.after(after, key_id=KEY, model=MODEL) for row in rows]


@pytest.fixture
def enrol(engine: Engine, issued: Callable[[str], Challenge]) -> Callable[[str, str, Code], None]:
    """Finish an attempt of a subject with a face."""
    attempts = AttemptStore(engine)

    def judge(identifier: str, subject: str, face: Code) -> None:
        ChallengeStore(engine).add(issued(f"c-{identifier}"), subject=subject)
        attempts.begin(identifier, challenge_id=f"c-{identifier}", audience="https://g.example", request_id="r", now=NOW)
        attempts.finish(identifier, JUDGEMENT, now=NOW, face=face)

    return judge


def test_faces_come_back_in_order_with_whose_they_are(store: FaceStore, enrol: Callable[..., None]) -> None:
    """Those of one key and model, after a number; each has its holder."""
    store.protect("Ada", [code(1), code(2)], now=NOW)
    enrol("a", "ann", code(3))
    store.protect("Bob", [code(4, model="cd" * 32), code(5, key_id="f" * 16)], now=NOW)
    assert read(store) == [(1, b"\1" * 512), (2, b"\2" * 512), (3, b"\3" * 512)]
    assert read(store, 2) == [(3, b"\3" * 512)]
    assert store.codes([3, 99]) == [(3, b"\3" * 512)]
    assert store.numbers(key_id=KEY, model=MODEL) == [1, 2, 3]
    assert store.holders([1, 3, 99]) == {1: Holder(Collection.PROTECTED, "Ada"), 3: Holder(Collection.ENROLLED, "ann", "a")}


def test_a_face_is_kept_with_its_judgement_or_not_at_all(engine: Engine, store: FaceStore, enrol: Callable[..., None]) -> None:
    """An attempt that has ended already enrols no second face."""
    enrol("a", "ann", code(1))
    with pytest.raises(NotFoundError):
        AttemptStore(engine).finish("a", JUDGEMENT, now=NOW, face=code(2))
    assert read(store) == [(1, b"\1" * 512)]


def test_a_subject_is_forgotten_and_its_numbers_never_come_again(store: FaceStore, enrol: Callable[..., None]) -> None:
    """All faces of that subject go, nobody else's, and a later face has a higher number."""
    for identifier, subject in (("a", "ann"), ("b", "ben"), ("c", "ann")):
        enrol(identifier, subject, code(1))
    assert store.forget("ann") == 2
    enrol("d", "dan", code(4))
    assert store.numbers(key_id=KEY, model=MODEL) == [2, 4]
    assert store.forget("ann") == 0


def test_protected_people_are_listed_with_their_accounts(store: FaceStore) -> None:
    """By name, with every face, the first time and the subjects, who are allowed until that is taken back."""
    store.protect("Bob", [code(1)], now=NOW)
    store.protect("Ada", [code(2)], now=NOW)
    store.protect("Bob", [code(3)], now=NOW + timedelta(days=1))
    for _ in range(2):
        store.allow("Bob", "account-9", now=NOW)
    ada, bob = store.protected()
    assert (ada.name, ada.numbers, ada.subjects) == ("Ada", (2,), ())
    assert (bob.name, bob.numbers, bob.created_at, bob.subjects) == ("Bob", (1, 3), NOW, ("account-9",))
    assert store.allowed("account-9") == {"Bob"}
    assert store.allowed("account-8") == frozenset()
    assert store.disallow("Bob", "account-9")
    assert not store.disallow("Bob", "account-9")
    assert store.allowed("account-9") == frozenset()


def test_who_is_protected_no_longer_leaves_nothing(store: FaceStore) -> None:
    """Faces and allowances go together: somebody of the same name later starts afresh."""
    store.protect("Bob", [code(1), code(2)], now=NOW)
    store.allow("Bob", "account-9", now=NOW)
    assert store.unprotect("Bob") == 2
    assert read(store) == []
    assert store.allowed("account-9") == frozenset()
    for refused in (lambda: store.unprotect("Bob"), lambda: store.allow("Bob", "account-9", now=NOW)):
        with pytest.raises(NotFoundError, match="'Bob'"):
            refused()


def test_faces_nothing_can_be_held_against_are_counted_and_dropped(store: FaceStore) -> None:
    """Those of another key, and of another model where one is given."""
    store.protect("Ada", [code(1), code(2, model="cd" * 32), code(3, key_id="f" * 16)], now=NOW)
    assert store.unreadable(key_id=KEY) == 1
    assert store.unreadable(key_id=KEY, model=MODEL) == 2
    assert store.drop_unreadable(key_id=KEY, model=MODEL) == 2
    assert read(store) == [(1, b"\1" * 512)]
