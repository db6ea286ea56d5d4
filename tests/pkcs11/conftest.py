"""What needs a PKCS#11 module: collected only where there is SoftHSM2 and the library (`make test-pkcs11`)."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.grpc.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serve"]

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
ED25519, P256, SECP256K1 = "1.3.101.112", "1.2.840.10045.3.1.7", "1.3.132.0.10"

collect_ignore_glob = [] if MODULE.exists() and find_spec("pkcs11") else ["test_*.py"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token with a key `issuer`, and the file of its PIN."""

    folder: Path
    pin: Path

    def uri(self, **changes: str) -> str:
        """Return the URI of the key; an attribute changed to nothing is left out."""
        path = {"token": "cameo", "object": "issuer"}
        query = {"module-path": str(MODULE), "pin-source": str(self.pin)}
        for name, value in changes.items():
            (path if name in {"token", "object", "id", "serial"} else query)[name.replace("_", "-")] = value
        joined = (
            separator.join(f"{name}={value}" for name, value in each.items() if value)
            for separator, each in ((";", path), ("&", query))
        )
        return f"pkcs11:{'?'.join(joined)}"


def make_key(label: str, *, curve: str = ED25519, pin: str | None = "1234", **identifier: Any) -> None:
    """Make a key on the token, as an operator does with the vendor's tool; no PIN where one is logged in already."""
    pkcs11 = import_module("pkcs11")
    named_curve = import_module("pkcs11.util.ec").encode_named_curve_parameters(curve)
    with pkcs11.lib(str(MODULE)).get_token(token_label="cameo").open(user_pin=pin, rw=True) as session:  # noqa: S106 - of a test
        types, mechanisms = pkcs11.KeyType, pkcs11.Mechanism
        kind, mechanism = (
            (types.EC_EDWARDS, mechanisms.EC_EDWARDS_KEY_PAIR_GEN) if curve == ED25519 else (types.EC, mechanisms.EC_KEY_PAIR_GEN)
        )
        made = session.create_domain_parameters(kind, {pkcs11.Attribute.EC_PARAMS: named_curve}, local=True)
        derives = {pkcs11.Attribute.DERIVE: True} if curve == P256 else {}
        made.generate_keypair(mechanism=mechanism, store=True, label=label, private_template=derives, **identifier)


def take_away(token: Token, away: Path) -> None:
    """Remove a token while it is in use."""
    shutil.move(token.folder, away)
    token.folder.mkdir()
    import_module("pkcs11").lib(
        str(MODULE)
    ).reinitialize()  # SoftHSM notices a missing folder only so; a device says it by itself


def bring_back(token: Token, away: Path) -> None:
    """Put a token back."""
    token.folder.rmdir()
    shutil.move(away, token.folder)


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    """A token in a folder of its own."""
    folder = tmp_path / "tokens"
    folder.mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    made = ["softhsm2-util", "--init-token", "--free", "--label", "cameo", "--pin", "1234", "--so-pin", "4321"]
    subprocess.run(made, check=True, capture_output=True, env=dict(os.environ))
    pin = tmp_path / "token.pin"
    pin.write_text("1234\n")
    pin.chmod(0o600)
    pkcs11 = import_module("pkcs11")
    pkcs11.lib(str(MODULE)).reinitialize()
    make_key("issuer", id=b"\x01")
    yield Token(folder, pin)
    pkcs11.unload(str(MODULE))
