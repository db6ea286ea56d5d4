"""The JWS verifier: a compact JWS in, its claims out (RFC 7515 section 5.2). Every signed token this project reads passes here.

The issuer's own tokens, callers' tokens and ID tokens differ in keys, types and whether further header members may be there, as a
`TokenKind` says. The rules are the same, and stricter than a library's (RFC 8725):

1. The token is three base64url parts in their one spelling; the header is JSON of at most 512 bytes, no name twice (`malformed`).
2. The header has none of `crit`, `b64`, `jwk`, `jku`, `x5c` and `x5u`. In our own tokens it has no other member that we do not
   write; of others' tokens, unknown members are ignored (RFC 7515 section 4) (`malformed`).
3. `typ` is one of the kind's (`wrong_type`).
4. `kid` names a key of the set that the reader brings (`unknown_key`).
5. That key is for this `alg` (`unsupported_algorithm`): the token chooses no algorithm, and `none` and secrets are no key's.
6. The signature verifies (`bad_signature`). Until here nothing the token says was believed.
7. The claims are JSON with no name twice (`malformed`). What they say is for the reader to judge.

`signer` is the other half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from joserfc.jws import JWSRegistry

from cameo_credential.encoding import from_base64url, from_json, without_newline
from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal
from cameo_credential.signer import TokenType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from joserfc.jwk import ECKey, OKPKey, RSAKey

    from cameo_credential.issuer_keys import KnownKeys, VerificationKey

MAX_HEADER_BYTES = 512
"""Four times the header of our own tokens; no certificate chain fits."""


class SignatureKey(Protocol):
    """A public key and the values of `alg` it may verify."""

    @property
    def key(self) -> ECKey | OKPKey | RSAKey:
        """Return the key."""

    @property
    def algorithms(self) -> Collection[str]:
        """Return the values of `alg`."""


K = TypeVar("K", bound=SignatureKey)


@dataclass(frozen=True, slots=True)
class TokenKind:
    """The permitted header of one kind of token.

    Attributes:
        types: values of `typ`; the empty one lets it be missing.
        foreign: True if others make these tokens: header members besides `alg`, `typ` and `kid` may be there; nothing reads them.
    """

    types: frozenset[str]
    foreign: bool = False


JWT_TYPES = frozenset({"", "JWT", "jwt"})
"""`typ` of a token whose issuer names none of its own (RFC 7519 section 5.1)."""
_REFUSED = frozenset({"crit", "b64", "jwk", "jku", "x5c", "x5u"})
"""Members that change how a token is verified, or bring a key: whoever made such a token expects more than ignorance."""
_NAMED = frozenset({"alg", "typ", "kid"})
_OURS = {typ: TokenKind(frozenset({typ.value})) for typ in TokenType}


def verified_claims(signed: str, issuer_keys: KnownKeys, typ: TokenType) -> tuple[VerificationKey, dict[str, Any]]:
    """Return the verified claims of one of the issuer's own tokens, and its key; neither times nor names are checked.

    The line break that a file ends with may follow the token.

    Raises:
        CredentialError: `malformed`, `unsupported_algorithm`, `wrong_type`, `unknown_key`, `keys_unknown` or
            `bad_signature`.
    """
    return verify_jws(without_newline(signed), issuer_keys.find, _OURS[typ])


def verify_jws(token: str, find: Callable[[str], K | None], kind: TokenKind) -> tuple[K, dict[str, Any]]:
    """Return the verified claims of a token, and the key that signed it; neither times nor names are checked.

    Args:
        token: the compact JWS. Its length is for the caller to limit.
        find: returns the key of a `kid`, None if there is none; that of the empty name, if any, verifies tokens that name none.
        kind: what its header may say.

    Raises:
        CredentialError: `malformed`, `unsupported_algorithm`, `wrong_type`, `unknown_key` or `bad_signature`.
    """
    segments = token.split(".")
    if len(segments) != 3:
        raise CredentialError(Refusal.MALFORMED, f"a signed token has 3 parts between dots, this has {len(segments)}")
    try:
        header_bytes, payload, signature = (from_base64url(segment) for segment in segments)  # step 1
        if len(header_bytes) > MAX_HEADER_BYTES:
            raise ValueError(f"its header has more than {MAX_HEADER_BYTES} bytes")  # noqa: TRY301 - reported like every other
        header = from_json(header_bytes)
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the signed token cannot be read: {error}") from None
    key = _key(header, find, kind)
    if not signed_by(key.key, token.rpartition(".")[0].encode("ascii"), signature, header["alg"]):  # step 6
        raise CredentialError(Refusal.BAD_SIGNATURE, "the signature does not verify under the key it names")
    try:
        return key, from_json(payload)  # step 7
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the token's claims cannot be read: {error}") from None


def signed_by(key: ECKey | OKPKey | RSAKey, message: bytes, signature: bytes, algorithm: str) -> bool:
    """Return whether `key` made the signature by an algorithm that is known to be one of the key's."""
    # Straight to the algorithm: the library's own way in parses the token once more and warns of the name "EdDSA".
    return JWSRegistry.algorithms[algorithm].verify(message, signature, key)


def _key(header: Mapping[str, Any], find: Callable[[str], K | None], kind: TokenKind) -> K:
    algorithm, kid = header.get("alg"), header.get("kid", "" if find("") is not None else None)
    unknown = set(header) & _REFUSED if kind.foreign else set(header) - _NAMED
    if unknown or not isinstance(kid, str):  # step 2
        raise CredentialError(Refusal.MALFORMED, "the signed token's header has unknown or missing members")
    typ = header.get("typ", "")
    if not isinstance(typ, str) or typ not in kind.types:  # step 3
        wanted = ", ".join(sorted(each for each in kind.types if each))
        raise CredentialError(Refusal.WRONG_TYPE, f"this token is not of type {wanted}")
    key = find(kid)  # step 4
    if key is None:
        raise CredentialError(Refusal.UNKNOWN_KEY, "the token is signed by a key that is not in the issuer's set")
    if not isinstance(algorithm, str) or algorithm not in key.algorithms:  # step 5
        allowed = ", ".join(sorted(key.algorithms))
        raise CredentialError(Refusal.UNSUPPORTED_ALGORITHM, f"a token of this key is signed with {allowed} only")
    return key
