"""Conversion of values about cameos to messages of `cameo.v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo.v1 import attempt_pb2, cameo_pb2, cameo_service_pb2, guardian_pb2
from cameo_credential.item_kind import ItemKind
from cameo_verifier.cameo.cursor import EVENTS
from cameo_verifier.cameo.model import ANALYSTS, OWNER, CameoState
from cameo_verifier.server.wire.enums import full_name
from cameo_verifier.server.wire.removal_convert import removal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cameo.v1 import removal_pb2
    from cameo_verifier.cameo.model import Cameo, Change, Consent, Event, Guardianship, Output, Terms, Use, UseCategory
    from cameo_verifier.cameo.removals import Removal


def cameo(value: Cameo) -> cameo_pb2.Cameo:
    """Return the message of a cameo."""
    terms = value.terms
    return cameo_pb2.Cameo(
        id=value.id,
        subject=value.subject,
        state=full_name(cameo_pb2.CameoState, value.state),
        who_may_use=full_name(cameo_pb2.WhoMayUse, terms.who),
        selected_users=sorted(terms.selected),
        restrictions=restrictions(terms),
        appearance_notes=terms.appearance_notes,
        voice_notes=terms.voice_notes,
        minor_safeguards=value.minor_safeguards,
        consent=consent(value.consent),
        version=value.version,
        create_time=value.created_at,
        update_time=value.updated_at,
        reason=value.reason,
        pending_change=None if value.pending is None else pending_change(value.pending),
        paused_by_guardian=bool(value.paused_by - {OWNER, ANALYSTS}),
        suspended=value.suspended,
        attest_time=value.attested_at,
        # A tombstone has no terms.
        generators=None if value.state is CameoState.CAMEO_DELETED else generators(terms),
        items=() if value.state is CameoState.CAMEO_DELETED else items(terms),
        offline_audiences=sorted(terms.offline),
    )


def pending_change(value: Change) -> cameo_pb2.PendingChange:
    """Return the message of a change that waits for guardians."""
    return cameo_pb2.PendingChange(
        number=value.number,
        who_may_use=full_name(cameo_pb2.WhoMayUse, value.terms.who),
        selected_users=sorted(value.terms.selected),
        restrictions=restrictions(value.terms),
        appearance_notes=value.terms.appearance_notes,
        voice_notes=value.terms.voice_notes,
        resume=value.resume,
        approved_by=sorted(value.approved_by),
        propose_time=value.proposed_at,
        generators=generators(value.terms),
        items=items(value.terms),
        offline_audiences=sorted(value.terms.offline),
    )


def generators(terms: Terms) -> cameo_pb2.Generators:
    """Return the message of the generators that terms admit."""
    return cameo_pb2.Generators(every_registered=terms.generators is None, names=sorted(terms.generators or ()))


def items(terms: Terms) -> list[str]:
    """Return the names of the kinds of items that terms let out."""
    return [full_name(cameo_pb2.ItemKind, kind) for kind in ItemKind if kind in terms.items]


def consent(value: Consent) -> cameo_pb2.Consent:
    """Return the message of a consent."""
    return cameo_pb2.Consent(
        text_version=value.text_version,
        locale=value.locale,
        agree_time=value.agreed_at,
        digest=value.digest,
        text_sha256=value.text_sha256,
    )


def guardianship(value: Guardianship) -> guardian_pb2.Guardianship:
    """Return the message of a guardianship."""
    return guardian_pb2.Guardianship(
        guardian=value.guardian,
        minor=value.minor,
        state=full_name(guardian_pb2.GuardianshipState, value.state),
        guardian_consent=None if value.guardian_consent is None else consent(value.guardian_consent),
        minor_consent=None if value.minor_consent is None else consent(value.minor_consent),
        create_time=value.created_at,
        update_time=value.updated_at,
    )


def restrictions(terms: Terms) -> cameo_pb2.Restrictions:
    """Return the message of an owner's restrictions."""
    return cameo_pb2.Restrictions(words=terms.words, categories=_categories(terms.categories))


def use_terms(cameos: Iterable[Cameo]) -> list[cameo_service_pb2.UseTerms]:
    """Return the owners' terms for a use."""
    return [
        cameo_service_pb2.UseTerms(
            cameo_id=each.id,
            restrictions=restrictions(each.terms),
            appearance_notes=each.terms.appearance_notes,
            voice_notes=each.terms.voice_notes,
            minor_safeguards=each.minor_safeguards,
        )
        for each in cameos
    ]


def use(value: Use, removals: Mapping[str, Sequence[Removal]], *, now: datetime) -> cameo_pb2.Use:
    """Return the message of a use, with the current removals of its outputs."""
    grant = value.grant
    return cameo_pb2.Use(
        grant_id=grant.id,
        audience=grant.audience,
        requester=grant.requester,
        job_id=grant.job_id,
        purposes=_categories(grant.purposes),
        grant_time=grant.created_at,
        expire_time=grant.expires_at,
        spend_time=grant.spent_at,
        revoke_time=grant.revoked_at,
        overdue_time=grant.overdue_at,
        outputs=[output(each, [removal(asked, now=now) for asked in removals.get(each.id, ())]) for each in value.outputs],
    )


def output(value: Output, removals: Iterable[removal_pb2.Removal] = ()) -> cameo_pb2.Output:
    """Return the message of an output, with the removals its owner may see."""
    return cameo_pb2.Output(
        id=value.id,
        grant_id=value.grant_id,
        sha256=value.sha256,
        c2pa_manifest_id=value.c2pa_manifest,
        state=full_name(cameo_pb2.OutputState, value.state),
        creator=value.creator,
        create_time=value.created_at,
        update_time=value.updated_at,
        platform=value.platform,
        removals=removals,
    )


def event(value: Event) -> cameo_pb2.CameoEvent:
    """Return the message of an event."""
    return cameo_pb2.CameoEvent(
        cursor=EVENTS.token(value.number),
        cameo_id=value.cameo_id,
        kind=full_name(cameo_pb2.CameoEventKind, value.kind),
        event_time=value.at,
        grant_id=value.grant_id,
        output_id=value.output_id,
        removal_id=value.removal_id,
        attempt_id=value.attempt_id,
        decision=full_name(attempt_pb2.ReviewDecision, value.ruling) if value.ruling else None,
        credential_id=value.credential_id,
        session_id=value.session_id,
    )


def _categories(categories: Iterable[UseCategory]) -> list[str]:
    return sorted(full_name(cameo_pb2.UseCategory, category) for category in categories)
