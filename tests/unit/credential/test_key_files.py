from __future__ import annotations

import json
import multiprocessing
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import OKPKey

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey, VerificationKeys
from cameo_credential.key_files import create_json
from cameo_credential.key_set import KeySet
from cameo_credential.pairwise import PairwiseKey

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_made_on_first_start_and_kept(tmp_path: Path) -> None:
    """The first start writes an owner-only file; the second reads the same key back."""
    path = tmp_path / "keys" / "issuer.jwks"

    made = KeySet.open(path, now=NOW).at(NOW)
    again = KeySet.open(path, now=NOW + timedelta(days=9)).at(NOW + timedelta(days=9))

    assert again == made
    assert again.active.issued_at == NOW
    assert again.active.kid == OKPKey.import_key(made.active.key.as_dict(private=False)).thumbprint()
    assert (_mode(path), _mode(path.parent)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["issuer.jwks"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_that_others_may_access_is_refused(tmp_path: Path, mode: int) -> None:
    """Any permission of group or others on a secret stops the service, with the command that mends it."""
    issuer, pairwise, audience = tmp_path / "issuer.jwks", tmp_path / "pairwise.jwk", tmp_path / "audience.jwk"
    KeySet.open(issuer, now=NOW).at(NOW)
    PairwiseKey.open(pairwise)
    create_json(audience, AudienceKey.generate("https://generator.example").to_jwk(), secret=True)
    for path in (issuer, pairwise, audience):
        path.chmod(mode)

    with pytest.raises(KeyFileError, match=f"chmod 600 {issuer}"):
        KeySet.open(issuer, now=NOW).at(NOW)
    with pytest.raises(KeyFileError, match=f"chmod 600 {pairwise}"):
        PairwiseKey.open(pairwise)
    with pytest.raises(KeyFileError, match=f"chmod 600 {audience}"):
        AudienceKey.load_private(audience)


def _open_issuer_keys(path: Path) -> str:
    return KeySet.open(path, now=NOW).at(NOW).active.kid


def test_servers_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    """Four processes that make the key at the same time end up with the same one."""
    path = tmp_path / "issuer.jwks"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        kids = pool.map(_open_issuer_keys, [path] * 16, chunksize=1)

    assert set(kids) == {KeySet.open(path, now=NOW).at(NOW).active.kid}


def test_several_keys_one_active(tmp_path: Path) -> None:
    """A set with a retired key comes back whole, and its public half holds no private member."""
    old, new = SigningKey.generate(now=NOW - timedelta(days=300)), SigningKey.generate(now=NOW)
    keys = IssuerKeys(new, (old.public(),))
    path = tmp_path / "issuer.jwks"
    create_json(path, KeySet((old.public(), new)).to_jwks(), secret=True)

    read = KeySet.open(path, now=NOW).at(NOW)
    published = keys.public("https://issuer.example").to_jwks()

    assert read == keys
    assert published["issuer"] == "https://issuer.example"
    assert [set(jwk) for jwk in published["keys"]] == [{"kty", "crv", "x", "kid", "use", "iat", "nbf", "exp"}] * 2
    assert VerificationKeys.from_jwks(published) == keys.public("https://issuer.example")


FOREIGN: list[object] = [
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"},
    {"kty": "AKP", "alg": "ML-DSA-44", "kid": "new"},
    {"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "enc", "use": "enc"},
    {"kty": "oct", "k": "AAAA"},
    "key",
    None,
]


def test_keys_that_are_not_understood_are_ignored() -> None:
    """A reader takes the keys it knows out of a set of all kinds; a key for another use or algorithm is none of them."""
    keys = IssuerKeys(SigningKey.generate(now=NOW)).public("https://issuer.example")
    published = keys.to_jwks()
    [jwk] = published["keys"]
    other = IssuerKeys(SigningKey.generate(now=NOW)).public().to_jwks()["keys"][0]
    others = [{**other, "use": "enc"}, {**other, "alg": "Ed448"}, {**other, "kid": "mine"}]

    assert VerificationKeys.from_jwks({**published, "keys": [*FOREIGN, *others, jwk]}) == keys
    for name in ("Ed25519", "EdDSA"):
        assert VerificationKeys.from_jwks({**published, "keys": [{**jwk, "alg": name}]}) == keys


def test_a_set_without_a_key_that_is_understood_is_refused() -> None:
    """An empty remainder is an error that says why."""
    with pytest.raises(KeyFileError, match=r"none of the set's keys is one of an issuer: .*not a key of Ed25519 or on P-256"):
        VerificationKeys.from_jwks({"keys": FOREIGN})


def _break(document: dict[str, object], **changes: object) -> dict[str, object]:
    keys = document["keys"]
    assert isinstance(keys, list)
    return {**document, "keys": [{**keys[0], **changes}]}


def test_a_key_file_is_read_strictly(tmp_path: Path) -> None:
    """A missing part, a foreign curve, a borrowed name or half of another key is refused with the file's name."""
    other = SigningKey.generate(now=NOW).key.as_dict(private=True)
    good = KeySet((SigningKey.generate(now=NOW),)).to_jwks()
    broken = [
        {},
        {"keys": []},
        {"keys": good["keys"] * 2},
        _break(good, nbf="soon"),
        _break(good, kid="mine"),
        _break(good, crv="Ed448"),
        _break(good, d=other["d"]),
        _break(good, d="AA"),
        _break(good, iat="yesterday"),
        _break(good, exp=10**30),
    ]
    for number, document in enumerate(broken):
        path = tmp_path / f"{number}.jwks"
        create_json(path, document, secret=True)
        with pytest.raises(KeyFileError, match=str(path)):
            KeySet.open(path, now=NOW).at(NOW)
    path = tmp_path / "text.jwks"
    path.write_text("not json")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not a JSON key file"):
        KeySet.open(path, now=NOW).at(NOW)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    """Writing over an existing key changes nothing and says so."""
    path = tmp_path / "key.jwk"

    assert create_json(path, {"first": 1}, secret=True)
    assert not create_json(path, {"second": 2}, secret=True)
    assert json.loads(path.read_text()) == {"first": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.jwk"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where no key can be written, the error names the file."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyFileError, match="cannot write key file"):
        PairwiseKey.open(tmp_path / "file" / "pairwise.jwk")


def test_the_pairwise_key_survives_a_restart(tmp_path: Path) -> None:
    """Pseudonyms stay the same after the key was read back from its file."""
    path = tmp_path / "pairwise.jwk"
    pseudonym = PairwiseKey.open(path).pseudonym("account-7", "https://generator.example")

    assert PairwiseKey.open(path).pseudonym("account-7", "https://generator.example") == pseudonym
    assert _mode(path) == 0o600
    broken = tmp_path / "broken.jwk"
    create_json(broken, {"kty": "oct", "k": "AAAA"}, secret=True)
    with pytest.raises(KeyFileError, match="32 bytes"):
        PairwiseKey.open(broken)


def test_the_issuer_finds_audiences_by_name(tmp_path: Path) -> None:
    """A registered audience is found at once, an unknown one gets the command to run, a second key for one is refused."""
    folder = AudienceFolder(tmp_path / "audiences")
    key = AudienceKey.generate("https://generator.example")

    with pytest.raises(InvalidRequestError, match="cameo credential register"):
        folder.get("https://generator.example")
    path = folder.add(key)

    assert folder.add(key) == path
    assert folder.get("https://generator.example") == key.public()
    assert not folder.get("https://generator.example").is_private
    assert "d" not in json.loads(path.read_text())
    with pytest.raises(InvalidRequestError, match="another key already"):
        folder.add(AudienceKey.generate("https://generator.example"))


BAD_NAMES = (
    *(
        "",
        " ",
        "https://generator.example ",
        "https://gene rator.example",
        "https://generator.example\n",
        "a\tb",
        "a\x00b",
        "a\x7fb",
    ),
    *("*", "https://*.example", "x" * 129),
    "https://g\u0435nerator.example",  # a Cyrillic letter among Latin ones
    "https://\u0430\u0440\u0440\u04cf\u0435.example",  # nothing but Cyrillic letters, which read "apple"
    *("cafe\u0301", "caf\u00e9", "a\u200bb", "\u202egenerator", "\ud800"),
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_could_be_misread_are_no_audiences(tmp_path: Path, name: str) -> None:
    """Neither is a key made for such a name nor is one registered that somebody else made."""
    folder = AudienceFolder(tmp_path / "audiences")
    with pytest.raises(InvalidRequestError, match="ASCII"):
        AudienceKey.generate(name)
    made = replace(AudienceKey.generate("https://generator.example"), audience=name)
    with pytest.raises(InvalidRequestError, match=r"ASCII|whose it is"):
        folder.add(made)
    assert folder.signatures() == {}


def test_names_of_uris_are_audiences(tmp_path: Path) -> None:
    """The longest name, an international domain name as DNS spells it, and names that are no URI are registered."""
    folder = AudienceFolder(tmp_path / "audiences")
    names = ("x" * 128, "https://xn--caf-dma.example:8443/a?b=c#d", "shorts.example", "urn:cameo:audience:7")
    for name in names:
        folder.add(AudienceKey.generate(name))
    assert set(folder.signatures()) == set(names)
    with pytest.raises(InvalidRequestError, match=r"could be taken for 'shorts\.example'"):
        folder.add(AudienceKey.generate("Shorts.example"))


def test_private_and_public_halves_are_not_mixed_up(tmp_path: Path) -> None:
    """The issuer refuses a private audience key, and the audience a public one."""
    key = AudienceKey.generate("https://generator.example")
    private, public = tmp_path / "audience.jwk", tmp_path / "audience.jwk.pub"
    create_json(private, key.to_jwk(), secret=True)
    create_json(public, key.public().to_jwk(), secret=True)

    with pytest.raises(KeyFileError, match="holds a private key"):
        AudienceKey.load_public(private)
    with pytest.raises(KeyFileError, match="only the public half"):
        AudienceKey.load_private(public)
    with pytest.raises(InvalidRequestError, match="needs a name"):
        AudienceKey.generate(" ")
