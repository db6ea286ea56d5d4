"""Composition of the claims of a credential. No key, clock or random source is used here.

Registered names (RFC 7519) come first; all private claims are under one name, `NAMESPACE`. `sub` is a pseudonym per audience (see
`pairwise`), `aud` is exactly one string, and times are whole seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_credential.capture_assurance import CaptureAssurance
from cameo_credential.encoding import from_base64url, to_base64url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.arrays import F32
    from cameo_credential.pairwise import PairwiseKey

NAMESPACE = "urn:cameo:identity:1"
"""The private claim; its number changes when a reader of the old form would misread the new one."""

MAX_DIMENSION = 4096
"""Values an embedding has at most, a limit against strangers. How many there are is the model's, and `dim` says it."""
EMBEDDING_DTYPE = "float16-le"
EMBEDDING_NORMALISATION = "l2"

NORM_TOLERANCE = 1e-3
"""Maximum deviation from 1 of a decoded embedding's length.

Rounding to float16 changes each value by at most 2**-11 of itself (IEEE 754 binary16, 11 significant bits), and the length by no
more than that, 4.9e-4, plus the loss below 6e-8.
"""


FIRST_PATH = "speech_and_turns"
"""The only kind of challenge at first, when tokens did not say which."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """An identity vector and its model: `vector` is (D,) float32 of unit length, `model_sha256` hex."""

    model: str
    model_sha256: str
    vector: F32 = field(repr=False)


@dataclass(frozen=True, slots=True)
class Provenance:
    """The provenance of an identity: how it was established.

    Attributes:
        cameo_id, attempt_id, challenge_id: the same in every credential of a cameo: audiences that compare them can link the
            pseudonyms.
        models: model id to hex sha256 of its file.
        profile, profile_sha256: name and digest of the thresholds.
        evidence_sha256: digest of the recording.
        confirmed: names of the checks that passed, never a score.
        path: the kind of challenge that was answered, `speech_and_turns` of a token from before there were others.
        capture: what vouches for the capture, nothing in a token from before this was said.
        minor_safeguards: True if the person may be a minor: whoever uses the likeness must treat it as a minor's.
    """

    cameo_id: str
    attempt_id: str
    challenge_id: str
    models: Mapping[str, str]
    profile: str
    profile_sha256: str
    evidence_sha256: str
    confirmed: tuple[str, ...]
    minor_safeguards: bool
    path: str = FIRST_PATH
    capture: CaptureAssurance = CaptureAssurance.NONE


@dataclass(frozen=True, slots=True)
class StatusReference:
    """The location of the credential's status: an index in a Token Status List (IETF draft-ietf-oauth-status-list)."""

    index: int
    uri: str


@dataclass(frozen=True, slots=True)
class OwnerTerms:
    """The consent and the terms of the owner of the likeness; empty values are not in the claims.

    consent_sha256: of the consent record, hex. restrictions and restricted_categories: what it must not be used for, in the
    owner's words and by name. appearance_notes: how the person is to be shown and named.
    """

    consent_sha256: str = ""
    restrictions: tuple[str, ...] = ()
    restricted_categories: tuple[str, ...] = ()
    appearance_notes: tuple[str, ...] = ()


NO_TERMS = OwnerTerms()


def compose(  # noqa: PLR0913 - a credential says this much, each by name
    *,
    issuer: str,
    subject: str,
    audience: str,
    pairwise: PairwiseKey,
    now: datetime,
    ttl: timedelta,
    not_after: datetime,
    jti: str,
    provenance: Provenance,
    face: Embedding,
    voice: Embedding | None,
    status: StatusReference | None = None,
    terms: OwnerTerms = NO_TERMS,
) -> dict[str, Any]:
    """Return the claims of a credential.

    Args:
        issuer: `iss`.
        subject: the account; only its pseudonym for `audience` enters the claims.
        audience: `aud`.
        pairwise: the key of the pseudonyms.
        now: start of validity, rounded down to the second.
        ttl: period of validity.
        not_after: expiry of the signing key, which limits the validity.
        jti: the credential's own id.
        provenance: how the identity was established.
        face: the face embedding.
        voice: the voice embedding, None of a person who was not asked to speak.
        status: location of its status, if there is a list.
        terms: the owner's terms.

    Raises:
        RuntimeError: a bug of ours: an embedding is not (D,) finite of unit length, an id is empty, or no validity is left.
    """
    if not all((provenance.attempt_id, provenance.challenge_id, provenance.cameo_id)):
        raise RuntimeError("a credential names its cameo, attempt and challenge")
    claims = compose_registered(
        issuer=issuer,
        subject=subject,
        audience=audience,
        pairwise=pairwise,
        now=now,
        ttl=ttl,
        not_after=not_after,
        jti=jti,
        status=status,
    )
    claims[NAMESPACE] = {
        "cameo": pairwise.alias(provenance.cameo_id, audience),
        "attempt": pairwise.alias(provenance.attempt_id, audience),
        "challenge": pairwise.alias(provenance.challenge_id, audience),
        "models": dict(provenance.models),
        "profile": {"name": provenance.profile, "sha256": provenance.profile_sha256},
        "evidence": {"sha256": pairwise.digest(provenance.evidence_sha256, audience)},
        "liveness": {"path": provenance.path, "capture": provenance.capture.value, "confirmed": list(provenance.confirmed)},
        "minor_safeguards": provenance.minor_safeguards,
        "offline": True,
        **_terms(terms, consent=pairwise.digest(terms.consent_sha256, audience) if terms.consent_sha256 else ""),
        "face": _embedding(face),
        **({"voice": _embedding(voice)} if voice else {}),
    }
    return claims


def compose_registered(
    *,
    issuer: str,
    subject: str,
    audience: str,
    pairwise: PairwiseKey,
    now: datetime,
    ttl: timedelta,
    not_after: datetime,
    jti: str,
    status: StatusReference | None,
) -> dict[str, Any]:
    """Return the registered claims of a credential or a receipt; see `compose` for the arguments.

    Raises:
        RuntimeError: a bug of ours: a name or id is empty, or no validity is left.
    """
    start = int(now.timestamp())
    end = min(start + int(ttl.total_seconds()), int(not_after.timestamp()))
    if end <= start:
        raise RuntimeError("a token would have no validity: its signing key has ended, or the lifetime is not positive")
    if not all((issuer, subject, audience, jti)):
        raise RuntimeError("a token names its issuer, subject, audience and id")
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": pairwise.pseudonym(subject, audience),
        "aud": audience,
        "iat": start,
        "nbf": start,
        "exp": end,
        "jti": jti,
    }
    if status is not None:
        claims["status"] = {"status_list": {"idx": status.index, "uri": status.uri}}
    return claims


@dataclass(frozen=True, slots=True)
class Registered:
    """The registered claims of a token, parsed.

    Attributes:
        issuer: `iss`.
        subject: `sub`, a pseudonym.
        audience: `aud`.
        jti: the token's id.
        issued_at, not_before: times in UTC.
        expires_at: the first moment at which the token is no longer valid.
        status: location of its status, None if there is no list.
    """

    issuer: str
    subject: str
    audience: str
    jti: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    status: StatusReference | None


def read_registered(claims: Mapping[str, Any]) -> Registered:
    """Return the registered claims.

    Raises:
        ValueError: a claim is missing or of another type; `aud` must be one string.
    """
    status = claims.get("status")
    return Registered(
        issuer=text(claims, "iss"),
        subject=text(claims, "sub"),
        audience=text(claims, "aud"),
        jti=text(claims, "jti"),
        issued_at=_time(claims, "iat"),
        not_before=_time(claims, "nbf"),
        expires_at=_time(claims, "exp"),
        status=None if status is None else _status(status),
    )


def read_provenance(claims: Mapping[str, Any]) -> Provenance:
    """Return the provenance.

    Raises:
        ValueError: the private claim is missing or malformed.
    """
    identity = member(claims, NAMESPACE)
    profile = member(identity, "profile")
    models = member(identity, "models")
    liveness = member(identity, "liveness")
    confirmed = liveness.get("confirmed")
    if not isinstance(confirmed, list) or not all(isinstance(name, str) for name in confirmed):
        raise ValueError("'confirmed' is not a list of strings")
    minor_safeguards = identity.get("minor_safeguards")
    if not isinstance(minor_safeguards, bool):
        raise ValueError("'minor_safeguards' is missing or not a boolean")  # noqa: TRY004 - the token's fault, not a caller's type
    if identity.get("offline") is not True:
        raise ValueError("'offline' is not true: a credential says that it is to be held")
    return Provenance(
        cameo_id=text(identity, "cameo"),
        attempt_id=text(identity, "attempt"),
        challenge_id=text(identity, "challenge"),
        models={model: text(models, model) for model in models},
        profile=text(profile, "name"),
        profile_sha256=text(profile, "sha256"),
        evidence_sha256=text(member(identity, "evidence"), "sha256"),
        confirmed=tuple(confirmed),
        minor_safeguards=minor_safeguards,
        path=read_path(liveness),
        capture=read_capture(liveness),
    )


def read_path(document: Mapping[str, Any]) -> str:
    """Return the kind of challenge in `path`.

    Raises:
        ValueError: it is not a text.
    """
    return text(document, "path") if "path" in document else FIRST_PATH


def read_capture(document: Mapping[str, Any]) -> CaptureAssurance:
    """Return what vouches for the capture, in `capture`.

    Raises:
        ValueError: it is none of the known values.
    """
    return CaptureAssurance(text(document, "capture")) if "capture" in document else CaptureAssurance.NONE


def read_terms(claims: Mapping[str, Any]) -> OwnerTerms:
    """Return the owner's terms; absent ones are empty.

    Raises:
        ValueError: they are malformed.
    """
    identity = member(claims, NAMESPACE)
    restrictions = member(identity, "restrictions") if "restrictions" in identity else {}
    return OwnerTerms(
        consent_sha256=text(member(identity, "consent"), "sha256") if "consent" in identity else "",
        restrictions=texts(restrictions, "words"),
        restricted_categories=texts(restrictions, "categories"),
        appearance_notes=texts(identity, "appearance_notes"),
    )


def read_voice(claims: Mapping[str, Any]) -> Embedding | None:
    """Return the voice embedding; None of a credential without one; errors as `read_embedding`."""
    return read_embedding(claims, "voice") if "voice" in member(claims, NAMESPACE) else None


def read_embedding(claims: Mapping[str, Any], which: str) -> Embedding:
    """Return the ``"face"`` or ``"voice"`` embedding, normalised again to unit length in float32.

    Raises:
        ValueError: missing, of an unknown layout, or not of unit length.
    """
    document = member(member(claims, NAMESPACE), which)
    dimension = document.get("dim")
    layout = (document.get("dtype"), document.get("normalisation"))
    if layout != (EMBEDDING_DTYPE, EMBEDDING_NORMALISATION):
        raise ValueError(f"the layout of the {which} embedding is unknown: {layout}")
    # bool is an int to Python, not to us.
    if type(dimension) is not int or not 1 <= dimension <= MAX_DIMENSION:
        raise ValueError(f"'dim' of the {which} embedding is not a number from 1 to {MAX_DIMENSION}")
    data = from_base64url(text(document, "data"))
    if len(data) != 2 * dimension:
        raise ValueError(f"the {which} embedding has {len(data)} bytes, not {2 * dimension}")
    vector = np.frombuffer(data, dtype="<f2").astype(np.float32)
    return Embedding(
        model=text(document, "model"),
        model_sha256=text(document, "model_sha256"),
        vector=vector / np.float32(_length(vector, which)),
    )


def _terms(terms: OwnerTerms, *, consent: str) -> dict[str, Any]:
    restrictions = {"words": list(terms.restrictions), "categories": list(terms.restricted_categories)}
    members = {
        "consent": {"sha256": consent} if consent else None,
        "restrictions": {name: given for name, given in restrictions.items() if given},
        "appearance_notes": list(terms.appearance_notes),
    }
    return {name: member for name, member in members.items() if member}


def _embedding(embedding: Embedding) -> dict[str, Any]:
    vector = embedding.vector
    if vector.ndim != 1 or not 1 <= vector.size <= MAX_DIMENSION:
        raise RuntimeError(f"an embedding has shape (D,), D from 1 to {MAX_DIMENSION}, not {vector.shape}")
    try:
        _length(vector, embedding.model)
    except ValueError as error:
        raise RuntimeError(str(error)) from None
    return {
        "model": embedding.model,
        "model_sha256": embedding.model_sha256,
        "dim": vector.size,
        "dtype": EMBEDDING_DTYPE,
        "normalisation": EMBEDDING_NORMALISATION,
        "data": to_base64url(vector.astype("<f2").tobytes()),
    }


def _length(vector: F32, which: str) -> float:
    wide = vector.astype(np.float64)
    length = math.sqrt(float(wide @ wide))
    # This form refuses NaN too.
    if not abs(length - 1.0) <= NORM_TOLERANCE:
        raise ValueError(f"the {which} embedding is not of unit length")
    return length


def text(document: Mapping[str, Any], name: str) -> str:
    """Return a member that is a string and not empty; otherwise `ValueError`, as below."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name!r} is missing or not a string")
    return value


def texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a member that is a list of strings; empty if it is not there."""
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name!r} is not a list of strings")
    return tuple(value)


def member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that is an object."""
    value = document.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{name!r} is missing or not an object")  # noqa: TRY004 - the token's fault, not a caller's type
    return value


def _time(document: Mapping[str, Any], name: str) -> datetime:
    value = document.get(name)
    # In Python bool is an int; here it is not.
    if type(value) is not int:
        raise ValueError(f"{name!r} is missing or not whole seconds")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError):
        raise ValueError(f"{name!r} is out of range") from None


def _status(status: object) -> StatusReference:
    if not isinstance(status, dict):
        raise ValueError("'status' is not an object")  # noqa: TRY004 - the same
    reference = member(status, "status_list")
    index = reference.get("idx")
    if type(index) is not int or index < 0:
        raise ValueError("'idx' is not an index")
    return StatusReference(index, text(reference, "uri"))
