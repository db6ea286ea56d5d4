"""The longest tokens the issuer makes are within the limits its readers enforce."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo.v1.cameo_service_pb2 import UpdateCameoRequest
from cameo_credential import envelope, grant_token
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import MAX_DIMENSION, Embedding, OwnerTerms, StatusReference
from cameo_credential.encoding import from_json, to_json
from cameo_credential.grant_token import open_grant, sign_grant
from cameo_credential.status_list import StatusList, publish
from cameo_credential.status_source import MAX_LIST_BYTES
from cameo_verifier.cameo.grants import compose
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Grant, Terms, UseCategory
from cameo_verifier.cameo.permissions import WORDS_MAX
from cameo_verifier.server.wire.cameo_input import ID_MAX_CHARS, NOTE_MAX_CHARS, WORD_MAX_CHARS, changed_terms
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from conftest import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GENERATOR = "https://generator.example"
CHARACTERS = ("\U0001f3ad", "\x01", '"', "é")
"""An emoji, the character with the longest escape, one that is escaped always, and one that need not be."""


def longest_terms(character: str) -> Terms:
    """Return the longest terms that the server accepts of an owner."""
    note = character * NOTE_MAX_CHARS
    asked = UpdateCameoRequest()
    asked.cameo.restrictions.words.extend([character * WORD_MAX_CHARS] * WORDS_MAX)
    asked.cameo.appearance_notes = asked.cameo.voice_notes = note
    asked.update_mask.paths.extend(["restrictions", "appearance_notes", "voice_notes"])
    terms = changed_terms(asked)(Terms())
    return Terms(
        words=terms.words,
        categories=frozenset(UseCategory),
        appearance_notes=terms.appearance_notes,
        voice_notes=terms.voice_notes,
    )


def longest_embedding(name: str) -> Embedding:
    """Return an embedding of the most values there may be."""
    return Embedding(name, "0" * 64, np.full(MAX_DIMENSION, MAX_DIMENSION**-0.5, np.float32))


@pytest.mark.parametrize("character", CHARACTERS)
def test_the_longest_credential_is_opened(world: World, character: str) -> None:
    """The longest words, notes and names with the largest embeddings: the credential is opened, word for word."""
    terms = longest_terms(character)
    said = OwnerTerms("0" * 64, terms.words, tuple(sorted(terms.categories)), (terms.appearance_notes, terms.voice_notes))
    name = f"https://{'a' * (ID_MAX_CHARS - len('https://'))}"
    key = AudienceKey.generate(name)

    issued = world.issue(
        audience_key=key.public(),
        face=longest_embedding("face"),
        voice=longest_embedding("voice"),
        status=StatusReference(2**24, f"https://{'a' * 400}/status/1"),
        terms=said,
    )

    assert len(issued.credential) <= envelope.MAX_TOKEN_CHARS
    said = replace(said, consent_sha256=world.pairwise.digest(said.consent_sha256, name))
    assert world.open(issued.credential, audience_key=key, expected_audience=name).terms == said
    place = StatusReference(2**24, f"https://{'a' * 400}/status/1")
    receipt = world.receipt(audience=name, status=place)
    assert world.open_receipt(receipt, expected_audience=name).status == place


@pytest.mark.parametrize("character", CHARACTERS)
def test_the_longest_grant_is_opened(world: World, character: str) -> None:
    """As many cameos as a job may ever use, each with the longest words of its owner."""
    [most] = [limit.le for limit in Settings.model_fields["job_cameos"].metadata if hasattr(limit, "le")]
    terms, consent = longest_terms(character), Consent("1", "en", NOW, "0" * 64)
    cameos = [
        Cameo(f"{number:036}", "owner", "a", CameoState.CAMEO_ACTIVE, terms, False, consent, 1, NOW, NOW, "")  # noqa: FBT003
        for number in range(most)
    ]
    named = "x" * ID_MAX_CHARS
    granted = Grant("0" * 36, GENERATOR, named, named, tuple(each.id for each in cameos), frozenset(), NOW, NOW + timedelta(1))

    token = sign_grant(compose(granted, cameos, issuer=f"https://{'a' * 400}", pairwise=world.pairwise), keys=world.keys)
    facts = open_grant(
        token,
        issuer_keys=world.keys.public(),
        expected_audience=GENERATOR,
        expected_issuer=f"https://{'a' * 400}",
        now=NOW,
    )

    assert {words for words, _ in facts.restrictions.values()} == {terms.words}
    assert len(facts.restrictions) == most


def test_a_token_beyond_the_readers_limit_is_not_given_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issuer refuses its own token rather than give out what no reader takes."""
    monkeypatch.setattr(envelope, "MAX_TOKEN_CHARS", 1000)
    monkeypatch.setattr(grant_token, "MAX_TOKEN_CHARS", 100)
    with pytest.raises(RuntimeError, match="more than the 1000 that readers take"):
        world.issue(audience_key=AudienceKey.generate(GENERATOR).public())
    granted = Grant("grant-1", GENERATOR, "fan", "job-1", (), frozenset(), NOW, NOW + timedelta(1))
    with pytest.raises(RuntimeError, match="more than the 100 that readers take"):
        sign_grant(compose(granted, (), issuer="https://issuer.example", pairwise=world.pairwise), keys=world.keys)


def test_the_longest_status_list_is_fetched(world: World) -> None:
    """A list of the largest capacity that a site may set, with statuses that cannot be compressed."""
    [most] = [limit.le for limit in Settings.model_fields["status_capacity"].metadata if hasattr(limit, "le")]
    statuses = StatusList.of(np.random.default_rng(5).integers(0, 4, most).astype(np.uint8))
    lasts = timedelta(minutes=10)

    listed = publish(statuses, uri="https://issuer.example/status/1", keys=world.keys, now=NOW, ttl=lasts, lifetime=lasts)

    assert len(listed) <= MAX_LIST_BYTES


@pytest.mark.parametrize("text", ["é\U0001f3ad", "\x01\x7f\u2028", '"\\/'])
def test_json_has_no_needless_escapes(text: str) -> None:
    """What is written is UTF-8, shorter than ASCII with escapes, and any reader of JSON reads it."""
    written = to_json({"word": text})

    assert json.loads(written) == from_json(written) == {"word": text}
    assert len(written) <= len(json.dumps({"word": text}, separators=(",", ":")).encode())


def test_half_a_surrogate_pair_is_no_text() -> None:
    """What has no form in UTF-8 is refused by the writer."""
    with pytest.raises(ValueError, match="surrogates"):
        to_json({"word": "\ud83c"})
