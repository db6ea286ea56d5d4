"""Claims, keys, signature, envelope, validation: the credential from the facts to the token and back.

Issuing is three small rooms, `claims` (compose), `signer` (sign) and `validator` (validate what was just signed), run in that
order by `issue`; `envelope` then encrypts to the audience. Opening is `validator.open_credential`. No room here reads a clock
or makes an id: both are arguments. Key material is read and written by `issuer_keys`, `audience_keys` and `pairwise`, over
the owner-only files of `key_files`. Whether a credential still holds is asked of `status_source`.

What a generator needs to open credentials is importable from here.
"""

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.refusal import Refusal
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK, StatusSource
from cameo_credential.validator import OpenedCredential, Receipt, open_credential, open_receipt

__all__ = [
    "UNSAFE_NO_STATUS_CHECK",
    "AudienceKey",
    "OpenedCredential",
    "Receipt",
    "Refusal",
    "StatusSource",
    "VerificationKeys",
    "open_credential",
    "open_receipt",
]
