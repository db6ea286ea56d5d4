"""Ids, wherever they are made, are arguments of commands."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

import cameo_verifier
from cameo_credential.issuer_keys import SigningKey
from cameo_verifier import ids
from cameo_verifier.console import app as console
from cameo_verifier.server import app as server

if TYPE_CHECKING:
    import pytest

ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}")
SECRETS = {"console/local_token.py", "console/sessions.py", "console/openid.py", "store/sign_in_tokens.py"}
"""Where random text is a secret that nobody types."""


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1), st.binary(min_size=15, max_size=15))
def test_no_id_begins_with_a_dash(drawn: list[bytes], last: bytes) -> None:
    """Whatever is drawn, and however often it would begin with a dash."""
    texts = [urlsafe_b64encode(each).rstrip(b"=").decode() for each in [b"\xf8" + last, *drawn, b"\0" + last]]
    assert texts[0].startswith("-")
    wanted = next(text for text in texts if not text.startswith("-"))
    made = ids.new_id(lambda _: texts.pop(0))
    assert made == wanted
    assert ID.fullmatch(made)


def test_there_is_one_maker_of_ids() -> None:
    """Server, console and commands take theirs from it; what else draws random text makes secrets."""
    assert server.new_id is console.new_id is ids.new_id
    root = Path(cameo_verifier.__file__).parent
    makers = {str(path.relative_to(root)) for path in root.rglob("*.py") if "token_urlsafe" in path.read_text("utf-8")}
    assert makers == SECRETS | {"ids.py"}


def test_no_key_is_named_with_a_dash_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key whose thumbprint begins with a dash is drawn anew: `cameo credential retire` takes the name."""
    thumbprints = iter(["-first", "-second", "third"])
    made: list[OKPKey] = []
    generate = OKPKey.generate_key

    def named(curve: str) -> OKPKey:
        key = generate(curve)
        name = next(thumbprints)
        monkeypatch.setattr(key, "thumbprint", lambda: name, raising=False)
        made.append(key)
        return key

    monkeypatch.setattr(OKPKey, "generate_key", named)
    assert SigningKey.generate(now=datetime.now(UTC)).kid == "third"
    assert len(made) == 3
