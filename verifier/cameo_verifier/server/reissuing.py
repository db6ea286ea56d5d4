"""Credentials of a cameo, issued again: for another audience or before the last one expires, without a new recording.

1. The cameo is active, and the request is a new one; a repeated one gets what it got.
2. The audience is registered.
3. The likeness is opened from the vault.
4. The credential is issued, under the owner's terms as they are in step 1, and ends when the recording is too old to vouch for
   the person.
5. It is kept and given out, if the cameo is still what it was in step 1. Otherwise all of it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_credential import likeness
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.credentials.credentials import IssuedCredential

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.store.cameos.vault import Vault
    from cameo_verifier.store.credentials.reissues import ReissueStore

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Reissuing:
    """Issues again; see the module. `clock` returns the time in UTC."""

    store: ReissueStore
    vault: Vault
    issuer: Issuer
    clock: Callable[[], datetime]

    def reissue(
        self, cameo_id: str, *, subject: str | None, audience: str, request_id: str, guardian: str = ""
    ) -> IssuedCredential:
        """Return a fresh credential, or the one that an earlier request with this id got.

        Args:
            cameo_id: the cameo.
            subject: who asks; None asks for the app, which sees all, or for a guardian.
            audience: whom it is for.
            request_id: the caller's id of this request.
            guardian: who asks for a minor; empty where the owner or the app asks.

        Raises:
            RequestError: `AUDIENCE_UNKNOWN`.
            RefusedError: as `ReissueStore.basis` and `Issuer.reissue`; `CAMEO_CHANGED` where its owner keeps changing it.
            KeyFileError: no key may sign now.
            StoreError: the database could not do it.
            VaultError: the likeness does not open.
        """
        for _ in range(_TRIES):
            basis = self.store.basis(  # step 1
                cameo_id, subject=subject, audience=audience, request_id=request_id, guardian=guardian
            )
            if isinstance(basis, IssuedCredential):
                return basis
            key = self.issuer.audience(audience)  # step 2
            embeddings = likeness.from_bytes(self.vault.open(basis.likeness))  # step 3
            made = self.issuer.reissue(basis, embeddings, audience=key, request_id=request_id, now=self.clock())  # step 4
            try:
                return self.store.keep(made, basis)  # step 5
            except RefusedError as error:
                if error.refusal is not Refusal.CAMEO_CHANGED:
                    raise
        raise RefusedError(Refusal.CAMEO_CHANGED)
