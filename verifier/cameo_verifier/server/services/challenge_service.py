"""`cameo.v1.ChallengeService`: issues challenges."""

from __future__ import annotations

import asyncio
from random import SystemRandom
from typing import TYPE_CHECKING

from cameo.v1 import challenge_service_pb2_grpc, error_reason_pb2
from cameo_challenges.issue import Recipe, entropy_bits, issue, recipe_in
from cameo_challenges.languages import DEFAULT, UnknownLanguageError
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.server.wire import convert
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.workers.sandbox import outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime, timedelta

    import grpc

    from cameo.v1 import challenge_pb2
    from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
    from cameo_challenges.wordless import WordlessRecipe
    from cameo_verifier.store.attempts.challenges import ChallengeStore

SUBJECT_MAX_CHARS = 128


class ChallengeService(challenge_service_pb2_grpc.ChallengeServiceServicer):
    """Issues challenges and stores them."""

    def __init__(
        self,
        *,
        store: ChallengeStore,
        ttl: timedelta,
        clock: Callable[[], datetime],
        languages: Collection[str],
        sandbox: bool = False,
    ) -> None:
        """Keep the parts.

        Args:
            store: stores challenges.
            ttl: the time for which one can be answered.
            clock: returns the time in UTC.
            languages: tags of those in which this site judges speech.
            sandbox: True refuses subjects that name no outcome of the sandbox.
        """
        self._sandbox = sandbox
        self._languages = languages
        self._store = store
        self._ttl = ttl
        self._clock = clock
        self._random = SystemRandom()

    async def IssueChallenge(  # noqa: N802 - the contract's name
        self,
        request: IssueChallengeRequest,
        context: grpc.aio.ServicerContext[IssueChallengeRequest, challenge_pb2.Challenge],  # noqa: ARG002 - grpc passes it
    ) -> challenge_pb2.Challenge:
        """Issue a challenge, or return the one that this request got before."""
        require_subject(request.subject)
        if self._sandbox:
            require_outcome(request.subject)
        if request.request_id:
            require_request_id(request.request_id)
        recipe = recipe_of(request.language, self._languages)
        fresh = issue(rng=self._random, now=self._clock(), ttl=self._ttl, recipe=recipe)
        kept = await asyncio.to_thread(self._store.add, fresh, subject=request.subject, request_id=request.request_id)
        return convert.challenge(kept, entropy_bits=entropy_bits(recipe_in(kept.language)))


def recipe_of(language: str, judged: Collection[str]) -> Recipe | WordlessRecipe:
    """Return the recipe of a language by its tag, of the default one by an empty tag.

    Args:
        language: its tag, or an empty one.
        judged: the tags of those in which speech is judged.

    Raises:
        RequestError: `LANGUAGE_UNKNOWN`: there is no such language, or speech in it is not judged.
    """
    tag = language or DEFAULT
    try:
        recipe = recipe_in(tag)
    except UnknownLanguageError as error:
        raise RequestError(error_reason_pb2.ERROR_REASON_LANGUAGE_UNKNOWN, f"`language`: {error}") from None
    if tag not in judged:
        told = f"`language`: speech in {tag!r} is not judged here; it is in {', '.join(sorted(judged))}"
        raise RequestError(error_reason_pb2.ERROR_REASON_LANGUAGE_UNKNOWN, told)
    return recipe


def require_outcome(subject: str) -> None:
    """Check that a subject of a sandbox names an outcome.

    Raises:
        RequestError: `SUBJECT_INVALID`.
    """
    try:
        outcome_of(subject)
    except InvalidRequestError as error:
        raise RequestError(error_reason_pb2.ERROR_REASON_SUBJECT_INVALID, f"`subject`: {error}") from None


def require_subject(subject: str) -> None:
    """Check the app's id of a person.

    Raises:
        RequestError: `SUBJECT_INVALID`.
    """
    if not 1 <= len(subject) <= SUBJECT_MAX_CHARS or not subject.isprintable() or any(map(str.isspace, subject)):
        raise RequestError(
            error_reason_pb2.ERROR_REASON_SUBJECT_INVALID,
            f"`subject` must have 1 to {SUBJECT_MAX_CHARS} printable characters and no white space",
        )
