"""Why a token was refused: stable codes, carried by `cameo_verifier.errors.CredentialError.reason`."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """One code for each thing that can be wrong with a token; the first one found, in the order of `validator`, is reported."""

    MALFORMED = "malformed"
    """Not the compact serialization we write, in its one canonical spelling."""
    WRONG_TYPE = "wrong_type"
    """A well-formed token of another kind, such as a receipt where a credential is expected."""
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    """The header names an algorithm other than the one allowed."""
    NOT_FOR_THIS_KEY = "not_for_this_key"
    """Encrypted to another key than the one given."""
    TAMPERED = "tampered"
    """The envelope does not authenticate: it was altered, or made for another key under this key's name."""
    UNKNOWN_KEY = "unknown_key"
    """Signed by a key that is not in the issuer's set."""
    BAD_SIGNATURE = "bad_signature"
    """The signature does not verify under the key it names."""
    WRONG_ISSUER = "wrong_issuer"
    """Signed by a known key for another issuer's name."""
    WRONG_AUDIENCE = "wrong_audience"
    """Issued to another audience, and passed on."""
    WRONG_LIST = "wrong_list"
    """A status list, but another one than the credential names."""
    NOT_YET_VALID = "not_yet_valid"
    """Its validity starts in the future."""
    EXPIRED = "expired"
    """Its validity, or that of the key that signed it, has ended."""
    STATUS_UNKNOWN = "status_unknown"
    """No fresh status list could be had that says whether it still holds, so it is not taken to."""
    REVOKED = "revoked"
    """It was revoked, for good."""
    SUSPENDED = "suspended"
    """It is not to be used for now."""
