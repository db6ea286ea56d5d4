"""The evidence of one site, opened together: vault, keys, audit log and sweeper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cameo_credential.key_files import open_secret
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.store.evidence import audit
from cameo_verifier.store.evidence.evidence import EvidenceVault
from cameo_verifier.store.evidence.objects import open_objects
from cameo_verifier.store.evidence.retention import Sweeper
from cameo_verifier.store.evidence.subject_keys import SubjectKeys

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cameo_verifier.settings import Settings


@dataclass(frozen=True, slots=True)
class EvidenceRoom:
    """The evidence of a site."""

    vault: EvidenceVault
    keys: SubjectKeys
    audit: audit.AuditLog
    sweeper: Sweeper

    @classmethod
    def open(cls, settings: Settings, engine: Engine) -> Self:
        """Open what the settings name; keys are created on first use.

        Raises:
            KeyFileError: a key file is malformed, open to others, or cannot be written.
            StorageError: the URL of the object store is malformed.
        """
        keys = SubjectKeys(engine, open_vault(settings.vault_key))
        log = audit.AuditLog(engine, open_secret(settings.audit_key, audit.KEY_BYTES, audit.AuditKey, kind="audit key"))
        objects = open_objects(settings.evidence_place)
        kept = EvidenceVault(engine, objects, keys, log)
        return cls(kept, keys, log, Sweeper(engine, objects, kept, settings.retention))
