"""Elliptic curve keys of JWKs (RFC 7518 section 6.2): a point on the curve, in its one spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey

from cameo_credential.encoding import from_base64url

if TYPE_CHECKING:
    from collections.abc import Mapping

COORDINATE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66}
"""By curve. A coordinate has all its octets, zeros in front included (RFC 7518 section 6.2.1.2)."""


def import_ec(jwk: Mapping[str, Any], *, private: bool = False) -> ECKey:
    """Return the public key of a JWK, or the private one if `private` and it has `d`.

    Raises:
        KeyError: a member is missing.
        ValueError: another curve, a coordinate of another length, a point that is not on the curve, or two halves that do not
            belong together.
    """
    size = COORDINATE_BYTES.get(jwk["crv"])
    if jwk["kty"] != "EC" or size is None:
        raise ValueError("not a key of a curve that is known here")
    names = ("x", "y", "d") if private and "d" in jwk else ("x", "y")
    if any(not isinstance(jwk[name], str) or len(from_base64url(jwk[name])) != size for name in names):
        raise ValueError(f"a member of a key on {jwk['crv']} has {size} bytes")
    # The library beneath refuses a point that is not on the curve, and a private half that is not the point's.
    return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", *names)})
