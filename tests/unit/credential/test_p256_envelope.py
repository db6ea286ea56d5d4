"""The envelope to a key on P-256, and what a forged one of it is refused for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey

from cameo_credential.audience_keys import P256, AudienceFolder, AudienceKey
from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.errors import CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.key_files import create_json

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import World

KEY = AudienceKey.generate("https://generator.example", P256)
ALGORITHMS = ["ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM"]
OUTSIDE = {"kty": "EC", "crv": "P-256", "x": to_base64url(bytes(31) + b"\x01"), "y": to_base64url(bytes(31) + b"\x01")}
"""A point that is not on the curve: of another curve, its answers would give the private key away (invalid curve attack)."""


def test_a_credential_is_encrypted_to_a_key_on_p256(world: World) -> None:
    """`alg` is ECDH-ES, no key is wrapped, the ephemeral key is on P-256; its audience opens it."""
    issued = world.issue(audience_key=KEY.public())
    header, wrapped_key, *_ = issued.credential.split(".")
    said = json.loads(from_base64url(header))
    assert [said[name] for name in ("alg", "enc", "cty", "kid")] == ["ECDH-ES", "A256GCM", "JWT", KEY.kid]
    assert (set(said["epk"]), said["epk"]["crv"], wrapped_key) == ({"kty", "crv", "x", "y"}, "P-256", "")
    assert world.open(issued.credential, audience_key=KEY).jti == issued.jti


def reason(world: World, token: str, key: AudienceKey = KEY) -> str:
    """Return why a credential is refused."""
    with pytest.raises(CredentialError) as refused:
        world.open(token, audience_key=key)
    return str(refused.value.reason)


def sealed(world: World, key: Any = None, **header: object) -> str:
    """Return a good token in an envelope to the key, with another header."""
    opened = jwe.decrypt_compact(world.issue(audience_key=KEY.public()).credential, KEY.key, algorithms=ALGORITHMS)
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT", "kid": KEY.kid, **header}
    return jwe.encrypt_compact(protected, opened.plaintext or b"", key or KEY.public().key, algorithms=ALGORITHMS)


def renamed(token: str, **header: object) -> str:
    """Return a token whose header says something else."""
    first, *rest = token.split(".")
    said = {**json.loads(from_base64url(first)), **header}
    return ".".join([to_base64url(json.dumps(said).encode()), *rest])


def test_each_curve_has_its_algorithm_and_no_other(world: World) -> None:
    """A well-made envelope under the other curve's algorithm, or with another cipher, is `unsupported_algorithm`."""
    world.open(sealed(world), audience_key=KEY)
    for token in (sealed(world, alg="ECDH-ES+A256KW"), sealed(world, enc="A128GCM"), renamed(sealed(world), alg="dir")):
        assert reason(world, token) == "unsupported_algorithm"
    assert reason(world, sealed(world, OKPKey.generate_key("X25519"))) == "malformed"
    assert reason(world, world.issue().credential) == "unsupported_algorithm"


def test_an_ephemeral_key_is_a_point_on_the_curve(world: World) -> None:
    """A point elsewhere is `tampered` before anything is agreed on; one of other length, curve or members `malformed`."""
    good = ECKey.generate_key("P-256").as_dict(private=False)
    assert reason(world, renamed(sealed(world), epk=OUTSIDE)) == "tampered"
    assert reason(world, renamed(sealed(world), epk=good)) == "tampered"
    raw = from_base64url(str(good["x"]))
    for epk in (
        *({**good, "x": to_base64url(other)} for other in (raw[1:], b"\0" + raw, b"")),
        *({**good, name: value} for name, value in (("y", 7), ("crv", "P-384"), ("kty", "OKP"), ("d", "AA"), ("kid", "x"))),
        {name: good[name] for name in ("kty", "crv", "x")},
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        "key",
        None,
    ):
        assert reason(world, renamed(sealed(world), epk=epk)) == "malformed"


def test_nothing_hides_where_the_wrapped_key_would_be(world: World) -> None:
    """A wrapped key beside an agreed one is `malformed`; an envelope of another key under this name is `tampered`."""
    first, _, *rest = sealed(world).split(".")
    assert reason(world, ".".join([first, to_base64url(bytes(40)), *rest])) == "malformed"
    assert reason(world, sealed(world, ECKey.generate_key("P-256"))) == "tampered"
    stranger = AudienceKey.generate(KEY.audience, P256)
    assert reason(world, sealed(world), stranger) == "not_for_this_key"


def test_keys_on_p256_are_kept_and_read_strictly(tmp_path: Path) -> None:
    """Both halves come back from their files; a point elsewhere, a short coordinate and half of another key do not."""
    create_json(tmp_path / "key.jwk", KEY.to_jwk(), secret=True)
    loaded = AudienceKey.load_private(tmp_path / "key.jwk")
    assert (loaded, loaded.is_private, loaded.curve) == (KEY, True, "P-256")
    folder = AudienceFolder(tmp_path / "audiences")
    folder.add(KEY)
    found = folder.get(KEY.audience)
    assert (found, found.is_private) == (KEY, False)
    jwk, other = KEY.to_jwk(), AudienceKey.generate("a", P256).to_jwk()
    short, long = to_base64url(from_base64url(jwk["y"])[:-1]), to_base64url(b"\0" + from_base64url(jwk["x"]))
    for changed in (
        OUTSIDE,
        {"x": long},
        {"x": other["x"]},
        {"d": other["d"]},
        {"y": short},
        {"d": "AA"},
        {"crv": "P-384"},
        {"kty": "OKP"},
    ):
        with pytest.raises(KeyFileError, match="malformed"):
            AudienceKey.from_jwk({**jwk, **changed})
    with pytest.raises(KeyFileError, match="no 'y'"):
        AudienceKey.from_jwk({name: value for name, value in jwk.items() if name != "y"})
    with pytest.raises(InvalidRequestError, match="X25519 or P-256"):
        AudienceKey.generate("a", "P-384")
