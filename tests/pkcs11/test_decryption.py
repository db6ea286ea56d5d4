"""An audience's key in a token of SoftHSM2: what is encrypted to it opens there, and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from cameo_credential import envelope
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.errors import CredentialError, KeyFileError
from cameo_credential.key_files import create_json
from tests.pkcs11.conftest import P256, Token, bring_back, make_key, take_away

if TYPE_CHECKING:
    from pathlib import Path

NAME = "https://generator.example"


@pytest.fixture
def key(token: Token, tmp_path: Path) -> AudienceKey:
    """An audience's key on the token, out of its file."""
    make_key("audience", curve=P256)
    create_json(tmp_path / "key.jwk", AudienceKey.held(NAME, token.uri(object="audience")).to_jwk(), secret=True)
    return AudienceKey.load_private(tmp_path / "key.jwk")


def test_a_token_decrypts_what_is_encrypted_to_its_key(key: AudienceKey) -> None:
    """Four threads at once each get what was encrypted for them; a changed envelope is `tampered`, as with any key."""
    sealed = [envelope.encrypt(f"a.b.{number}", audience_key=key.public()) for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda each: envelope.decrypt(each, audience_key=key), sealed))
    assert opened == [f"a.b.{number}" for number in range(20)]
    before, _, tag = sealed[0].rpartition(".")
    with pytest.raises(CredentialError) as refused:
        envelope.decrypt(f"{before}.{'A' if tag[0] != 'A' else 'B'}{tag[1:]}", audience_key=key)
    assert refused.value.reason == "tampered"


def test_a_token_that_is_removed_and_comes_back_decrypts_again(key: AudienceKey, token: Token, tmp_path: Path) -> None:
    """While it is away that is said, and not that the credential is no good."""
    sealed = envelope.encrypt("a.b.c", audience_key=key.public())
    take_away(token, tmp_path / "away")
    with pytest.raises(KeyFileError, match="token 'cameo' is not there"):
        envelope.decrypt(sealed, audience_key=key)
    bring_back(token, tmp_path / "away")
    assert envelope.decrypt(sealed, audience_key=key) == "a.b.c"


def test_a_key_of_ed25519_decrypts_nothing(token: Token) -> None:
    """A key that signs is refused when it is named."""
    with pytest.raises(KeyFileError, match="not on P-256"):
        AudienceKey.held(NAME, token.uri())
