"""Conversion of analysts' requests to values, with validation of every field against the contract."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import true

from cameo.v1 import error_reason_pb2, review_service_pb2
from cameo_credential.errors import InvalidRequestError
from cameo_verifier import profiles
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.errors import ProfileError
from cameo_verifier.review.filter_language import MAX_CHARACTERS, condition_of
from cameo_verifier.review.replay import Source
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire.cameo_input import invalid
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.store.attempts import opinions
from cameo_verifier.store.attempts.labels import MAX_NOTE, Truth
from cameo_verifier.store.cameos import suspensions
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from cameo.v1.review_service_pb2 import (
        ApproveAttemptRequest,
        DeclineAttemptRequest,
        LabelAttemptRequest,
        LiftSuspensionRequest,
        ListAttemptsRequest,
        ProfileChoice,
        SuspendCameoRequest,
    )
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Ruling

PROFILE_MAX_BYTES = 64 * 1024
_ATTEMPT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TURNS_WRITING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TOLD_CHARS = 300
"""Maximum length of an error that quotes the request: it travels in a header."""


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """An analyst's label of an attempt; `identifier` is the same whenever the same caller sends the same `request_id`."""

    identifier: str
    attempt_id: str
    truth: Truth
    species: str
    note: str
    analyst: str


def attempt_id(value: str) -> str:
    """Return an id in this server's format; no attempt has another one."""
    if not _ATTEMPT_ID.fullmatch(value):
        raise unknown_attempt()
    return value


def unknown_attempt() -> RequestError:
    """Return the error of an unknown attempt."""
    return RequestError(error_reason_pb2.ERROR_REASON_ATTEMPT_UNKNOWN, "no attempt has this id")


def kind(value: int) -> Kind:
    """Return a readable kind of evidence."""
    kinds = {
        review_service_pb2.EVIDENCE_KIND_RECORDING: Kind.RECORDING,
        review_service_pb2.EVIDENCE_KIND_TRACKS: Kind.TRACKS,
        review_service_pb2.EVIDENCE_KIND_RESULT: Kind.RESULT,
        review_service_pb2.EVIDENCE_KIND_CROPS: Kind.CROPS,
    }
    if value not in kinds:
        raise invalid("kind", "must be RECORDING, TRACKS, RESULT or CROPS")
    return kinds[value]  # type: ignore[index]  # the stub knows the members only


def source(value: int) -> Source:
    """Return the evidence an attempt is to be judged from again."""
    if value == review_service_pb2.EVIDENCE_KIND_RECORDING:
        return Source.RECORDING
    if value in {review_service_pb2.EVIDENCE_KIND_UNSPECIFIED, review_service_pb2.EVIDENCE_KIND_TRACKS}:
        return Source.TRACKS
    raise invalid("source", "must be TRACKS or RECORDING")


def reader(why: str, field: str = "why") -> Reader:
    """Return the reader, with the reason."""
    _plain(why, field)
    try:
        return Reader(current_caller().id, why)
    except InvalidRequestError as error:
        raise invalid(field, f"is refused: {error}") from None


def condition(expression: str) -> ColumnElement[bool]:
    """Return the condition of a filter; an empty filter means all attempts."""
    if not expression:
        return true()
    if len(expression) > MAX_CHARACTERS:
        raise RequestError(error_reason_pb2.ERROR_REASON_FILTER_INVALID, f"a filter has at most {MAX_CHARACTERS} characters")
    if not expression.isprintable():
        raise RequestError(
            error_reason_pb2.ERROR_REASON_FILTER_INVALID, "a filter holds only characters that can be seen, and spaces"
        )
    try:
        return condition_of(expression)
    except InvalidRequestError as error:
        raise RequestError(error_reason_pb2.ERROR_REASON_FILTER_INVALID, _told(error)) from None


def attempts_of(request: ListAttemptsRequest) -> Listing:
    """Return the list of attempts that a request is about."""
    return Listing("ListAttempts", (request.filter,))


def after(request: ListAttemptsRequest, *, now: datetime) -> tuple[datetime, str] | None:
    """Return the time and the id after which a page begins."""
    place = attempts_of(request).place(request.page_token, now=now)
    if place is not None and not _ATTEMPT_ID.fullmatch(place[1]):
        raise RefusedError(Refusal.PAGE_TOKEN_INVALID)
    return place


def said(request: LabelAttemptRequest) -> LabelRequest:
    """Return the label to add."""
    require_request_id(request.request_id)
    truths = {
        review_service_pb2.TRUTH_BONA_FIDE: Truth.BONA_FIDE,
        review_service_pb2.TRUTH_ATTACK: Truth.ATTACK,
        review_service_pb2.TRUTH_UNSURE: Truth.UNSURE,
    }
    if request.truth not in truths:
        raise invalid("truth", "must be BONA_FIDE, ATTACK or UNSURE")
    if len(request.note) > MAX_NOTE:
        raise invalid("note", f"has at most {MAX_NOTE} characters")
    _plain(request.note, "note", but="\n\t")
    analyst = current_caller().id
    return LabelRequest(
        identifier=hashlib.sha256(f"{request.request_id.lower()} {analyst}".encode()).hexdigest(),
        attempt_id=attempt_id(request.attempt_id),
        truth=truths[request.truth],
        species=request.species,
        note=request.note,
        analyst=analyst,
    )


def opinion(request: ApproveAttemptRequest | DeclineAttemptRequest, ruling: Ruling) -> opinions.OpinionRequest:
    """Return the opinion to add."""
    require_request_id(request.request_id)
    who = reader(request.reason, "reason")
    identifier = hashlib.sha256(f"{request.request_id.lower()} {who.who}".encode()).hexdigest()
    return opinions.OpinionRequest(identifier, attempt_id(request.attempt_id), ruling, who.why, who.who)


def suspension(request: SuspendCameoRequest | LiftSuspensionRequest, *, suspended: bool) -> suspensions.SuspensionRequest:
    """Return the suspension to add, or its end."""
    require_request_id(request.request_id)
    who = reader(request.reason, "reason")
    identifier = hashlib.sha256(f"{request.request_id.lower()} {who.who}".encode()).hexdigest()
    return suspensions.SuspensionRequest(identifier, _cameo_id(request.cameo_id), suspended, who.why, who.who)


def _cameo_id(value: str) -> str:
    if not _ATTEMPT_ID.fullmatch(value):
        raise RefusedError(Refusal.CAMEO_UNKNOWN)
    return value


def profile(choice: ProfileChoice, own: str) -> Profile:
    """Return the profile to judge by; only files of the package and the site's own are read, never one that a caller names.

    Args:
        choice: the caller's choice.
        own: the site's own, as `profiles.load` takes it.
    """
    ours = profiles.load(own)
    known = {name: name for name in profiles.built_in()} | {ours.name: own}
    if choice.WhichOneof("profile") == "inline":
        if len(choice.inline.encode()) > PROFILE_MAX_BYTES:
            raise RequestError(error_reason_pb2.ERROR_REASON_PROFILE_INVALID, f"a profile has at most {PROFILE_MAX_BYTES} bytes")
        try:
            return profiles.parse(choice.inline, known=known, extends=ours.name)
        except ProfileError as error:
            raise RequestError(error_reason_pb2.ERROR_REASON_PROFILE_INVALID, _told(error)) from None
    name = choice.name or ours.name
    if name not in known:
        raise RequestError(
            error_reason_pb2.ERROR_REASON_PROFILE_UNKNOWN, f"the profiles of this server are {', '.join(sorted(known))}"
        )
    return profiles.load(known[name])


def _plain(text: str, field: str, *, but: str = "") -> None:
    """Refuse control characters and bidirectional overrides, which would misrepresent the text in a log or on a page."""
    if any((unicodedata.category(each) in {"Cc", "Zl", "Zp"} and each not in but) or each in _TURNS_WRITING for each in text):
        raise invalid(field, "holds control characters, or some that turn the direction of writing around")


def _told(error: Exception) -> str:
    return str(error)[:_TOLD_CHARS]
