"""The receipt: a signed proof that a person was verified, without their likeness, as an SD-JWT VC (`dc+sd-jwt`).

The holder may withhold three claims: `minor_safeguards`, `profile`, and `verification` with the ids and digests of the judgement.
`open_receipt` checks, in this order:

1. The JWS, as steps 4 and 5 of `validator` do for a credential, and that `vct` is ours (`wrong_type`).
2. The disclosures are those the issuer made, each shown once (`malformed`).
3. Issuer, audience and times, as steps 6 and 7 of `validator`.
4. The claims have the layout this version knows, and none is a face or a voice (`malformed`).
5. Where the reader asks for it, the holder of the device key signed this presentation (`not_bound`).
6. Its status, as step 9 of `validator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cameo_credential import claims as claim
from cameo_credential import sd_jwt
from cameo_credential.capture_assurance import CaptureAssurance
from cameo_credential.encoding import without_newline
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM
from cameo_credential.key_binding import check_device_key, require_bound
from cameo_credential.refusal import Refusal
from cameo_credential.registered import NO_LEEWAY, Expected, check_registered
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from cameo_credential.claims import Provenance, StatusReference
    from cameo_credential.issuer_keys import IssuerKeys, KnownKeys
    from cameo_credential.key_binding import KeyBinding
    from cameo_credential.pairwise import PairwiseKey
    from cameo_credential.status_source import StatusCheck

VCT = "urn:cameo:receipt:1"
"""Its type; the number changes when a reader of the old one would misread the new one."""
MAX_TOKEN_CHARS = 2**15
"""A receipt has about 3,100 characters with the kit's ten models and all disclosures, and 400 more with a device's signature."""
WITHHELD = ("minor_safeguards", "profile", "verification")
"""Names of the claims that the holder may withhold."""
_IN_SIGHT = frozenset({"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "vct", "status", "cnf"})


@dataclass(frozen=True, slots=True)
class IssuedReceipt:
    """The result of issuing: the token with all disclosures, its id, the pseudonym in it, and times in UTC."""

    token: str
    jti: str
    subject: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Verification:
    """How a person was verified.

    Attributes:
        attempt_id, challenge_id: ids at the issuer.
        models: model id to hex sha256 of its file.
        evidence_sha256: digest of the recording.
        confirmed: names of the checks that passed, never a score.
        path: the kind of challenge that was answered.
        capture: what vouches for the capture.
    """

    attempt_id: str
    challenge_id: str
    models: Mapping[str, str]
    evidence_sha256: str
    confirmed: tuple[str, ...]
    path: str = claim.FIRST_PATH
    capture: CaptureAssurance = CaptureAssurance.NONE


@dataclass(frozen=True, slots=True)
class Receipt:
    """The verified facts of a receipt; of those that the holder withheld, None.

    Attributes:
        issuer: `iss`.
        subject: the pseudonym.
        audience: `aud`.
        jti: the receipt's id.
        kid: the signing key.
        issued_at, expires_at: times in UTC.
        status: location of its status, None if there is no list.
        device_key: public JWK of the person's device, None if it names none. That it is the holder's is checked only where the
            reader asks for it.
        minor_safeguards: True if the person may be a minor.
        profile: name and hex sha256 of the thresholds.
        verification: how the person was verified.
    """

    issuer: str
    subject: str
    audience: str
    jti: str
    kid: str
    issued_at: datetime
    expires_at: datetime
    status: StatusReference | None
    device_key: Mapping[str, str] | None
    minor_safeguards: bool | None
    profile: tuple[str, str] | None
    verification: Verification | None


def issue_receipt(  # noqa: PLR0913 - everything is injected, by name
    *,
    issuer: str,
    subject: str,
    audience: str,
    keys: IssuerKeys,
    pairwise: PairwiseKey,
    now: datetime,
    ttl: timedelta,
    jti: str,
    provenance: Provenance,
    new_salt: Callable[[], str],
    status: StatusReference | None = None,
    device_key: Mapping[str, str] | None = None,
    signature: str = SIGNATURE_ALGORITHM,
) -> IssuedReceipt:
    """Issue a receipt.

    Args:
        issuer: `iss`.
        subject: the account; only its pseudonym for `audience` enters the claims.
        audience: `aud`, the name of whom it is for.
        keys: the issuer's keys.
        pairwise: the key of the pseudonyms.
        now: start of validity, rounded down to the second.
        ttl: period of validity, cut short where the signing key ends.
        jti: the receipt's own id.
        provenance: how the person was verified; the id of the cameo is left out.
        new_salt: returns at least 128 random bits as text, anew at every call.
        status: location of its status, if there is a list.
        device_key: public JWK of the person's device, as `read_device_key` returns it.
        signature: the signature algorithm (`alg`) that the audience requires.

    Raises:
        KeyFileError: no key signs by that now.
        RuntimeError: a bug of ours, found before anything was returned, or a signing key that has expired.
    """
    key = keys.by(signature)
    claims = {
        **claim.compose_registered(
            issuer=issuer,
            subject=subject,
            audience=audience,
            pairwise=pairwise,
            now=now,
            ttl=ttl,
            not_after=key.expires_at,
            jti=jti,
            status=status,
        ),
        "vct": VCT,
    }
    if device_key is not None:
        claims["cnf"] = {"jwk": dict(device_key)}
    members = {
        "minor_safeguards": provenance.minor_safeguards,
        "profile": {"name": provenance.profile, "sha256": provenance.profile_sha256},
        "verification": {
            "attempt": pairwise.alias(provenance.attempt_id, audience),
            "challenge": pairwise.alias(provenance.challenge_id, audience),
            "models": dict(provenance.models),
            "evidence": {"sha256": pairwise.digest(provenance.evidence_sha256, audience)},
            "path": provenance.path,
            "capture": provenance.capture.value,
            "confirmed": list(provenance.confirmed),
        },
    }
    digests, disclosures = sd_jwt.conceal(members, new_salt=new_salt)
    token = sd_jwt.join(sign({**claims, **digests}, key=key, typ=TokenType.RECEIPT), disclosures)
    _validate_issued(token, {**claims, **members}, keys)
    return IssuedReceipt(
        token, jti, claims["sub"], datetime.fromtimestamp(claims["iat"], UTC), datetime.fromtimestamp(claims["exp"], UTC)
    )


def open_receipt(
    token: str,
    *,
    issuer_keys: KnownKeys,
    expected_audience: str,
    expected_issuer: str,
    status: StatusCheck,
    now: datetime,
    leeway: timedelta = NO_LEEWAY,
    key_binding: KeyBinding | None = None,
) -> Receipt:
    """Verify a receipt.

    Args:
        token: the SD-JWT, with the disclosures that the holder shows.
        issuer_keys: the issuer's public keys, obtained from the issuer and not from the token.
        expected_audience: what `aud` must be.
        expected_issuer: what `iss` must be.
        status: a `StatusSource`, reused between calls for its cache, or `UNSAFE_NO_STATUS_CHECK`.
        now: the time at which validity is judged.
        leeway: tolerated clock skew at both ends, as in `open_credential`.
        key_binding: what the holder must have signed with the device key; None asks for no signature, and takes none.

    Raises:
        CredentialError: with one of the reasons of `Refusal`, by the steps above.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise CredentialError(Refusal.MALFORMED, f"a receipt has at most {MAX_TOKEN_CHARS} characters")
    shown = sd_jwt.split(without_newline(token))
    if "\n" in shown.signed:  # a line break ends a file, not a part
        raise CredentialError(Refusal.MALFORMED, "there is a line break within the receipt")
    key, signed = verified_claims(shown.signed, issuer_keys, TokenType.RECEIPT)  # step 1
    if signed.get("vct") != VCT:
        raise CredentialError(Refusal.WRONG_TYPE, f"this token is not of the type {VCT}")
    if not shown.complete or (shown.key_binding and key_binding is None):
        raise CredentialError(Refusal.MALFORMED, "the parts of a receipt each end with ~, and nobody asked for a signature")
    try:
        claims = sd_jwt.reveal(signed, shown.disclosures)  # step 2
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the receipt's disclosures cannot be read: {error}") from None
    registered = check_registered(claims, key, Expected(expected_issuer, expected_audience, now, leeway))  # step 3
    try:
        facts = _facts(claims)  # step 4
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the receipt's claims cannot be read: {error}") from None
    if key_binding is not None:
        require_bound(shown, facts["device_key"], key_binding, now=now)  # step 5
    status.require_valid(registered.status, issuer_keys=issuer_keys)  # step 6
    return Receipt(
        issuer=registered.issuer,
        subject=registered.subject,
        audience=registered.audience,
        jti=registered.jti,
        kid=key.kid,
        issued_at=registered.issued_at,
        expires_at=registered.expires_at,
        status=registered.status,
        **facts,
    )


def _facts(claims: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(claims) - _IN_SIGHT - set(WITHHELD):
        raise ValueError(f"it has {', '.join(sorted(unknown))}, which no receipt has")
    facts: dict[str, Any] = dict.fromkeys(("device_key", *WITHHELD))
    if "cnf" in claims:
        facts["device_key"] = check_device_key(claim.member(claim.member(claims, "cnf"), "jwk"))
    if "minor_safeguards" in claims:
        facts["minor_safeguards"] = claims["minor_safeguards"]
        if not isinstance(facts["minor_safeguards"], bool):
            raise ValueError("'minor_safeguards' is not a boolean")
    if "profile" in claims:
        profile = claim.member(claims, "profile")
        facts["profile"] = claim.text(profile, "name"), claim.text(profile, "sha256")
    if "verification" in claims:
        facts["verification"] = _verification(claim.member(claims, "verification"))
    return facts


def _verification(document: Mapping[str, Any]) -> Verification:
    models = claim.member(document, "models")
    return Verification(
        attempt_id=claim.text(document, "attempt"),
        challenge_id=claim.text(document, "challenge"),
        models={model: claim.text(models, model) for model in models},
        evidence_sha256=claim.text(claim.member(document, "evidence"), "sha256"),
        confirmed=claim.texts(document, "confirmed"),
        path=claim.read_path(document),
        capture=claim.read_capture(document),
    )


def _validate_issued(token: str, composed: Mapping[str, Any], keys: IssuerKeys) -> None:
    parts = sd_jwt.split(token)
    try:
        key, signed = verified_claims(parts.signed, keys.public(), TokenType.RECEIPT)
        revealed = sd_jwt.reveal(signed, parts.disclosures)
        _facts(revealed)
    except (CredentialError, ValueError) as error:
        raise RuntimeError(f"a receipt that was just signed is not valid: {error}") from error
    if revealed != composed:
        raise RuntimeError("a receipt that was just signed says something else than what was composed")
    if not composed["nbf"] < composed["exp"] <= key.expires_at.timestamp():
        raise RuntimeError("a receipt that was just signed has no validity or outlives its key")
