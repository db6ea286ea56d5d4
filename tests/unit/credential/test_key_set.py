"""Key rotation: keys are made, published before they sign, retired, and replaced in a file that a server watches."""

from __future__ import annotations

import json
import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cameo_credential import signing_backends
from cameo_credential.errors import CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import SigningKey
from cameo_credential.key_set import KeyFile, KeySet, change, new_key
from cameo_credential.signing_backends import FileBackend

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import World

    from cameo_credential.signing_backends import SigningBackend

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HELD = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)


class Wrong(FileBackend):
    """Says it holds one key and signs with another."""

    def sign(self, message: bytes) -> bytes:
        """Return a signature of another key."""
        return Ed25519PrivateKey.from_private_bytes(b"\x08" * 32).sign(message)


def open_held(uri: str) -> SigningBackend:
    """Open testkms://good and testkms://wrong; nothing else is there."""
    kinds = {"testkms://good": FileBackend, "testkms://wrong": Wrong}
    if uri not in kinds:
        raise LookupError("no such key")
    return kinds[uri](HELD)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend for the scheme `testkms`, found as an installed one is."""
    entry = EntryPoint("testkms", f"{__name__}:open_held", "cameo.signing_backends")
    monkeypatch.setattr(EntryPoint, "load", lambda _: open_held)
    monkeypatch.setattr(signing_backends, "entry_points", lambda **wanted: EntryPoints([entry]).select(**wanted))


def test_a_key_is_published_before_it_signs_and_verifies_after_it_signed(world: World) -> None:
    """Readers who keep the keys of any moment for as long as the overlap never meet a key that they do not know."""
    first = SigningKey.generate(now=NOW)
    kept = KeySet((first,)).rotated(new_key(starts=NOW + DAY, now=NOW), now=NOW)
    second = kept.keys[1]
    for hours in range(72):
        now = NOW + timedelta(hours=hours)
        active = kept.at(now).active
        assert active.kid == (first if hours < 24 else second).kid
        known = kept.at(max(now - DAY, NOW)).public()
        opened = world.open(world.issue(keys=kept.at(now), now=now).credential, issuer_keys=known, now=now)
        assert opened.kid == active.kid


def test_a_retired_key_verifies_and_a_distrusted_one_does_not(world: World) -> None:
    """What a retired key signed opens though no private half of it is left; what a distrusted one signed is `unknown_key`."""
    first = SigningKey.generate(now=NOW)
    token = world.issue(keys=KeySet((first,)).at(NOW)).credential
    kept = KeySet((first,)).rotated(new_key(starts=NOW, now=NOW), now=NOW)
    retired = kept.retired(first.kid, now=NOW)
    assert world.open(token, issuer_keys=retired.at(NOW).public()).kid == first.kid
    [jwk] = [jwk for jwk in retired.to_jwks()["keys"] if jwk["kid"] == first.kid]
    assert "d" not in jwk
    assert KeySet.from_jwks(retired.to_jwks()) == retired
    gone = retired.retired(first.kid, now=NOW, distrust=True)
    with pytest.raises(CredentialError) as refused:
        world.open(token, issuer_keys=gone.at(NOW).public())
    assert refused.value.reason == "unknown_key"


def test_someone_can_always_sign() -> None:
    """The last key that may sign now cannot be retired, not even while the next one waits; unknown and retired ones are told."""
    first = SigningKey.generate(now=NOW)
    kept = KeySet((first,)).rotated(new_key(starts=NOW + DAY, now=NOW), now=NOW)
    for distrust in (False, True):
        with pytest.raises(InvalidRequestError, match="rotate"):
            kept.retired(first.kid, now=NOW, distrust=distrust)
    later = kept.retired(first.kid, now=NOW + DAY)
    with pytest.raises(InvalidRequestError, match="retired already"):
        later.retired(first.kid, now=NOW + DAY)
    with pytest.raises(InvalidRequestError, match="no key nobody"):
        kept.retired("nobody", now=NOW)
    with pytest.raises(KeyFileError, match="rotate --overlap-h 0"):
        kept.at(NOW - DAY)


def test_keys_whose_time_is_over_are_dropped_when_a_new_one_comes() -> None:
    """A rotation two years later leaves the new key alone; the same key twice is refused."""
    first = SigningKey.generate(now=NOW)
    later = NOW + 731 * DAY
    new = new_key(starts=later, now=later)
    assert KeySet((first,)).rotated(new, now=later).keys == (new,)
    with pytest.raises(InvalidRequestError, match="has key"):
        KeySet((new,)).rotated(new, now=later)


def test_of_keys_that_start_together_the_later_made_signs() -> None:
    """A rotation in a hurry takes effect in the second in which the key before it was made."""
    first = SigningKey.generate(now=NOW)
    new = new_key(starts=NOW, now=NOW)
    assert KeySet((first,)).rotated(new, now=NOW).at(NOW).active is new


def test_a_running_server_takes_up_a_changed_file(tmp_path: Path) -> None:
    """Rotation and time change what signs without a restart; a file that cannot be used is reported and changes nothing."""
    path, now, errors = tmp_path / "issuer.jwks", NOW, []
    watched = KeyFile(path, clock=lambda: now, report=errors.append)
    first = watched.current().active.kid
    new = new_key(starts=NOW + DAY, now=NOW)
    change(path, lambda kept: kept.rotated(new, now=NOW))
    assert watched.current().active.kid == first
    assert set(watched.current().public().keys) == {first, new.kid}
    now = NOW + DAY
    assert watched.current().active.kid == new.kid
    path.write_text("{}")
    assert watched.current().active.kid == new.kid
    assert watched.current().active.kid == new.kid
    [error] = errors
    assert str(path) in str(error)
    path.unlink()
    assert watched.current().active.kid == new.kid


def test_a_file_is_replaced_whole_and_stays_the_owners(tmp_path: Path) -> None:
    """After a change the file is owner-only and no trace but the lock lies beside it; a change that fails changes nothing."""
    path = tmp_path / "issuer.jwks"
    before = KeySet.open(path, now=NOW)
    changed = change(path, lambda kept: kept.rotated(new_key(starts=NOW, now=NOW), now=NOW))
    assert KeySet.load(path) == changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {entry.name for entry in tmp_path.iterdir()} == {"issuer.jwks", ".issuer.jwks.lock"}
    text = path.read_text()
    with pytest.raises(InvalidRequestError):
        change(path, lambda kept: kept.retired("nobody", now=NOW))
    assert path.read_text() == text
    assert before.keys[0].kid in text


def _rotate(path: Path) -> str:
    made = new_key(starts=NOW, now=NOW)
    change(path, lambda kept: kept.rotated(made, now=NOW))
    return made.kid


def test_changes_at_once_all_happen(tmp_path: Path) -> None:
    """Of twelve rotations by four processes none is lost."""
    path = tmp_path / "issuer.jwks"
    KeySet.open(path, now=NOW)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(_rotate, [path] * 12, chunksize=1)
    assert {key.kid for key in KeySet.load(path).keys} >= set(made)
    assert len(KeySet.load(path).keys) == 13


@pytest.mark.usefixtures("installed")
def test_a_key_held_elsewhere_signs_and_only_its_address_is_kept(tmp_path: Path, world: World) -> None:
    """The file holds URI and public key; what the backend signs opens like any other, also after the file was read again."""
    path = tmp_path / "issuer.jwks"
    KeySet.open(path, now=NOW, key_uri="testkms://good")
    [jwk] = json.loads(path.read_text())["keys"]
    assert (jwk["key_uri"], "d" in jwk) == ("testkms://good", False)
    keys = KeySet.load(path).at(NOW)
    opened = world.open(world.issue(keys=keys).credential, issuer_keys=keys.public())
    assert opened.kid == jwk["kid"]
    assert "key_uri" not in str(keys.public().to_jwks())


@pytest.mark.usefixtures("installed")
def test_what_a_backend_signs_wrongly_is_never_given_out(world: World) -> None:
    """A signature that does not verify stops the issue as a fault of ours."""
    keys = KeySet((new_key(starts=NOW, now=NOW, key_uri="testkms://wrong"),)).at(NOW)
    with pytest.raises(RuntimeError, match="does not verify"):
        world.issue(keys=keys)


@pytest.mark.usefixtures("installed")
def test_a_backend_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Nothing installed for the scheme, no such key, and another key than the file's: each says which."""
    for uri, message in (("otherkms://key", "otherkms"), ("no-scheme", "no-scheme"), ("testkms://none", "LookupError")):
        with pytest.raises(KeyFileError, match=message):
            KeySet.open(tmp_path / "issuer.jwks", now=NOW, key_uri=uri)
    document = KeySet((SigningKey.generate(now=NOW).public(),)).to_jwks()
    document["keys"][0]["key_uri"] = "testkms://good"
    with pytest.raises(KeyFileError, match="another one"):
        KeySet.from_jwks(document)
