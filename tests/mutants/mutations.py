"""The faults: where each is put, what it is, and which tests must notice it. None of these needs a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault.

    file: what is changed. was, becomes: a text that stands in it once, and what is put in its place. tests: what must fail.
    """

    file: str
    was: str
    becomes: str
    tests: str


PINNED = "tests/unit/test_pinned.py"
DOCUMENTED = "tests/documents/test_documents.py"
DECISION = "tests/unit/test_decision.py"
IN_TIME = "tests/unit/checks/test_answered_in_time.py"
PERCENTILES = "tests/unit/checks/test_percentiles.py"
PERMISSIONS = "tests/unit/cameo/test_permissions.py"
MEDIA = "tests/unit/credential/test_media_items.py"
NARROWER = "tests/property/test_narrower_terms.py"
REFUSALS = "tests/unit/credential/test_refusals.py"
ADVERSARY = "tests/unit/credential/test_adversary.py"
ENVELOPE = "tests/unit/credential/test_p256_envelope.py"
FORGED = "tests/unit/credential/test_forged_tokens.py"
RECEIPTS = "tests/unit/credential/test_receipt.py"

TOKENS = "tests/unit/client/test_tokens.py"

_REQUESTER = "verifier/cameo_verifier/server/auth/requester.py"
_PROFILE, _FOLD = "verifier/cameo_verifier/profiles/default.toml", "verifier/cameo_verifier/decision.py"
_IN_TIME = "verifier/cameo_verifier/checks/answered_in_time.py"
_MEDIA = "verifier/cameo_credential/media_items.py"
_PERMISSIONS, _VALIDATOR = "verifier/cameo_verifier/cameo/permissions.py", "verifier/cameo_credential/validator.py"
_CREDENTIAL = "verifier/cameo_credential/"
_REGISTERED = _CREDENTIAL + "registered.py"
_SIGNATURE = _CREDENTIAL + "signature.py"
_RECEIPT, _SD_JWT = _CREDENTIAL + "receipt.py", _CREDENTIAL + "sd_jwt.py"
_BINDING = _CREDENTIAL + "key_binding.py"
_ATTESTATION = "verifier/cameo_verifier/server/attestation/"
_APPLE, _GOOGLE = _ATTESTATION + "app_attest.py", _ATTESTATION + "play_integrity.py"
APPLE, GOOGLE = "tests/unit/server/attestation/test_app_attest.py", "tests/unit/server/attestation/test_play_integrity.py"

ROLES = tuple(
    Mutation(_PROFILE, f'\n{check} = "{role}"\n', f'\n{check} = "{other}"\n', PINNED)
    for check, role, other in (
        ("moire", "veto", "advise"),
        ("close_up", "confirm", "advise"),
        ("presentation_attack", "confirm", "veto"),
        ("seen_before", "veto", "advise"),
        ("protected_person", "veto", "advise"),
        ("same_person", "confirm", "veto"),
        ("phrase", "confirm", "veto"),
        ("synthetic_voice", "advise", "veto"),
    )
)

MUTATIONS = (
    *ROLES,
    # Thresholds.
    Mutation(_PROFILE, "[thresholds.seen_motion_max]\nvalue = ", "[thresholds.seen_motion_max]\nvalue = 1", DOCUMENTED),
    Mutation(_PROFILE, "[thresholds.live_p20_min]\nvalue = 0.", "[thresholds.live_p20_min]\nvalue = 0.0", DOCUMENTED),
    Mutation(
        "verifier/cameo_verifier/profiles/minor.toml",
        "[thresholds.live_p20_min]\nvalue = 0.5",
        "[thresholds.live_p20_min]\nvalue = 0.4",
        DOCUMENTED,
    ),
    # Checks.
    Mutation("verifier/cameo_verifier/checks/speaker.py", "np.quantile(similar, 0.2)", "np.quantile(similar, 0.5)", PERCENTILES),
    Mutation("verifier/cameo_verifier/checks/speaker.py", "np.quantile(similar, 0.2)", "np.quantile(similar, 0.0)", PERCENTILES),
    Mutation(
        "verifier/cameo_verifier/checks/presentation_attack.py", "np.quantile(live, 0.2)", "np.quantile(live, 0.5)", PERCENTILES
    ),
    Mutation(
        "verifier/cameo_verifier/checks/presentation_attack.py", "np.quantile(live, 0.2)", "np.quantile(live, 0.0)", PERCENTILES
    ),
    Mutation("verifier/cameo_verifier/checks/close_up.py", "np.quantile(live, 0.2)", "np.quantile(live, 0.5)", PERCENTILES),
    Mutation("verifier/cameo_verifier/checks/close_up.py", "np.quantile(live, 0.2)", "np.quantile(live, 0.0)", PERCENTILES),
    Mutation(_IN_TIME, "Latency(after[-1].arrived_s - sent_s,", "Latency(there_s - sent_s,", IN_TIME),
    Mutation(_IN_TIME, "return Latency(after[-1]", "return Latency(after[0]", IN_TIME),
    Mutation(_IN_TIME, "there_s = onset_s + min(", "there_s = onset_s + max(", IN_TIME),
    Mutation(
        _IN_TIME,
        "takewhile(lambda arrival: arrival.media_s >= onset_s,",
        "filter(lambda arrival: arrival.media_s >= onset_s,",
        IN_TIME,
    ),
    Mutation(_IN_TIME, "onset_s is not None and number < len(live.prompts)", "onset_s is not None", IN_TIME),
    Mutation(_IN_TIME, "claimed[:_EARLY][-1]", "claimed[0]", IN_TIME),
    Mutation(_IN_TIME, "slowest_s = max((median_low(", "slowest_s = min((median_low(", IN_TIME),
    Mutation(_IN_TIME, "(median_low(each.at_most_s", "(min(each.at_most_s", IN_TIME),
    # The fold.
    Mutation(_FOLD, "(Kind.ATTACK, Kind.LIFECYCLE,", "(Kind.LIFECYCLE, Kind.ATTACK,", DECISION),
    Mutation(_FOLD, "Kind.LIFECYCLE, Kind.UNREADABLE, Kind.MISMATCH", "Kind.UNREADABLE, Kind.LIFECYCLE, Kind.MISMATCH", DECISION),
    Mutation(_FOLD, "Kind.UNREADABLE, Kind.MISMATCH, Kind.IDENTITY", "Kind.MISMATCH, Kind.UNREADABLE, Kind.IDENTITY", DECISION),
    Mutation(_FOLD, "Kind.MISMATCH, Kind.IDENTITY, Kind.QUALITY", "Kind.IDENTITY, Kind.MISMATCH, Kind.QUALITY", DECISION),
    Mutation(_FOLD, "Kind.IDENTITY, Kind.QUALITY)", "Kind.QUALITY, Kind.IDENTITY)", DECISION),
    Mutation(_FOLD, "return result.outcome is Outcome.FAIL", "return result.outcome is not Outcome.PASS", DECISION),
    Mutation(_FOLD, "return result.outcome is not Outcome.PASS", "return result.outcome is Outcome.FAIL", DECISION),
    Mutation(_FOLD, "            return False", "            return result.outcome is Outcome.FAIL", DECISION),
    Mutation(_FOLD, "if not required or required -", "if required and required -", DECISION),
    Mutation(
        _FOLD, "profile.confirmed_by.difference(exempt)", "profile.confirmed_by.intersection({r.name for r in results})", DECISION
    ),
    Mutation(_FOLD, "for other in once)] or once", "for other in once)]", DECISION),
    Mutation(_FOLD, "one.sense in (other.sense, Sense.BOTH)", "True", DECISION),
    Mutation(_FOLD, "return by_sense or other in one.excuses", "return by_sense", DECISION),
    Mutation(_FOLD, "-sum(_explains", "sum(_explains", DECISION),
    Mutation(_FOLD, "kinds & {Kind.ATTACK, Kind.MISMATCH,", "kinds & {Kind.MISMATCH,", DECISION),
    Mutation(_FOLD, "return Verdict.REVIEW", "return Verdict.RETRY", DECISION),
    # Permissions.
    Mutation(_PERMISSIONS, "cameo.minor_safeguards and not own and", "not own and not cameo.minor_safeguards and", PERMISSIONS),
    Mutation(_PERMISSIONS, "not own and not _known_to_mutual(cameo, requester, relationships)", "not own and False", PERMISSIONS),
    Mutation(_PERMISSIONS, "return bool(_chosen(cameo, requester, relationships)) and bool(", "return bool(", PERMISSIONS),
    Mutation(_PERMISSIONS, " and bool(relationships.mutual(cameo.subject, requester))", "", PERMISSIONS),
    Mutation(_PERMISSIONS, "cameo.state is CameoState.CAMEO_DELETED or hidden", "hidden", PERMISSIONS),
    Mutation(_PERMISSIONS, "chosen = own or _chosen", "chosen = _chosen", PERMISSIONS),
    Mutation(_PERMISSIONS, "if not chosen:", "if chosen is False:", PERMISSIONS),
    Mutation(_PERMISSIONS, "bool(purposes & cameo.terms.categories)", "purposes <= cameo.terms.categories", PERMISSIONS),
    Mutation(_PERMISSIONS, "excluded = bool(cameo.terms", "excluded = not own and bool(cameo.terms", PERMISSIONS),
    Mutation(_PERMISSIONS, "(unstated or bool", "(False or bool", PERMISSIONS),
    Mutation(_PERMISSIONS, "cameo.attested_at < attested_since", "cameo.attested_at <= attested_since", PERMISSIONS),
    Mutation(_PERMISSIONS, "if generator and not cameo.terms.admit(generator):", "if False:", PERMISSIONS),
    Mutation(_MEDIA, 'return f"{grant_id} {cameo_id} {kind}"', 'return f"{cameo_id} {kind}"', MEDIA),
    Mutation(_MEDIA, "if now >= item.expires_at:", "if False:", MEDIA),
    Mutation(_MEDIA, "size <= MAX_OBJECT_BYTES:", "size:", MEDIA),
    Mutation(_PERMISSIONS, "for mutual in (True, False):", "for mutual in (True,):", PERMISSIONS),
    Mutation(_PERMISSIONS, "requester in cameo.terms.selected", "True", PERMISSIONS),
    Mutation(_PERMISSIONS, "NOT_NOW if cameo.state is", "NOT_NOW if cameo.state is not", PERMISSIONS),
    Mutation(
        _PERMISSIONS, "if cameo.state is not CameoState.CAMEO_ACTIVE:", "if cameo.state is CameoState.CAMEO_REVOKED:", PERMISSIONS
    ),
    Mutation(
        _PERMISSIONS,
        "set(one.words) >= set(other.words)",
        "set(one.words) <= set(other.words)",
        NARROWER,
    ),
    Mutation(_PERMISSIONS, "one.categories >= other.categories", "True", NARROWER),
    Mutation(_PERMISSIONS, "and one.offline <= other.offline", "", NARROWER),
    Mutation(_PERMISSIONS, "offline=standing.offline & said.offline", "offline=said.offline", NARROWER),
    Mutation(_PERMISSIONS, "inner = min(one, other,", "inner = max(one, other,", NARROWER),
    # The verifier of every signed token.
    Mutation(_SIGNATURE, "algorithm not in key.algorithms:", "False:", FORGED),
    Mutation(_SIGNATURE, "set(header) - _NAMED", "set()", FORGED),
    Mutation(_SIGNATURE, "set(header) & _REFUSED", "set()", FORGED),
    Mutation(_SIGNATURE, "typ not in kind.types:", "False:", FORGED),
    Mutation(_SIGNATURE, "if len(header_bytes) > MAX_HEADER_BYTES:", "if False:", FORGED),
    # Who asks, by the app's word.
    Mutation(_REQUESTER, "if named.generator != generator:", "if False:", TOKENS),
    Mutation(_REQUESTER, "if job_id not in {None, named.job_id}:", "if False:", TOKENS),
    Mutation(_REQUESTER, "> MAX_LIFETIME_S:", "> 24 * MAX_LIFETIME_S:", TOKENS),
    # The validator of credentials.
    Mutation(_REGISTERED, "if registered.issuer != expected.issuer:", "if False:", REFUSALS),
    Mutation(_REGISTERED, "if registered.audience != expected.audience:", "if False:", REFUSALS),
    Mutation(_REGISTERED, "expected.now + max(expected.leeway, CLOCKS_APART) < registered.not_before", "False", REFUSALS),
    Mutation(_REGISTERED, "max(expected.leeway, CLOCKS_APART) < ", "max(expected.leeway, CLOCKS_APART) <= ", REFUSALS),
    Mutation(_REGISTERED, "max(expected.leeway, CLOCKS_APART)", "expected.leeway", REFUSALS),
    Mutation(
        _REGISTERED, "expected.now - expected.leeway >= expires_at", "expected.now - expected.leeway > expires_at", REFUSALS
    ),
    Mutation(_REGISTERED, "expected.now - expected.leeway >=", "expected.now + expected.leeway >=", REFUSALS),
    Mutation(_REGISTERED, "min(registered.expires_at, key.expires_at)", "registered.expires_at", REFUSALS),
    Mutation(_RECEIPT, "set(claims) - _IN_SIGHT - set(WITHHELD)", "set()", REFUSALS),
    Mutation(_RECEIPT, 'if signed.get("vct") != VCT:', "if False:", RECEIPTS),
    Mutation(_RECEIPT, "    if revealed != composed:", "    if False:", RECEIPTS),
    Mutation(_SD_JWT, ":= digest(disclosure)) not in left:", ":= digest(disclosure)) not in digests:", RECEIPTS),
    Mutation(_SD_JWT, "if len(set(digests)) != len(digests):", "if False:", RECEIPTS),
    Mutation(_SD_JWT, "if name in _NEVER_WITHHELD or name in plain:", "if False:", RECEIPTS),
    Mutation(_SD_JWT, "    if _conceals(plain):", "    if False:", RECEIPTS),
    Mutation(_BINDING, 'if claims.get("sd_hash") != digest(shown.bound):', "if False:", RECEIPTS),
    Mutation(_BINDING, "if device_key is None or not shown.key_binding:", "if device_key is None:", RECEIPTS),
    Mutation(_BINDING, "if not _SECRET.isdisjoint(jwk):", "if False:", RECEIPTS),
    Mutation(_BINDING, "if not now - LONGEST_AGE <= signed_at <= now +", "if signed_at > now +", RECEIPTS),
    Mutation(
        _VALIDATOR,
        "    status.require_valid(opened.status, issuer_keys=issuer_keys)  # step 9\n",
        "",
        "tests/unit/credential/test_status_source.py",
    ),
    Mutation(
        _RECEIPT,
        "    status.require_valid(registered.status, issuer_keys=issuer_keys)  # step 6\n",
        "",
        "tests/unit/credential/test_status_source.py",
    ),
    Mutation(
        _VALIDATOR, "registered.expires_at <= key.expires_at", "registered.expires_at", "tests/unit/credential/test_issued.py"
    ),
    Mutation(_VALIDATOR, "    if verified != claims:", "    if False:", "tests/unit/credential/test_issued.py"),
    # Keys of both suites, and where they come from.
    Mutation(
        _CREDENTIAL + "envelope.py", "len(from_base64url(epk[each])) == _COORDINATE_BYTES", "from_base64url(epk[each])", ENVELOPE
    ),
    Mutation(_CREDENTIAL + "elliptic.py", "len(from_base64url(jwk[name])) != size", "False", ENVELOPE),
    Mutation(_CREDENTIAL + "audience_keys.py", "own=secret", "own=True", "tests/unit/credential/test_audience_rotation.py"),
    Mutation(
        _CREDENTIAL + "key_source.py",
        "not (held and self._is_younger(held, MIN_INTERVAL))",
        "True",
        "tests/unit/credential/test_key_source.py",
    ),
    Mutation(
        _CREDENTIAL + "single_flight.py",
        "if name in self._failures:",
        "if False:",
        "tests/unit/credential/test_status_source.py",
    ),
    # Attestations of apps.
    Mutation(_APPLE, "ca_policy=ExtensionPolicy.webpki_defaults_ca()", "ca_policy=ExtensionPolicy.permit_all()", APPLE),
    Mutation(_APPLE, "self._policy.time(now).", "self._policy.", APPLE),
    Mutation(_APPLE, "nonce.value != _NONCE_DER + signed", "False", APPLE),
    Mutation(_APPLE, "or not isinstance(key.curve, SECP256R1)", "", APPLE),
    Mutation(_APPLE, "if app not in self._apps:", "if False:", APPLE),
    Mutation(_APPLE, "if counter != 0:", "if False:", APPLE),
    Mutation(_APPLE, "if environment not in self._environments:", "if False:", APPLE),
    Mutation(_APPLE, "_DATA.size + length] != key_id", "_DATA.size + length] not in key_id", APPLE),
    Mutation(_APPLE, "or stream.tell() != len(attestation) ", "", APPLE),
    Mutation(_GOOGLE, 'bound.rstrip("=") != to_base64url(digest)', "False", GOOGLE),
    Mutation(_GOOGLE, "if names != {self._settings.app}:", "if self._settings.app not in names:", GOOGLE),
    Mutation(_GOOGLE, "if recognised not in self._settings.app_verdicts:", "if False:", GOOGLE),
    Mutation(_GOOGLE, "if not set(meets) & set(self._settings.device_verdicts):", "if not meets:", GOOGLE),
)
