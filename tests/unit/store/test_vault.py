from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.claims import Embedding
from cameo_credential.errors import KeyFileError
from cameo_credential.key_files import open_secret
from cameo_credential.likeness import from_bytes, to_bytes
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.cameos.vault import KEY_BYTES, SealedLikeness, Vault, VaultError
from cameo_verifier.store.credentials.earned import Earned
from tests.unit.store.conftest import NOW
from tests.unit.store.test_attempt_store import ACCEPTED, RECEIPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge

VAULT = Vault(bytes(range(32)))


def test_a_likeness_comes_back_exactly() -> None:
    """Face and voice survive the vault bit by bit, with the models that made them."""
    face, voice = (
        Embedding(name, name[0] * 64, np.random.default_rng(len(name)).normal(size=512).astype(np.float32))
        for name in ("face", "voice")
    )
    opened = from_bytes(VAULT.open(VAULT.seal("c1", to_bytes(face, voice))))
    for before, after in zip((face, voice), opened, strict=True):
        assert (after.model, after.model_sha256) == (before.model, before.model_sha256)
        np.testing.assert_array_equal(after.vector, before.vector)


@given(st.data())
def test_any_flipped_bit_and_any_move_is_noticed(data: st.DataObject) -> None:
    """A changed bit, another cameo's row and another vault key all refuse to open, and the error tells nothing."""
    sealed = VAULT.seal("c1", b"face and voice")
    part = data.draw(st.sampled_from(("wrapped_key", "sealed")))
    ciphertext = bytearray(getattr(sealed, part))
    place = data.draw(st.integers(0, 8 * len(ciphertext) - 1))
    ciphertext[place // 8] ^= 1 << place % 8
    other = VAULT.seal("c2", b"face and voice")
    for forged, vault in (
        (replace(sealed, **{part: bytes(ciphertext)}), VAULT),
        (replace(sealed, cameo_id="c2"), VAULT),
        (replace(sealed, wrapped_key=other.wrapped_key), VAULT),
        (replace(sealed, sealed=b""), VAULT),
        (sealed, Vault(bytes(32))),
    ):
        with pytest.raises(VaultError, match="does not open"):
            vault.open(forged)


def test_two_seals_share_nothing() -> None:
    """Each seal has its own data key and nonces; the likeness is not in it."""
    one, two = VAULT.seal("c1", b"face and voice"), VAULT.seal("c1", b"face and voice")
    assert one.sealed != two.sealed
    assert one.wrapped_key != two.wrapped_key
    assert b"face" not in one.sealed
    assert "sealed" not in repr(one)


def test_a_vault_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    """The file is the owner's alone; one that is open to others or of another length is refused."""
    path = tmp_path / "keys" / "vault.jwk"
    sealed = _vault(path).seal("c1", b"face and voice")
    assert _vault(path).open(sealed) == b"face and voice"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        _vault(path)
    path.write_text('{"kty": "oct", "k": "AAAA"}')
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="32 bytes"):
        _vault(path)


def _vault(path: Path) -> Vault:
    return open_secret(path, KEY_BYTES, Vault, kind="vault key")


def test_an_unclaimed_likeness_is_kept_with_its_judgement_and_destroyed_in_time(
    engine: Engine, issued: Callable[[str], Challenge]
) -> None:
    """The accepted attempt keeps it in the same transaction; nobody makes a cameo of it, so it goes."""
    ChallengeStore(engine).add(issued("c1"), subject="ann")
    attempts, likenesses = AttemptStore(engine), LikenessStore(engine)
    attempts.begin("a1", challenge_id="c1", audience="https://g.example", request_id="r", now=NOW)
    sealed = VAULT.seal("cameo-1", b"face and voice")
    attempts.finish("a1", ACCEPTED, now=NOW, earned=Earned(RECEIPT), likeness=sealed)
    assert likenesses.of("cameo-1") == SealedLikeness("cameo-1", sealed.wrapped_key, sealed.sealed)
    assert likenesses.drop_unclaimed(before=NOW) == 0
    assert likenesses.drop_unclaimed(before=NOW + timedelta(seconds=1)) == 1
    with pytest.raises(NotFoundError):
        likenesses.of("cameo-1")
