"""The site's file of webhook endpoints (`CAMEO_WEBHOOKS`, TOML)."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cameo_credential import key_files
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.webhook_secret import WebhookSecret
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.removals import Holder, HolderKind
from cameo_verifier.cameo.webhooks import TOLD_TO_HOLDERS, Endpoint

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MEMBERS = {"name", "url", "role", "id", "events", "private", "secret_file"}
_ROLES = {CallerRole.APP.value, *(kind.value for kind in HolderKind)}
_MAX_URL_CHARS, _MAX_ID_CHARS = 2048, 128
_MAX_SECRETS = 2
"""The present one and, during a rotation, another."""


def read_endpoints(path: Path) -> tuple[Endpoint, ...]:
    """Return the endpoints of a file.

    Raises:
        InvalidRequestError: it cannot be read, an endpoint in it is malformed, or two have one secret; the message says which and
            how.
        KeyFileError: a file of secrets cannot be read, is malformed, or others may access it.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(f"cannot read the webhook endpoints from {path}: {error}") from None
    listed = document.get("endpoint")
    if set(document) != {"endpoint"} or not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise InvalidRequestError(f"{path} must hold tables [[endpoint]] and nothing else")
    try:
        endpoints = tuple(_endpoint(each, path.parent) for each in listed)
    except ValueError as error:
        raise InvalidRequestError(f"{path}: {error}") from None
    if len({each.name for each in endpoints}) != len(endpoints):
        raise InvalidRequestError(f"{path}: two endpoints have one name")
    shared = [secret.key for each in endpoints for secret in each.secrets]
    if len(set(shared)) != len(shared):
        raise InvalidRequestError(f"{path}: a secret is used twice; each endpoint has its own, so that none can forge another's")
    return endpoints


def _endpoint(given: dict[str, Any], folder: Path) -> Endpoint:
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("each endpoint needs a `name` of 1 to 64 of a-z, 0-9 and -")
    if unknown := set(given) - _MEMBERS:
        raise ValueError(f"{name}: unknown {', '.join(sorted(unknown))}")
    role, private = given.get("role"), given.get("private", False)
    if role not in _ROLES:
        raise ValueError(f"{name}: `role` must be one of {', '.join(sorted(_ROLES))}")
    if not isinstance(private, bool):
        raise ValueError(f"{name}: `private` must be true or false")  # noqa: TRY004 - the file's fault, not a caller's wrong type
    audience = given.get("id", "app" if role == CallerRole.APP.value else None)
    if not isinstance(audience, str) or not 1 <= len(audience) <= _MAX_ID_CHARS:
        raise ValueError(f"{name}: `id` must be the `sub` of that caller's tokens")
    holder = None if role == CallerRole.APP.value else Holder(HolderKind(role), audience)
    told = frozenset(EventKind) if holder is None else TOLD_TO_HOLDERS
    url = _url(given.get("url"), name, private=private)
    return Endpoint(name, url, audience, holder, _kinds(given, name, told), private, _secrets(given, name, folder))


def _secrets(given: dict[str, Any], name: str, folder: Path) -> tuple[WebhookSecret, ...]:
    """Return the secrets of an endpoint: one a line in its owner-only file, whose path is relative to the endpoints' file."""
    if "secret_file" not in given:
        return ()
    file = given["secret_file"]
    if not isinstance(file, str) or not file:
        raise ValueError(f"{name}: `secret_file` must be the path of a file")
    lines = key_files.read_text(folder / file).split()
    if not 1 <= len(lines) <= _MAX_SECRETS:
        raise KeyFileError(f"{folder / file} must hold one secret a line, {_MAX_SECRETS} at most")
    try:
        return tuple(WebhookSecret.parse(line) for line in lines)
    except ValueError as error:
        raise KeyFileError(f"{folder / file}: {error}") from None


def _url(url: object, name: str, *, private: bool) -> str:
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or len(url) > _MAX_URL_CHARS:
        raise ValueError(f"{name}: `url` must be a URL of at most {_MAX_URL_CHARS} ASCII characters")
    try:
        parts = urlsplit(url)
        whole = parts.hostname and parts.port != 0 and parts.username is None and not parts.fragment and " " not in url
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"{name}: `url` must name a host, perhaps a port, and neither a user nor a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and private):
        raise ValueError(f"{name}: `url` must be https; http is for loopback, and needs `private = true`")
    return url


def _kinds(given: dict[str, Any], name: str, told: frozenset[EventKind]) -> frozenset[EventKind]:
    listed = given.get("events", sorted(told))
    if not isinstance(listed, list) or not listed or not set(map(str, listed)) <= {kind.value for kind in told}:
        raise ValueError(f"{name}: `events` must be some of {', '.join(sorted(told))}")
    return frozenset(EventKind(each) for each in listed)
