"""Selective disclosure for JWTs (SD-JWT, RFC 9901): claims that the holder shows or withholds, each behind a salted digest.

A token is a JWS and its disclosures, each followed by ``~``; the signature of a holder's key may follow (`key_binding`). The JWS
has the digests alone, so a claim that is withheld cannot be guessed. Only members of the top level can be withheld here: a deeper
``_sd`` and elements of arrays are refused, for our tokens have none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_credential.encoding import from_base64url, list_from_json, to_base64url, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

HASH = "sha-256"
MAX_DISCLOSURES = 16
_NEVER_WITHHELD = frozenset({"iss", "nbf", "exp", "cnf", "vct", "status", "_sd", "_sd_alg", "..."})
"""Names that no disclosure may have: what says whether a token holds is always in sight (SD-JWT VC section 3.2.2.2)."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A token taken apart; nothing in it is verified.

    Attributes:
        signed: the JWS.
        disclosures: those that are shown.
        key_binding: the JWS by the holder's key, empty where there is none.
        bound: what that JWS has the digest of: all before it.
        complete: False for a JWS alone, which is no SD-JWT.
    """

    signed: str
    disclosures: tuple[str, ...]
    key_binding: str
    bound: str
    complete: bool


def conceal(members: Mapping[str, Any], *, new_salt: Callable[[], str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the claims that stand for some members in the JWS, and the members' disclosures.

    new_salt: returns at least 128 random bits as text, anew at every call.
    """
    disclosures = tuple(to_base64url(to_json([new_salt(), name, value])) for name, value in members.items())
    # Sorted: the order of the digests must not say which is which.
    return {"_sd": sorted(map(digest, disclosures)), "_sd_alg": HASH}, disclosures


def digest(text: str) -> str:
    """Return the base64url SHA-256 of ASCII text, as of a disclosure or of what a holder signs."""
    return to_base64url(hashlib.sha256(text.encode("ascii")).digest())


def join(signed: str, disclosures: Collection[str]) -> str:
    """Return the token of a JWS with these disclosures."""
    return "".join(f"{part}~" for part in (signed, *disclosures))


def split(token: str) -> Presented:
    """Return the parts of a token."""
    signed, *disclosures = token.split("~")
    key_binding = disclosures.pop() if disclosures else ""
    return Presented(signed, tuple(disclosures), key_binding, token.removesuffix(key_binding), "~" in token)


def shown(token: str, names: Collection[str]) -> str:
    """Return the presentation of a token that discloses, of the claims that can be withheld, those of these names alone.

    Raises:
        ValueError: a disclosure of the token cannot be read.
    """
    parts = split(token)
    return join(parts.signed, [each for each in parts.disclosures if _read(each)[0] in names])


def reveal(claims: Mapping[str, Any], disclosures: Collection[str]) -> dict[str, Any]:
    """Return the claims of a verified JWS with those that are shown in their places (RFC 9901 section 7.1).

    Raises:
        ValueError: a disclosure is malformed, forged, shown twice or has a name that is taken; a digest is there twice; or the
            hash is another one.
    """
    digests = claims.get("_sd", [])
    if claims.get("_sd_alg", HASH) != HASH or not isinstance(digests, list) or not all(isinstance(each, str) for each in digests):
        raise ValueError("the digests are no list of SHA-256 digests")
    if len(set(digests)) != len(digests):
        raise ValueError("a digest is there twice")
    if len(disclosures) > MAX_DISCLOSURES:
        raise ValueError(f"more than {MAX_DISCLOSURES} disclosures")
    plain = {name: value for name, value in claims.items() if name not in {"_sd", "_sd_alg"}}
    left = set(digests)
    for disclosure in disclosures:
        name, value = _read(disclosure)
        if (found := digest(disclosure)) not in left:
            raise ValueError("a disclosure has no digest in the token, or is shown twice")
        if name in _NEVER_WITHHELD or name in plain:
            raise ValueError(f"a disclosure has the name {name!r}, which is taken")
        left.remove(found)
        plain[name] = value
    if _conceals(plain):
        raise ValueError("a claim has parts that are withheld, which no token of ours has")
    return plain


def _read(disclosure: str) -> tuple[str, Any]:
    parts = list_from_json(from_base64url(disclosure))
    if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[1], str):
        raise ValueError("a disclosure is not a salt, a name and a value")
    return parts[1], parts[2]


def _conceals(value: object) -> bool:
    left = [value]
    while left:
        match left.pop():
            case dict() as members:
                if not {"_sd", "..."}.isdisjoint(members):
                    return True
                left.extend(members.values())
            case list() as elements:
                left.extend(elements)
    return False
