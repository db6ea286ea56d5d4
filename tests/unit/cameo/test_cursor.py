"""Page tokens: each goes on in the list that it is of, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.cameo.cursor import EVENTS, Listing
from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
MINE, OTHERS = Listing("ListCameos", ("ann",)), Listing("ListCameos", ("bob",))
LISTS = (MINE, OTHERS, Listing("ListUses", ("ann",)), Listing("ListCameos", ("an", "n")), Listing("ListCameosann"), EVENTS)


def refuses(read: Callable[[], object]) -> bool:
    """Whether a token is refused."""
    try:
        read()
    except RefusedError as error:
        return error.refusal is Refusal.PAGE_TOKEN_INVALID
    return False


@given(number=st.integers(0, 2**63 - 1), identifier=st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])))
def test_what_is_put_in_comes_out(number: int, identifier: str) -> None:
    """A number, and a time with an id."""
    assert EVENTS.number(EVENTS.token(number)) == number
    assert MINE.place(MINE.token((NOW, identifier)), now=NOW) == (NOW, identifier)


def test_without_a_token_a_list_begins() -> None:
    """None names no position."""
    assert (EVENTS.number(""), MINE.place("", now=NOW)) == (None, None)


@pytest.mark.parametrize("other", [each for each in LISTS if each != MINE])
def test_no_list_goes_on_by_another_s_token(other: Listing) -> None:
    """Nor does one kind of position in place of the other."""
    assert refuses(lambda: other.place(MINE.token((NOW, "id")), now=NOW))
    assert refuses(lambda: other.number(MINE.token(7)))
    assert refuses(lambda: MINE.number(MINE.token((NOW, "id"))))
    assert refuses(lambda: MINE.place(MINE.token(7), now=NOW))


def test_what_cannot_be_in_a_list_yet_is_refused() -> None:
    """Clocks of servers may be half a minute apart."""
    assert not refuses(lambda: MINE.place(MINE.token((NOW + timedelta(seconds=30), "id")), now=NOW))
    for later in (NOW + timedelta(seconds=31), datetime(9999, 12, 31, tzinfo=UTC)):
        assert refuses(lambda later=later: MINE.place(MINE.token((later, "id")), now=NOW))  # type: ignore[misc]


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_whatever_else_is_said_is_refused(token: str) -> None:
    """And breaks nothing."""
    assert not token or (refuses(lambda: EVENTS.number(token)) and refuses(lambda: MINE.place(token, now=NOW)))


def test_a_page_has_a_token_while_there_is_more() -> None:
    """The position of its last element."""
    assert EVENTS.page([1, 2, 3], 2, lambda each: each) == ([1, 2], EVENTS.token(2))
    assert EVENTS.page([1, 2], 2, lambda each: each) == ([1, 2], "")
    assert EVENTS.page([], 2, lambda each: each) == ([], "")
