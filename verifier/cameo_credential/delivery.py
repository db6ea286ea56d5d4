"""Delivery of a likeness for one job: a signed token of one cameo's items, encrypted to the audience, bound to grant and job.

It is made when a grant is spent, under the owner's terms in force then, and is short-lived: it is to be opened at once. A pause
or an end of the cameo is a refusal to deliver, not a request to forget. Pictures and sound are detached, see `media_items`.

What `open_likeness` does, in this order: steps 1 to 5 of `cameo_credential.validator` for the type of deliveries, then issuer
(`wrong_issuer`), audience (`wrong_audience`), grant (`wrong_grant`), times (`not_yet_valid`, `expired`), layout (`malformed`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cameo_credential import envelope
from cameo_credential.errors import CredentialError
from cameo_credential.item_kind import MEDIA_KINDS, ItemKind
from cameo_credential.items import VectorItem, compose_item, read_item
from cameo_credential.media_items import DetachedItem, read_detached, seal_media
from cameo_credential.refusal import Refusal
from cameo_credential.registered import Expected, check_times, read_for
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cameo_credential.audience_keys import AudienceKey
    from cameo_credential.issuer_keys import IssuerKeys, KnownKeys
    from cameo_credential.media_items import MediaItem

NAMESPACE = "urn:cameo:likeness:1"
"""Our claim; the number changes when a reader of the old one would misread the new one."""
LIFETIME = timedelta(minutes=10)
"""How long a delivery can be opened: a transfer, not storage."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A likeness delivered for one job.

    Attributes:
        grant_id: the grant that was spent for it.
        job_id: the generator's own id of the job.
        cameo_id: the cameo.
        minor_safeguards: safeguards for minors apply.
        items: its vectors; kinds that this version does not know are left out.
        detached: its pictures and sound, which `media_items.open_objects` opens.
        missing: kinds that the owner's terms permit and of which there is no item, to the reason.
        expires_at: first moment at which it can no longer be opened.
    """

    grant_id: str
    job_id: str
    cameo_id: str
    minor_safeguards: bool
    items: tuple[VectorItem, ...]
    detached: tuple[DetachedItem, ...]
    missing: Mapping[str, str]
    expires_at: datetime


class Delivered(NamedTuple):
    """A delivery as it leaves: the token, a compact JWE, and the objects of its detached items."""

    token: str
    objects: tuple[bytes, ...]


def deliver(  # noqa: PLR0913 - everything is injected, by name
    *,
    issuer: str,
    requester: str,
    grant_id: str,
    job_id: str,
    cameo_id: str,
    minor_safeguards: bool,
    items: Iterable[VectorItem],
    audience_key: AudienceKey,
    keys: IssuerKeys,
    now: datetime,
    media: Iterable[MediaItem] = (),
    missing: Mapping[ItemKind, str] = MappingProxyType({}),
) -> Delivered:
    """Return a delivery; see `Delivery` for the arguments. `requester` is its `sub`.

    Raises:
        RuntimeError: a bug of ours, found before anything was given out.
        KeyFileError: no key may sign by the algorithm that the audience asks for.
    """
    start = int(now.timestamp())
    sealed = [seal_media(each, grant_id=grant_id, cameo_id=cameo_id) for each in media]
    claims = {
        "iss": issuer,
        "sub": requester,
        "aud": audience_key.audience,
        "iat": start,
        "nbf": start,
        "exp": start + int(LIFETIME.total_seconds()),
        "jti": grant_id,
        NAMESPACE: {
            "job": job_id,
            "cameo": cameo_id,
            "minor_safeguards": minor_safeguards,
            "items": [*map(compose_item, items), *(claim for claim, _ in sealed)],
            "missing": {kind.value: reason for kind, reason in missing.items()},
        },
    }
    signed = sign(claims, key=keys.by(audience_key.signature), typ=TokenType.LIKENESS)
    return Delivered(envelope.encrypt(signed, audience_key=audience_key), tuple(made for _, made in sealed))


def open_likeness(
    token: str,
    *,
    audience_key: AudienceKey | Sequence[AudienceKey],
    issuer_keys: KnownKeys,
    expected_audience: str,
    expected_issuer: str,
    expected_grant: str,
    now: datetime,
) -> Delivery:
    """Decrypt and verify a delivery.

    Args:
        token: the compact JWE.
        audience_key: the audience's private key, or both during a rotation.
        issuer_keys: the issuer's public keys.
        expected_audience: what `aud` must be.
        expected_issuer: what `iss` must be.
        expected_grant: the grant that was spent: a delivery for another job is refused.
        now: the time to judge validity at.

    Raises:
        CredentialError: with one of the reasons of `Refusal`, in the order above.
    """
    signed = envelope.decrypt(token, audience_key=audience_key)
    key, claims = verified_claims(signed, issuer_keys, TokenType.LIKENESS)
    expected = Expected(expected_issuer, expected_audience, now)
    registered = read_for(claims, expected)
    if registered.jti != expected_grant:
        raise CredentialError(Refusal.WRONG_GRANT, "the delivery was made for another grant")
    return _read(claims.get(NAMESPACE), registered.jti, check_times(registered, key, expected))


def _read(ours: Any, grant_id: str, expires_at: datetime) -> Delivery:  # noqa: ANN401 - whatever the token holds
    try:
        job_id, cameo_id, minor, missing = ours["job"], ours["cameo"], ours["minor_safeguards"], ours.get("missing", {})
        texts = isinstance(job_id, str) and isinstance(cameo_id, str) and isinstance(missing, dict)
        if not (texts and isinstance(minor, bool) and isinstance(ours["items"], list)):
            raise ValueError("a member has another type")  # noqa: TRY301 - reported like every other malformation
        items = tuple(item for item in map(read_item, ours["items"]) if item is not None)
        detached = tuple(
            read_detached(each, grant_id=grant_id, cameo_id=cameo_id, expires_at=expires_at)
            for each in ours["items"]
            if each.get("kind") in MEDIA_KINDS
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CredentialError(Refusal.MALFORMED, f"the delivery's claims cannot be read: {error}") from None
    return Delivery(grant_id, job_id, cameo_id, minor, items, detached, missing, expires_at)
