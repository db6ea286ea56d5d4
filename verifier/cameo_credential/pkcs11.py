"""A backend over PKCS#11: a key in a hardware security module or a token, which never leaves it.

It signs with a key of Ed25519 or on P-256 (`signing_backends`), and agrees on secrets with one on P-256 (`decryption_backends`):
modules that know X25519 are rare.

The key is named by an RFC 7512 URI, as in
``pkcs11:token=cameo;object=issuer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/cameo/token.pin``. The PIN itself
never stands in a URI, which is in the key file and in messages.

Modules are called by one thread at a time: they are initialised without locks of their own. A signature that fails opens a new
session, once, and where the token is not found reads the module's slots anew: a token that was removed and comes back signs again
without a restart. Until then each signature raises, and nothing is given out.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from cameo_credential.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable

_POINT_BYTES = {"EC_EDWARDS": (32, 2), "EC": (65, 2)}
"""By the type of a key: bytes of its public point, and of the OCTET STRING around it, which some modules leave out."""
_SECRET_BYTES = 32
_PATH, _QUERY = {"token", "serial", "object", "id"}, {"module-path", "pin-source"}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_PIN_BYTES = 1024
_ONE_AT_A_TIME = Lock()
_STARTS: Counter[str] = Counter()
"""By module, how often it was initialised again: that ends the sessions of all its keys, and their numbers are given out anew."""


class Pkcs11Key:
    """The key at a URI; may be used by several threads at once."""

    def __init__(self, uri: str) -> None:
        """Find the key.

        Raises:
            KeyFileError: the URI is wrong; the library, the module, the token or the key is missing; the PIN is wrong.
        """
        self._named = _read(uri)
        with _ONE_AT_A_TIME:
            self._session, self._private, self._public = self._open()
            self._start = _STARTS[self._named["module-path"]]

    def public_key(self) -> bytes:
        """Return the public key, 32 bytes, or the 65 of a point on P-256."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes.

        Raises:
            KeyFileError: the token cannot sign now; the message says why.
        """
        return self._used(lambda: self._signed(message))

    def agree(self, public: bytes) -> bytes:
        """Return the shared secret with a point on P-256, 32 bytes.

        Raises:
            KeyFileError: the key on the token is not on P-256, or cannot be used now; the message says why.
        """
        if len(self._public) != _POINT_BYTES["EC"][0]:
            raise KeyFileError("the key on the token is not on P-256, as one that decrypts has to be")
        return self._used(lambda: self._agreed(public))

    def _used(self, use: Callable[[], bytes]) -> bytes:
        pkcs11 = _library()
        with _ONE_AT_A_TIME:
            if self._start == _STARTS[self._named["module-path"]]:
                try:
                    return use()
                except pkcs11.PKCS11Error:
                    with suppress(pkcs11.PKCS11Error):
                        self._session.close()
                    self._start = -1
            session, private, public = self._open()
            if public != self._public:
                raise KeyFileError("the token holds another key under this name than before")
            self._session, self._private, self._start = session, private, _STARTS[self._named["module-path"]]
            try:
                return use()
            except pkcs11.PKCS11Error as error:
                raise KeyFileError(f"the token cannot use the key: {_why(error)}") from None

    def _signed(self, message: bytes) -> bytes:
        mechanisms = _library().Mechanism
        if len(self._public) == _POINT_BYTES["EC"][0]:
            # The digest is made here: every module signs one, fewer make it themselves.
            return bytes(self._private.sign(sha256(message).digest(), mechanism=mechanisms.ECDSA))
        return bytes(self._private.sign(message, mechanism=mechanisms.EDDSA))

    def _agreed(self, public: bytes) -> bytes:
        pkcs11 = _library()
        secret = self._private.derive_key(
            pkcs11.KeyType.GENERIC_SECRET,
            8 * _SECRET_BYTES,
            mechanism=pkcs11.Mechanism.ECDH1_DERIVE,
            mechanism_param=(pkcs11.KDF.NULL, None, public),
            # It is of one token, and is needed here: what it opens is decrypted in this process.
            template={pkcs11.Attribute.SENSITIVE: False, pkcs11.Attribute.EXTRACTABLE: True},
        )
        try:
            return bytes(secret[pkcs11.Attribute.VALUE])
        finally:
            secret.destroy()

    def _open(self) -> tuple[Any, Any, bytes]:
        pkcs11, path = _library(), self._named["module-path"]
        if not Path(path).is_file():
            raise KeyFileError(f"no PKCS#11 module {path}")
        try:
            module = pkcs11.lib(path)
            try:
                return self._found(pkcs11, module)
            except (pkcs11.NoSuchToken, pkcs11.DeviceRemoved, pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
                module.reinitialize()
                _STARTS[path] += 1
                return self._found(pkcs11, module)
        except pkcs11.PKCS11Error as error:
            raise KeyFileError(self._what(pkcs11, error)) from None

    def _found(self, pkcs11: Any, module: Any) -> tuple[Any, Any, bytes]:  # noqa: ANN401 - an optional library
        label, serial = self._named.get("token"), self._named.get("serial")
        sought = {"token_label": label} if label else {}
        token = module.get_token(**sought, **({"token_serial": serial.encode()} if serial else {}))
        try:
            session = token.open(user_pin=_pin(Path(self._named["pin-source"])))
        except pkcs11.UserAlreadyLoggedIn:
            session = token.open()  # the PIN was given by another key of this token: a login is the process's
        name: dict[str, Any] = {"label": self._named["object"]} if "object" in self._named else {}
        if "id" in self._named:
            name["id"] = unquote_to_bytes(self._named["id"])
        kinds, types = pkcs11.ObjectClass, pkcs11.KeyType
        private = session.get_key(object_class=kinds.PRIVATE_KEY, **name)
        public = session.get_key(object_class=kinds.PUBLIC_KEY, **name)
        if private.key_type != public.key_type or private.key_type not in {types.EC_EDWARDS, types.EC}:
            raise KeyFileError("the key on the token is neither of Ed25519 nor on P-256")
        length, around = _POINT_BYTES[private.key_type.name]
        point = bytes(public[pkcs11.Attribute.EC_POINT])
        if len(point) not in {length, length + around}:
            raise KeyFileError("the key on the token is on another curve than those of Ed25519 and P-256")
        return session, private, point[-length:]

    def _what(self, pkcs11: Any, error: Exception) -> str:  # noqa: ANN401 - an optional library
        token = f"token {self._named.get('token') or self._named.get('serial')!r}"
        match error:
            case pkcs11.PinIncorrect() | pkcs11.PinInvalid() | pkcs11.PinLenRange():
                return f"the PIN in {self._named['pin-source']} is not that of {token}, which locks itself after a few wrong ones"
            case pkcs11.PinLocked():
                return f"{token} has locked its PIN after wrong ones: its security officer unlocks it"
            case pkcs11.NoSuchToken():
                return f"{token} is not there: is it plugged in, and does this user see it?"
            case pkcs11.NoSuchKey():
                return f"{token} has no key pair of this name: both halves have to be on it"
            case pkcs11.MultipleObjectsReturned() | pkcs11.MultipleTokensReturned():
                return "more than one token or key has this name: add serial= or id= to the URI"
            case _:
                return f"{token} cannot be used: {_why(error)}"


def open_key(uri: str) -> Pkcs11Key:
    """Return the backend of a URI; the entry point of the scheme `pkcs11`."""
    return Pkcs11Key(uri)


def _library() -> Any:  # noqa: ANN401 - an optional library
    try:
        return import_module("pkcs11")
    except ImportError:
        raise KeyFileError("keys in PKCS#11 tokens need the package python-pkcs11, which the extra `pkcs11` installs") from None


def _read(uri: str) -> dict[str, str]:
    """Return the attributes of a URI by name, decoded but for `id`, which is bytes (RFC 7512 section 2.3)."""
    path, _, query = uri.partition(":")[2].partition("?")
    found: dict[str, str] = {}
    for part, known in [(each, _PATH) for each in path.split(";")] + [(each, _QUERY) for each in query.split("&") if query]:
        name, _, value = part.partition("=")
        if name == "pin-value":
            raise KeyFileError("a PIN does not belong into a URI: write it to a file and name that by pin-source")
        if name not in known or not value or name in found:
            raise KeyFileError(
                f"the URI's {name!r} is unknown, empty or there twice; it takes {', '.join(sorted(_PATH | _QUERY))}"
            )
        found[name] = value if name == "id" else unquote(value)
    if not {"token", "serial"} & set(found) or not {"object", "id"} & set(found) or not set(found) >= _QUERY:
        raise KeyFileError(
            "the URI needs token= or serial=, object= or id=, and after a question mark module-path= and pin-source="
        )
    found["pin-source"] = found["pin-source"].removeprefix("file:")
    return found


def _pin(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise KeyFileError(f"{path} holds a PIN and others may access it: run `chmod 600 {path}`, and change the PIN")
            return file.read(_MAX_PIN_BYTES).decode().strip()
    except FileNotFoundError:
        raise KeyFileError(f"no PIN file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"cannot read the PIN file {path}: {error}") from None


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
