"""The same forged tokens at every place that reads one: refused there, each for its reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cameo_credential.encoding import from_base64url, to_base64url, to_json
from cameo_credential.errors import CredentialError
from tests.token_readers import Reader, another_key, caller_readers, issuer_readers, openid_readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import World

ROOT = Path(__file__).parents[3]
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
READERS = (
    *("credential", "receipt", "grant", "status list"),
    *("credential, ES256", "receipt, ES256", "grant, ES256", "status list, ES256"),
    *(f"{who} token, {alg}" for who in ("caller's", "requester's") for alg in ("Ed25519", "ES256")),
    *("ID token, RS256", "ID token, ES384", "ID token, EdDSA"),
)


OTHERS = {
    "Ed25519": ("ES256", "ES384", "RS256"),
    "EdDSA": ("ES256", "ES384", "RS256"),
    "ES256": ("Ed25519", "EdDSA", "ES384"),
    "ES384": ("Ed25519", "EdDSA", "ES256", "RS256"),
    "RS256": ("Ed25519", "EdDSA", "ES256"),
}
"""By the good algorithm, others that some key of some place is for."""


@pytest.fixture
def readers(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    """Every place that reads a signed token."""
    return issuer_readers(world) | caller_readers(tmp_path_factory.mktemp("app")) | openid_readers()


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, readers: dict[str, Reader]) -> Reader:
    """One of them."""
    return readers[request.param]


def _unsigned(_: bytes) -> bytes:
    return b""


def _hashed(reader: Reader, key: bytes) -> str:
    return reader.token({"alg": "HS256"}, sign=lambda message: hmac.new(key, message, hashlib.sha256).digest())


def _flipped(reader: Reader, bit: int) -> str:
    signed, _, signature = reader.token().rpartition(".")
    data = bytearray(from_base64url(signature))
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    return f"{signed}.{to_base64url(bytes(data))}"


def _twice(members: dict[str, Any], name: str) -> bytes:
    return to_json({name: members[name]})[:-1] + b"," + to_json(members)[1:]


def _spare_bits(token: str) -> str:
    """Return the token with the bits set that its last base64 character does not use, or with a character too many."""
    spare = {0: None, 2: 0b1111, 3: 0b11}[len(token.rpartition(".")[2]) % 4]
    return f"{token}A" if spare is None else token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) | spare]


def _by_algorithm(reader: Reader) -> Iterator[str]:
    yield from (reader.token({"alg": alg}, sign=_unsigned) for alg in ("none", "None", "NONE", ""))
    yield reader.token({"alg": "none"})
    yield from (_hashed(reader, key) for key in reader.public)
    yield from (reader.token({"alg": alg}) for alg in ("HS512", "Ed448", "ES256K", ["none"], 1))
    yield from (reader.token({"alg": alg}) for alg in OTHERS[reader.header["alg"]])
    yield reader.token({"alg": None})


def _by_header(reader: Reader) -> Iterator[str]:
    stranger = another_key(reader)
    for crit in ([], ["exp"], ["b64"], "b64"):
        yield reader.token({"crit": crit})
    yield reader.token({"b64": False})
    yield reader.token({"b64": False, "crit": ["b64"]})
    yield reader.token({"b64": True, "crit": ["b64"]})
    for brought in ({"jwk": {"kty": "OKP"}}, {"jku": "https://evil.example"}, {"x5c": ["AAAA"]}, {"x5u": "https://evil.example"}):
        yield stranger.token(brought)
    for kid in (["a"], 1, {"a": 1}):
        yield reader.token({"kid": kid})
    yield reader.token({"kid": None})
    yield reader.token({"kid": "k" * 600})
    for name in reader.header:
        yield reader.token(_twice(reader.header, name))
    yield reader.token(b"[]")
    yield reader.token(b"\xff" + to_json(reader.header))


def _by_claims(reader: Reader) -> Iterator[str]:
    for name in reader.claims:
        yield reader.token(claims=_twice(reader.claims, name))
    yield reader.token(claims=to_json(reader.claims)[:-1] + b',"exp2":NaN}')
    yield reader.token(claims=to_json(reader.claims)[:-1] + b',"exp2":Infinity}')
    yield reader.token(claims=to_json(reader.claims) + b"{}")
    yield reader.token(claims=b"[" * 2000)
    yield reader.token(claims=b"[1]")
    yield reader.token(claims=b"")


def _by_spelling(reader: Reader) -> Iterator[str]:
    good = reader.token()
    yield from (f"{good}{after}" for after in (".", ".AAAA", "\n\n", "\r", "\n ", " ", "=", "==", "!", "\x00", "é", "," + good))
    yield from (f"{before}{good}" for before in (".", " ", "\n"))
    header, claims, signature = good.split(".")
    yield f"{header}.{claims}"
    yield f"{header}..{claims}.{signature}"
    yield _spare_bits(good)
    standard = base64.b64encode(from_base64url(claims)).decode()
    yield f"{header}.{standard.rstrip('=')}==.{signature}"
    yield ""


def _by_signature(reader: Reader) -> Iterator[str]:
    good = reader.token()
    signed, _, signature = good.rpartition(".")
    yield from (_flipped(reader, bit) for bit in (0, 7, 255, 256, 511))
    yield from (f"{signed}.{to_base64url(data)}" for data in (b"", bytes(64), from_base64url(signature)[:-1]))
    yield f"{signed}.{to_base64url(from_base64url(signature) + b'x')}"
    if reader.header["alg"].startswith("ES"):
        half = len(from_base64url(signature)) // 2
        r, s = (int.from_bytes(part) for part in (from_base64url(signature)[:half], from_base64url(signature)[half:]))
        yield f"{signed}.{to_base64url(encode_dss_signature(r, s))}"
        yield f"{signed}.{to_base64url(bytes(half) + s.to_bytes(half))}"
        yield f"{signed}.{to_base64url(r.to_bytes(half) + bytes(half))}"
    yield another_key(reader).token()
    yield reader.token({"kid": reader.second})
    header = good.partition(".")[0]
    changed = to_base64url(to_json({**reader.claims, "sub": "another"}))
    yield f"{header}.{changed}.{signature}"


FORGED: dict[str, tuple[Callable[[Reader], Iterator[str]], str]] = {
    "algorithm": (_by_algorithm, "unsupported_algorithm"),
    "header": (_by_header, "malformed"),
    "claims": (_by_claims, "malformed"),
    "spelling": (_by_spelling, "malformed"),
    "signature": (_by_signature, "bad_signature"),
    "kid": (lambda reader: (reader.token({"kid": kid}) for kid in ("unknown", "../0", "enc", "oct", "new")), "unknown_key"),
    "typ": (
        lambda reader: (reader.token({"typ": typ}) for typ in ("secevent+jwt", "dpop+jwt", "JOSE", "logout+jwt", 1, ["JWT"])),
        "wrong_type",
    ),
}


def test_the_good_token_is_taken_everywhere(readers: dict[str, Reader]) -> None:
    """Each place takes its own good token, so that what the others below lack is what makes them refused."""
    assert set(readers) == set(READERS)
    assert {name: reader.refusal(reader.token()) for name, reader in readers.items()} == dict.fromkeys(READERS, "")


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_is_refused(reader: Reader, kind: str) -> None:
    """One defect in a token that is otherwise good, signed with the right key wherever an attacker could have it signed."""
    forge, reason = FORGED[kind]
    refused = [(token, reader.refusal(token)) for token in forge(reader)]
    assert refused
    assert [(token, why) for token, why in refused if why != reason] == []


def test_no_token_passes_where_another_is_read(readers: dict[str, Reader]) -> None:
    """Every good token at every other place; one issuer's key signs four of the kinds, the app's two."""
    tokens = {name: reader.token() for name, reader in readers.items()}
    took = {(name, other) for name in readers for other, token in tokens.items() if not readers[name].refusal(token)}
    others = [{name for name in READERS if name.startswith(kind)} for kind in ("caller's", "requester's", "ID token")]
    kinds = [*others, *({name, f"{name}, ES256"} for name in READERS[:4])]
    assert took == {(name, other) for kind in kinds for name in kind for other in kind}


UNKNOWN = ({"zip": "DEF"}, {"cty": "JWT"}, {"x5t": "AAAA"}, {"x5t#S256": "AAAA"}, {"nonce": "n"}, {"crv": "none"}, {"new": [1]})
OURS = READERS[:8]


@pytest.mark.parametrize("header", UNKNOWN)
def test_unknown_header_members_are_ignored_in_others_tokens_only(readers: dict[str, Reader], header: dict[str, Any]) -> None:
    """Callers' tokens and ID tokens may have members that mean nothing here; our own have those we write."""
    said = {name: reader.refusal(reader.token(header)) for name, reader in readers.items()}
    assert said == {name: "malformed" if name in OURS else "" for name in READERS}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_of_a_token_may_end_with_a_line_break(readers: dict[str, Reader], world: World, newline: str) -> None:
    """One line break after one of our own tokens is taken; after others', which are not in files, it is not."""
    said = {name: reader.refusal(reader.token() + newline) for name, reader in readers.items()}
    assert said == {name: "" if name in OURS else "malformed" for name in READERS}
    assert world.open(world.issue().credential + newline).jti == "jti-1"
    for more in (newline * 2, f" {newline}", f"{newline} ", "\r"):
        with pytest.raises(CredentialError) as refused:
            world.open(world.issue().credential + more)
        assert refused.value.reason == "malformed"


def test_a_type_of_null_is_no_missing_type(reader: Reader) -> None:
    """Where `typ` may be missing it still has to be text."""
    assert reader.refusal(reader.token(to_json({**reader.header, "typ": None}))) == "wrong_type"


def test_one_module_verifies() -> None:
    """No other module of the project calls a library to verify or decode a signed token."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "verifier").rglob("*.py")
        if re.search(r"joserfc[.]jws|import .*\bjws\b|deserialize_compact|jwt[.]decode|validate_compact", path.read_text())
    }
    assert {Path(path).name for path in found} == {"signature.py"}
