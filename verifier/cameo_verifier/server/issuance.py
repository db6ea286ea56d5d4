"""Credentials of a cameo: the first one, for another audience, or before the last one expires, without a new recording.

1. The cameo is active, its owner lets the audience hold it, and the request is new; a retry gets the earlier result.
2. The audience is registered.
3. The likeness is decrypted.
4. The credential is issued, under the owner's terms as of step 1, and expires when the recording is too old to vouch for
   the person.
5. It is stored and returned, if the cameo is unchanged since step 1. Otherwise all steps are repeated.
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
    from cameo_verifier.store.credentials.issuance import IssuanceStore

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Issuance:
    """Issues credentials of cameos from the kept likeness; see the module. `clock` returns the time in UTC."""

    store: IssuanceStore
    vault: Vault
    issuer: Issuer
    clock: Callable[[], datetime]

    def issue(
        self, cameo_id: str, *, subject: str | None, audience: str, request_id: str, guardian: str = ""
    ) -> IssuedCredential:
        """Return a fresh credential, or the one that an earlier request with this id got.

        Args:
            cameo_id: the cameo.
            subject: the owner who requests it; None for the app, which sees all cameos, or for a guardian.
            audience: the generator it is for.
            request_id: the caller's id of this request.
            guardian: the guardian who requests it for a minor; empty if the owner or the app does.

        Raises:
            RequestError: `AUDIENCE_UNKNOWN`.
            RefusedError: as `IssuanceStore.basis` and `Issuer.issue`; `CAMEO_CHANGED` if its owner keeps changing it.
            KeyFileError: no key may sign now.
            StoreError: the database failed.
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
            made = self.issuer.issue(  # step 4
                basis.attempt,
                basis.attempt,
                basis.cameo,
                embeddings,
                audience=key,
                request_id=request_id,
                now=self.clock(),
            )
            try:
                return self.store.keep(made, basis)  # step 5
            except RefusedError as error:
                if error.refusal is not Refusal.CAMEO_CHANGED:
                    raise
        raise RefusedError(Refusal.CAMEO_CHANGED)
