"""Credentials: composition of claims, keys, signature, encryption and validation, from the facts to the token and back.

Issuing has three steps, `claims` (compose), `signer` (sign) and `validator` (validate what was just signed), run in that order by
`issue`; `envelope` then encrypts to the audience. Opening is `validator.open_credential`. No module here reads a clock or
generates an id: both are arguments. Key material is read and written by `issuer_keys`, `audience_keys` and `pairwise`, over the
owner-only files of `key_files`. `status_source` tells whether a credential was revoked or suspended, `key_source` follows the
issuer's keys. `receipt` issues and opens receipts, which have no likeness, over `sd_jwt` and `key_binding`.

What it takes to open credentials and receipts is importable from here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cameo_credential.audience_keys import AudienceKey
    from cameo_credential.issuer_keys import VerificationKeys
    from cameo_credential.key_binding import KeyBinding
    from cameo_credential.key_source import KeySource
    from cameo_credential.receipt import Receipt, open_receipt
    from cameo_credential.refusal import Refusal
    from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK, StatusSource
    from cameo_credential.validator import OpenedCredential, open_credential

__all__ = [
    "UNSAFE_NO_STATUS_CHECK",
    "AudienceKey",
    "KeyBinding",
    "KeySource",
    "OpenedCredential",
    "Receipt",
    "Refusal",
    "StatusSource",
    "VerificationKeys",
    "open_credential",
    "open_receipt",
]

_MODULES = {
    "UNSAFE_NO_STATUS_CHECK": "status_source",
    "AudienceKey": "audience_keys",
    "KeyBinding": "key_binding",
    "KeySource": "key_source",
    "OpenedCredential": "validator",
    "Receipt": "receipt",
    "Refusal": "refusal",
    "StatusSource": "status_source",
    "VerificationKeys": "issuer_keys",
    "open_credential": "validator",
    "open_receipt": "receipt",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a name when it is first asked for: who needs a module of this package only, such as `errors`, loads no more."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return found
