"""Hints in the languages of the capture page."""

from __future__ import annotations

import json
import re

import pytest

from cameo.v1 import attempt_pb2, reason_pb2
from cameo.v1.attempt_pb2 import Attempt
from cameo.v1.verification_service_pb2 import VerifyResponseResponse
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.server.capture_page.hints import TOLD, WORDS, hint_in
from cameo_verifier.server.wire import session_convert

LANGUAGES = {path.stem: json.loads(path.read_text("utf-8")) for path in WORDS.glob("*.json")}
TAGS = sorted(LANGUAGES)


def keys(texts: object, name: str = "") -> set[str]:
    """Return the paths of all texts."""
    if not isinstance(texts, dict):
        return {name}
    return {path for key, value in texts.items() for path in keys(value, f"{name}/{key}")}


def test_english_hints_are_those_of_the_reasons() -> None:
    """Every reason of a verdict has its text, in its order, and no other reason has one."""
    assert LANGUAGES["en"]["hints"] == {f"REASON_{reason}": reason.hint for reason in TOLD}
    assert set(LANGUAGES["en"]["hints"]) < set(reason_pb2.Reason.keys())


@pytest.mark.parametrize("tag", TAGS)
def test_each_language_has_each_text(tag: str) -> None:
    """No language lacks a text of the page or a hint, or has one that is not used."""
    assert keys(LANGUAGES[tag]) == keys(LANGUAGES["en"])
    assert all(LANGUAGES[tag]["hints"].values())


@pytest.mark.parametrize("tag", TAGS)
def test_a_hint_is_one_sentence_in_every_language_where_it_is_in_english(tag: str) -> None:
    """Reasons share a hint in all languages or in none: a translation tells attacks no better apart than English does."""
    hints = LANGUAGES[tag]["hints"]
    alike = {(one, other): one.hint == other.hint for one in TOLD for other in TOLD}
    assert {(a, b): hints[f"REASON_{a}"] == hints[f"REASON_{b}"] for a, b in alike} == alike
    assert all(re.search(r"[.。।]$", hint) for hint in hints.values())


@pytest.mark.parametrize(
    ("language", "wanted"), [("de", "de"), ("de-AT", "de"), ("PT-br", "pt"), ("en", "en"), ("ru", "en"), ("", "en")]
)
def test_a_hint_names_its_language(language: str, wanted: str) -> None:
    """That of the session, or English where there is none."""
    text, named = hint_in(Reason.TOO_DARK, language)
    assert (text, named) == (LANGUAGES[wanted]["hints"]["REASON_TOO_DARK"], wanted)
    assert hint_in(Reason.CHALLENGE_SPENT, language) == (Reason.CHALLENGE_SPENT.hint, "en")
    assert Reason.CHALLENGE_SPENT.kind is Kind.LIFECYCLE


def test_the_result_of_a_session_is_in_its_language() -> None:
    """By the first reason; without a hint there is no language."""
    attempt = Attempt(
        verdict=attempt_pb2.VERDICT_RETRY,
        reasons=[reason_pb2.REASON_BLURRED, reason_pb2.REASON_TOO_DARK],
        hint=Reason.BLURRED.hint,
    )
    reply = VerifyResponseResponse(attempt=attempt)
    told = session_convert.result(reply, language="fr", may_retry=True).result
    assert (told.hint, told.hint_language, told.again) == (LANGUAGES["fr"]["hints"]["REASON_BLURRED"], "fr", True)
    accepted = VerifyResponseResponse(attempt=Attempt(verdict=attempt_pb2.VERDICT_ACCEPTED))
    told = session_convert.result(accepted, language="fr", may_retry=True).result
    assert (told.hint, told.hint_language, told.again) == ("", "", False)
