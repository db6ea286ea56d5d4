"""Delivering: the likenesses of a spent grant, as far as their owners' terms permit, encrypted to its generator.

The rows are read in the transaction that spends the grant, so that no likeness leaves without one; decrypting, signing and
encrypting follow. A server that dies between the two has spent the grant and delivered nothing: the same request delivers again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo.v1 import cameo_service_pb2
from cameo_credential import likeness
from cameo_credential.delivery import deliver
from cameo_credential.item_kind import MEDIA_KINDS, ItemKind
from cameo_credential.items import ItemModel, VectorItem
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import index, manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cameo_credential.claims import Embedding
    from cameo_credential.media_items import MediaItem
    from cameo_verifier.cameo.model import Cameo, Grant
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.cameos.vault import SealedLikeness, Vault

_NOT_MADE = "not_made"
"""The likeness is from before pictures and sound were kept, and its recording is not looked at again."""
_NOTHING_SAID = "not_asked_to_speak"
"""The person answered a challenge without words."""
_OF_THE_VOICE = frozenset({ItemKind.VOICE_VECTOR, ItemKind.VOICE_CLIP})
_NONE_SUITABLE = {ItemKind.FACE_CROP: "no_frontal_picture", ItemKind.VOICE_CLIP: "no_clear_speech"}


@dataclass(frozen=True, slots=True)
class Delivering:
    """Delivers likenesses.

    Attributes:
        vault: decrypts them.
        issuer: signs, and knows the keys of audiences.
        models: the public facts of the kit's networks, by the digest of the file that judges.
    """

    vault: Vault
    issuer: Issuer
    models: Mapping[str, ItemModel]

    def deliver(
        self, grant: Grant, cameos: Sequence[Cameo], sealed: Sequence[SealedLikeness], *, now: datetime
    ) -> list[cameo_service_pb2.DeliveredLikeness]:
        """Return the message of each cameo's likeness, in the order of `cameos`.

        Raises:
            RequestError: `AUDIENCE_UNKNOWN`.
            VaultError: a likeness does not decrypt.
            KeyFileError: no key may sign now.
        """
        audience, keys = self.issuer.audience(grant.audience), self.issuer.keys.current()
        delivered = []
        for cameo, one in zip(cameos, sealed, strict=True):
            items, media, missing = self._parts(self.vault.open(one), cameo.terms.items)
            token, objects = deliver(
                issuer=self.issuer.name,
                requester=self.issuer.pairwise.pseudonym(grant.requester, grant.audience),
                grant_id=grant.id,
                job_id=grant.job_id,
                cameo_id=self.issuer.pairwise.alias(cameo.id, grant.audience),
                minor_safeguards=cameo.minor_safeguards,
                items=items,
                media=media,
                missing=missing,
                audience_key=audience,
                keys=keys,
                now=now,
            )
            delivered.append(cameo_service_pb2.DeliveredLikeness(cameo_id=cameo.id, token=token, objects=objects))
        return delivered

    def _parts(
        self, opened: bytes, permitted: frozenset[ItemKind]
    ) -> tuple[list[VectorItem], list[MediaItem], dict[ItemKind, str]]:
        """Return what the owner permits of a likeness, and the reason for each kind of which there is nothing."""
        face, voice = likeness.from_bytes(opened)
        embeddings = {ItemKind.FACE_VECTOR: face, **({ItemKind.VOICE_VECTOR: voice} if voice else {})}
        kept = likeness.media_from_bytes(opened)
        media = [each for each in kept or () if each.kind in permitted]
        lacking = permitted & MEDIA_KINDS - {each.kind for each in media}
        missing = {kind: _NOT_MADE if kept is None else _NONE_SUITABLE[kind] for kind in sorted(lacking)}
        if voice is None:
            missing |= dict.fromkeys(permitted & _OF_THE_VOICE, _NOTHING_SAID)
        return [self._item(kind, each) for kind, each in embeddings.items() if kind in permitted], media, missing

    def _item(self, kind: ItemKind, embedding: Embedding) -> VectorItem:
        # A network that the kit does not have now: the digest of its file is all that is known of it.
        unknown = ItemModel(embedding.model, "", embedding.model_sha256)
        return VectorItem(kind, self.models.get(embedding.model_sha256, unknown), embedding.vector)


def public_models(settings: Settings) -> dict[str, ItemModel]:
    """Return the public facts of the kit's networks, by the digest of the file in the kit; none of one that is not there."""
    kit, found = index.Kit(settings.models), {}
    for model in manifest.load().models.values():
        if len(model.sources) != 1:
            continue
        try:
            digest = kit.digest(model)
        except ModelKitError:
            continue
        [source] = model.sources
        where = f"{model.registry.value}:{model.package}@{model.version}/{source.path}"
        preprocessing = "; ".join(filter(None, (model.layout, model.colour, model.scaling)))
        found[digest] = ItemModel(model.id, where, source.sha256, preprocessing, model.licence)
    return found
