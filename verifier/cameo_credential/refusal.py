"""Refusals of tokens: stable codes, carried by `cameo_verifier.errors.CredentialError.reason`."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """The reason why a token is refused; the first one found, in the order of `validator`, is reported.

    Attributes:
        MALFORMED: not the compact serialization we write, in its canonical form.
        WRONG_TYPE: a well-formed token of another kind, such as a receipt instead of a credential.
        UNSUPPORTED_ALGORITHM: the header names an algorithm other than the one allowed.
        NOT_FOR_THIS_KEY: encrypted to another key than the one given.
        TAMPERED: the envelope does not authenticate: it was altered, or made for another key under this key's name.
        UNKNOWN_KEY: signed by a key that is not in the issuer's set.
        KEYS_UNKNOWN: the issuer's keys could not be obtained, so it is not accepted.
        BAD_SIGNATURE: the signature does not verify under the key it names.
        WRONG_ISSUER: signed by a known key for another issuer's name.
        WRONG_AUDIENCE: issued to another audience, and passed on.
        WRONG_GRANT: a likeness that was delivered for another job.
        WRONG_OBJECT: a detached item's object that is not the one the token says.
        WRONG_LIST: a status list, but another one than the credential names.
        NOT_BOUND: shown without the signature of the device key it names, for this reader and this nonce.
        NOT_YET_VALID: its validity starts in the future.
        EXPIRED: its validity, or that of its signing key, has ended.
        STATUS_UNKNOWN: no fresh status list could be obtained, so it is not accepted.
        REVOKED: it was revoked, which is final.
        SUSPENDED: it must not be used for now.
    """

    MALFORMED = "malformed"
    WRONG_TYPE = "wrong_type"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    NOT_FOR_THIS_KEY = "not_for_this_key"
    TAMPERED = "tampered"
    UNKNOWN_KEY = "unknown_key"
    KEYS_UNKNOWN = "keys_unknown"
    BAD_SIGNATURE = "bad_signature"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_GRANT = "wrong_grant"
    WRONG_OBJECT = "wrong_object"
    WRONG_LIST = "wrong_list"
    NOT_BOUND = "not_bound"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    STATUS_UNKNOWN = "status_unknown"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
