"""Grants: the claims of the token for one job, and the conditions for spending one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cameo_credential.pairwise import PairwiseKey
    from cameo_verifier.cameo.model import Cameo, Grant

NAMESPACE = "urn:cameo:grant:1"
"""The private claim; its number changes when a reader of the old form would misread the new one."""


def compose(grant: Grant, cameos: Iterable[Cameo], *, issuer: str, pairwise: PairwiseKey) -> dict[str, Any]:
    """Return the claims of a grant's token: recipient, expiry, and the owner's restrictions for each cameo, by its alias."""
    start = int(grant.created_at.timestamp())
    return {
        "iss": issuer,
        "sub": pairwise.pseudonym(grant.requester, grant.audience),
        "aud": grant.audience,
        "iat": start,
        "nbf": start,
        "exp": int(grant.expires_at.timestamp()),
        "jti": grant.id,
        NAMESPACE: {
            "job": grant.job_id,
            "cameos": [
                {
                    "id": pairwise.alias(each.id, grant.audience),
                    "words": list(each.terms.words),
                    "categories": sorted(each.terms.categories),
                }
                for each in cameos
            ],
        },
    }


def require_spendable(grant: Grant, *, now: datetime) -> None:
    """Check that a grant can be spent: not spent, not revoked, not expired, in this order.

    Raises:
        RefusedError: `GRANT_SPENT`, `GRANT_REVOKED` or `GRANT_EXPIRED`.
    """
    if grant.spent_at is not None:
        raise RefusedError(Refusal.GRANT_SPENT)
    if grant.revoked_at is not None:
        raise RefusedError(Refusal.GRANT_REVOKED)
    if now >= grant.expires_at:
        raise RefusedError(Refusal.GRANT_EXPIRED)
