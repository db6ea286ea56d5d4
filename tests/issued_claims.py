"""Validation of issued claims by docs/credential.schema.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joserfc import jwe
from jsonschema import Draft202012Validator

from cameo_credential.encoding import from_base64url

if TYPE_CHECKING:
    from cameo_credential.audience_keys import AudienceKey

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "credential.schema.json").read_text("utf-8"))
Draft202012Validator.check_schema(SCHEMA)
_VALIDATOR = Draft202012Validator(SCHEMA)


def hold_against_schema(credential: str, audience_key: AudienceKey) -> None:
    """Validate the claims of a credential by the schema."""
    _VALIDATOR.validate(claims_inside(credential, audience_key))


def claims_inside(credential: str, audience_key: AudienceKey) -> dict[str, Any]:
    """Return the claims of a credential, unverified."""
    plain = jwe.decrypt_compact(credential, audience_key.key, algorithms=[audience_key.algorithm, "A256GCM"]).plaintext
    assert plain is not None
    return claims_of(plain.decode())


def claims_of(signed: str) -> dict[str, Any]:
    """Return the claims of a signed token, unverified."""
    claims: dict[str, Any] = json.loads(from_base64url(signed.split(".")[1]))
    return claims


def is_described(claims: dict[str, Any]) -> bool:
    """Return whether the schema allows these claims."""
    return bool(_VALIDATOR.is_valid(claims))
