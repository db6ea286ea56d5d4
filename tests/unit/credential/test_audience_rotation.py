"""Two keys of an audience while it moves from one to the other, and keys that a backend holds."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cameo_credential import signing_backends
from cameo_credential.audience_keys import P256, AudienceFolder, AudienceKey
from cameo_credential.errors import CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.key_files import create_json

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import World

NAME = "https://generator.example"


def test_what_was_encrypted_to_either_key_opens(world: World) -> None:
    """The header's `kid` says to which, on whatever curve it is; a third key's token is not for these."""
    first, second, third = world.audience_key, AudienceKey.generate(NAME, P256), AudienceKey.generate(NAME)
    for each in (first, second):
        token = world.issue(audience_key=each.public()).credential
        for both in ([first, second], (second, first)):
            assert world.open(token, audience_key=both).jti == "jti-1"
    with pytest.raises(CredentialError) as refused:
        world.open(world.issue(audience_key=third.public()).credential, audience_key=[first, second])
    assert refused.value.reason == "not_for_this_key"


def test_the_key_that_was_registered_later_is_encrypted_to(tmp_path: Path) -> None:
    """Only if it is said to replace the former, which is used again when the later one is removed; a third waits."""
    folder = AudienceFolder(tmp_path / "audiences")
    first, second, third = (AudienceKey.generate(NAME, signature=wish) for wish in ("Ed25519", "ES256", "Ed25519"))
    folder.add(first)
    with pytest.raises(InvalidRequestError, match="--rotate"):
        folder.add(second)
    path = folder.add(second, rotate=True)
    assert (folder.get(NAME), len(folder.all())) == (folder.all()[[key.kid for key in folder.all()].index(second.kid)], 2)
    assert folder.get(NAME).kid == second.kid
    assert folder.signatures() == {NAME: "ES256"}
    assert folder.add(second, rotate=True) == path
    with pytest.raises(InvalidRequestError, match=f"remove the former, .*{first.kid}"):
        folder.add(third, rotate=True)
    path.rename(tmp_path / "away")
    assert (folder.get(NAME).kid, folder.signatures()) == (first.kid, {NAME: "Ed25519"})
    (tmp_path / "away").rename(path)
    (tmp_path / "audiences" / f"{first.kid}.jwk").unlink()
    assert folder.get(NAME).kid == second.kid
    folder.add(third, rotate=True)
    assert folder.get(NAME).kid == third.kid


def test_a_key_file_says_nothing_of_other_audiences_keys(tmp_path: Path) -> None:
    """What a registered file claims to replace counts for its own audience, and is written by the issuer alone."""
    folder = AudienceFolder(tmp_path / "audiences")
    other, ours = AudienceKey.generate("https://other.example"), AudienceKey.generate(NAME)
    folder.add(ours)
    folder.add(AudienceKey.from_jwk({**other.to_jwk(), "replaces": ours.kid}))
    assert (folder.get(NAME).kid, folder.get("https://other.example").replaces) == (ours.kid, "")
    create_json(tmp_path / "audiences" / "z.jwk", AudienceKey.generate(NAME).public().to_jwk(), secret=False)
    with pytest.raises(KeyFileError, match="2 keys"):
        folder.get(NAME)


class Held:
    """A key in a service; what it was asked for is counted."""

    def __init__(self, number: int) -> None:
        self.private = derive_private_key(number, SECP256R1())
        self.asked = 0
        self.is_away = False

    def public_key(self) -> bytes:
        """Return the point."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def agree(self, public: bytes) -> bytes:
        """Return the secret."""
        self.asked += 1
        if self.is_away:
            raise KeyFileError("the service is away")
        return self.private.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public))


class Ed25519Held(Held):
    """A key of another kind."""

    def public_key(self) -> bytes:
        """Return 32 bytes."""
        return bytes(31) + b"\x01"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """The key at testkms://good; that at testkms://other is another one, testkms://ed25519 is of another kind."""
    keys = {"testkms://good": Held(7), "testkms://other": Held(8), "testkms://ed25519": Ed25519Held(9)}
    entry = EntryPoint("testkms", f"{__name__}:keys", "cameo.decryption_backends")
    monkeypatch.setattr(EntryPoint, "load", lambda _: keys.__getitem__)
    monkeypatch.setattr(signing_backends, "entry_points", lambda **wanted: EntryPoints([entry]).select(**wanted))
    return keys["testkms://good"]


def test_a_held_key_decrypts_and_its_file_has_only_its_address(held: Held, tmp_path: Path, world: World) -> None:
    """The issuer gets the public half as of any key; the backend is asked once a token, and never about a point elsewhere."""
    made = AudienceKey.held(NAME, "testkms://good")
    create_json(tmp_path / "key.jwk", made.to_jwk(), secret=True)
    document = json.loads((tmp_path / "key.jwk").read_text())
    assert (document["key_uri"], "d" in document, "key_uri" in made.public().to_jwk()) == ("testkms://good", False, False)
    key = AudienceKey.load_private(tmp_path / "key.jwk")
    token = world.issue(audience_key=key.public()).credential
    assert world.open(token, audience_key=key).jti == "jti-1"
    assert held.asked == 1
    for broken in (token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB"), token.replace(".", ".AA", 1)):
        with pytest.raises(CredentialError):
            world.open(broken, audience_key=key)
    held.is_away = True
    with pytest.raises(KeyFileError, match="the service is away"):
        world.open(token, audience_key=key)


@pytest.mark.usefixtures("held")
def test_a_held_key_is_the_one_of_its_file(tmp_path: Path) -> None:
    """Another key at the URI, one of another kind, a private half beside it, and nothing there are told."""
    good = AudienceKey.held(NAME, "testkms://good").to_jwk()
    for changed, says in (
        ({"key_uri": "testkms://other"}, "another one"),
        ({"key_uri": "testkms://ed25519"}, "not on P-256"),
        ({"key_uri": "testkms://none"}, "KeyError"),
        ({"key_uri": "otherkms://key"}, "otherkms"),
    ):
        with pytest.raises(KeyFileError, match=says):
            AudienceKey.from_jwk({**good, **changed}, own=True)
    for other in (AudienceKey.generate(NAME), AudienceKey.generate(NAME, P256)):
        with pytest.raises(KeyFileError, match="no private half"):
            AudienceKey.from_jwk({**other.to_jwk(), "key_uri": "testkms://good"}, own=True)
    create_json(tmp_path / "key.pub", good, secret=False)
    assert AudienceKey.load_public(tmp_path / "key.pub").key_uri == ""


def test_a_strangers_key_file_opens_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A URI in a public key file, which comes from outside, is not looked at by the issuer."""
    monkeypatch.setattr(signing_backends, "entry_points", lambda **_: pytest.fail("a backend was sought"))
    jwk = {**AudienceKey.generate(NAME, P256).public().to_jwk(), "key_uri": "pkcs11:token=x;object=y?module-path=/evil.so"}
    create_json(tmp_path / "key.pub", jwk, secret=False)
    folder = AudienceFolder(tmp_path / "audiences")
    path = folder.add(AudienceKey.load_public(tmp_path / "key.pub"))
    assert "key_uri" not in path.read_text()
    assert folder.get(NAME).key_uri == ""
