"""Conversion of requests about cameos to values, with validation of every field against the contract."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cameo.v1 import cameo_pb2, error_reason_pb2
from cameo.v1.guardian_service_pb2 import NarrowCameoRequest
from cameo_credential.item_kind import ItemKind
from cameo_verifier.cameo.model import EXCLUDABLE, OutputState, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import WORDS_MAX
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.store.cameos.uses import Job, ReportedOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from google.protobuf.timestamp_pb2 import Timestamp

    from cameo.v1.cameo_pb2 import Cameo, Consent, Output
    from cameo.v1.cameo_service_pb2 import AuthorizeUseRequest, UpdateCameoRequest

ID_MAX_CHARS = 128
NOTE_MAX_CHARS = 500
WORD_MAX_CHARS = 200
SELECTED_MAX = 1000
GENERATORS_MAX = 100
PAGE_DEFAULT, PAGE_MAX = 50, 200
_MANIFEST_MAX_CHARS = 256
_SHA256 = re.compile(r"[0-9a-f]{64}")


def invalid(field: str, message: str) -> RequestError:
    """Return the error of an invalid field."""
    return RequestError(error_reason_pb2.ERROR_REASON_REQUEST_INVALID, f"`{field}` {message}", metadata={"field": field})


def user(value: str, field: str) -> str:
    """Return the app's id of a person, or a generator's of a job, if it is valid."""
    if not 1 <= len(value) <= ID_MAX_CHARS or not value.isprintable() or any(map(str.isspace, value)):
        raise invalid(field, f"must have 1 to {ID_MAX_CHARS} printable characters and no white space")
    return value


def note(value: str, field: str) -> str:
    """Return an owner's text, if it is short enough."""
    if len(value) > NOTE_MAX_CHARS:
        raise invalid(field, f"has at most {NOTE_MAX_CHARS} characters")
    return value


def categories(values: Iterable[int], field: str) -> frozenset[UseCategory]:
    """Return categories that an owner excludes."""
    found = _categories(values, field)
    if not found <= EXCLUDABLE:
        raise invalid(field, "holds a category that cannot be excluded")
    return found


def purposes(values: Iterable[int], field: str = "purposes") -> frozenset[UseCategory]:
    """Return the declared categories of a use."""
    found = _categories(values, field)
    if not found:
        raise invalid(field, "must say what the use is about: USE_CATEGORY_GENERAL where no other category fits")
    if UseCategory.GENERAL in found and len(found) > 1:
        raise invalid(field, "holds USE_CATEGORY_GENERAL, which stands alone, beside others")
    return found


def _categories(values: Iterable[int], field: str) -> frozenset[UseCategory]:
    try:
        return frozenset(UseCategory[short_name(cameo_pb2.UseCategory, value)] for value in values)
    except (KeyError, ValueError):
        raise invalid(field, "holds a category this server does not know") from None


def consent(message: Consent) -> tuple[str, str, datetime, str]:
    """Return text version, locale, time and hex sha256 of the text of a consent."""
    if not 1 <= len(message.text_version) <= 64:
        raise invalid("consent.text_version", "must have 1 to 64 characters")
    if not re.fullmatch(r"[A-Za-z0-9-]{2,35}", message.locale):
        raise invalid("consent.locale", "must be a BCP 47 tag")
    if not message.HasField("agree_time"):
        raise invalid("consent.agree_time", "is missing")
    if not _SHA256.fullmatch(message.text_sha256):
        raise invalid("consent.text_sha256", "must be 64 lower-case hex digits")
    return message.text_version, message.locale, _time(message.agree_time), message.text_sha256


def _time(value: Timestamp) -> datetime:
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError):
        raise invalid("consent.agree_time", "is out of range") from None


def job(request: AuthorizeUseRequest, *, audience: str, requester: Callable[[str], str], at_most: int) -> Job:
    """Return the job that a generator requests permission for; `requester` returns the verified requester of a job id."""
    require_request_id(request.request_id)
    cameo_ids = tuple(request.cameo_ids)
    if not cameo_ids or len(set(cameo_ids)) != len(cameo_ids):
        raise invalid("cameo_ids", "must name at least one cameo, each once")
    if len(cameo_ids) > at_most:
        raise RequestError(
            error_reason_pb2.ERROR_REASON_TOO_MANY_CAMEOS,
            f"a job uses at most {at_most} cameos",
            metadata={"at_most": str(at_most)},
        )
    return Job(
        audience=audience,
        request_id=request.request_id.lower(),
        requester=requester(user(request.job_id, "job_id")),
        job_id=request.job_id,
        cameo_ids=cameo_ids,
        purposes=purposes(request.purposes),
    )


def made(output: Output) -> ReportedOutput:
    """Return the output that a generator reports."""
    if not _SHA256.fullmatch(output.sha256):
        raise invalid("output.sha256", "must be 64 lower-case hex digits")
    if len(output.c2pa_manifest_id) > _MANIFEST_MAX_CHARS:
        raise invalid("output.c2pa_manifest_id", f"has at most {_MANIFEST_MAX_CHARS} characters")
    if output.state not in {cameo_pb2.OUTPUT_STATE_DRAFT, cameo_pb2.OUTPUT_STATE_PUBLISHED}:
        raise invalid("output.state", "must be OUTPUT_STATE_DRAFT or OUTPUT_STATE_PUBLISHED")
    state = OutputState[short_name(cameo_pb2.OutputState, output.state)]
    platform = user(output.platform, "output.platform") if output.platform else ""
    return ReportedOutput(output.sha256, output.c2pa_manifest_id, state, user(output.creator, "output.creator"), platform)


def changed_terms(request: UpdateCameoRequest | NarrowCameoRequest) -> Callable[[Terms], Terms]:
    """Return the change of terms that a request asks for, as a function."""
    given = request.cameo
    fields = _CHANGES.keys() - (_NOTES if isinstance(request, NarrowCameoRequest) else set())
    paths = set(request.update_mask.paths)
    if not paths or not paths <= fields:
        raise invalid("update_mask", f"must name at least one of {', '.join(sorted(fields))}, and nothing else")
    changes = [_CHANGES[path](given) for path in sorted(paths)]

    def change(terms: Terms) -> Terms:
        for each in changes:
            terms = replace(terms, **each)  # type: ignore[arg-type]  # each holds fields of `Terms` with their values
        return terms

    return change


def terms(given: Cameo) -> Terms:
    """Return the terms in a request; absent ones are those of a cameo that is created without any."""
    left_out = {"who_may_use"} if given.who_may_use == cameo_pb2.WHO_MAY_USE_UNSPECIFIED else set()
    if not given.HasField("generators"):
        left_out.add("generators")
    if not given.items:
        left_out.add("items")
    asked = Terms()
    for path in sorted(_CHANGES.keys() - left_out):
        asked = replace(asked, **_CHANGES[path](given))  # type: ignore[arg-type]  # as in `changed_terms`
    return asked


def _who(given: Cameo) -> dict[str, object]:
    try:
        return {"who": WhoMayUse[short_name(cameo_pb2.WhoMayUse, given.who_may_use)]}
    except (KeyError, ValueError):
        raise invalid("cameo.who_may_use", "must be one of its values") from None


def _selected(given: Cameo) -> dict[str, object]:
    if len(given.selected_users) > SELECTED_MAX:
        raise invalid("cameo.selected_users", f"has at most {SELECTED_MAX} entries")
    return {"selected": frozenset(user(each, "cameo.selected_users") for each in given.selected_users)}


def _restrictions(given: Cameo) -> dict[str, object]:
    words = tuple(given.restrictions.words)
    if len(words) > WORDS_MAX or not all(1 <= len(each) <= WORD_MAX_CHARS for each in words):
        raise invalid("cameo.restrictions.words", f"has at most {WORDS_MAX} entries of 1 to {WORD_MAX_CHARS} characters")
    return {"words": words, "categories": categories(given.restrictions.categories, "cameo.restrictions.categories")}


def _generators(given: Cameo) -> dict[str, object]:
    names = given.generators.names
    if given.generators.every_registered and names:
        raise invalid("cameo.generators.names", "must be empty with every_registered")
    audiences = _audiences(names, "cameo.generators.names")
    return {"generators": None if given.generators.every_registered else audiences}


def _audiences(names: Collection[str], field: str) -> frozenset[str]:
    if len(names) > GENERATORS_MAX or not all(1 <= len(name) <= ID_MAX_CHARS and name.isprintable() for name in names):
        raise invalid(field, f"has at most {GENERATORS_MAX} entries of 1 to {ID_MAX_CHARS} characters")
    return frozenset(names)


def _items(given: Cameo) -> dict[str, object]:
    try:
        return {"items": frozenset(ItemKind[short_name(cameo_pb2.ItemKind, value)] for value in given.items)}
    except (KeyError, ValueError):
        raise invalid("cameo.items", "holds a kind this server does not know") from None


_CHANGES: dict[str, Callable[[Cameo], dict[str, object]]] = {
    "who_may_use": _who,
    "selected_users": _selected,
    "restrictions": _restrictions,
    "generators": _generators,
    "items": _items,
    "offline_audiences": lambda given: {"offline": _audiences(given.offline_audiences, "cameo.offline_audiences")},
    "appearance_notes": lambda given: {"appearance_notes": note(given.appearance_notes, "cameo.appearance_notes")},
    "voice_notes": lambda given: {"voice_notes": note(given.voice_notes, "cameo.voice_notes")},
}


_NOTES = {"appearance_notes", "voice_notes"}


def page_size(value: int) -> int:
    """Return the number of rows per page."""
    if value < 0:
        raise invalid("page_size", "must not be negative")
    return min(value or PAGE_DEFAULT, PAGE_MAX)
