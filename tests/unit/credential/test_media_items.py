"""Pictures and sound that travel beside a token: what the generator reads, and every way in which one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import Embedding
from cameo_credential.delivery import LIFETIME, NAMESPACE, Delivered, Delivery, deliver, open_likeness
from cameo_credential.errors import CredentialError
from cameo_credential.item_kind import ItemKind
from cameo_credential.likeness import from_bytes, media_from_bytes, to_bytes
from cameo_credential.media_items import MAX_OBJECT_BYTES, MediaItem, open_objects, seal_media
from tests.unit.credential.test_delivery import AUDIENCE, GENERATOR, ISSUER, KEYS, NOW, claims, item, sealed

CROP = MediaItem(ItemKind.FACE_CROP, "image/jpeg", "512 px", {"yaw_deg": 1.5}, b"a picture" * 100)
CLIP = MediaItem(ItemKind.VOICE_CLIP, "audio/flac", "24 kHz", {"words": [["one", 0.1, 0.4]]}, b"a sound" * 100)


def delivered(*media: MediaItem, grant_id: str = "g", **changes: Any) -> Delivered:
    """Deliver media for a grant."""
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "requester": "fan",
        "grant_id": grant_id,
        "job_id": "j",
        "cameo_id": "c",
        "minor_safeguards": False,
        "items": (item(),),
        "audience_key": AUDIENCE.public(),
        "keys": KEYS,
        "now": NOW,
    }
    return deliver(media=media or (CROP, CLIP), **facts | changes)


def opened(token: str, grant_id: str = "g") -> Delivery:
    """Open it as the generator whose job it is."""
    return open_likeness(
        token,
        audience_key=AUDIENCE,
        issuer_keys=KEYS.public(),
        expected_audience=GENERATOR,
        expected_issuer=ISSUER,
        expected_grant=grant_id,
        now=NOW,
    )


def refused(delivery: Delivery, objects: tuple[bytes, ...], *, now: Any = NOW) -> str:
    """Return why an object is refused."""
    with pytest.raises(CredentialError) as error:
        open_objects(delivery.detached, objects, now=now)
    return error.value.reason


def test_the_generator_reads_pictures_and_sound_of_its_job() -> None:
    """In whatever order they come; neither token nor objects show them to others."""
    token, objects = delivered()
    delivery = opened(token)
    assert open_objects(delivery.detached, reversed(objects), now=NOW) == (CROP, CLIP)
    assert [each.size for each in delivery.detached] == [len(each) for each in objects]
    assert not any(b"picture" in each or b"sound" in each for each in objects)
    assert all("key" not in repr(each) for each in delivery.detached)
    assert len(delivery.items) == 1


def test_what_is_missing_is_told() -> None:
    """A kind that is permitted and of which there is nothing, with the reason."""
    token, _ = delivered(CROP, missing={ItemKind.VOICE_CLIP: "no_clear_speech"})
    assert opened(token).missing == {"voice_clip": "no_clear_speech"}


def test_no_other_object_is_taken_for_one() -> None:
    """Truncated, altered, absent, of another grant, of another person, of the same once more: its digest is not the token's."""
    token, objects = delivered()
    delivery = opened(token)
    crop, clip = objects
    for other in (
        crop[:-1],
        crop[:-16],
        bytes([crop[0] ^ 1]) + crop[1:],
        b"",
        *delivered().objects,
        *delivered(grant_id="h").objects,
    ):
        assert refused(delivery, (other, clip)) == "wrong_object"
    assert refused(delivery, (clip,)) == "wrong_object"
    assert refused(delivery, objects, now=NOW + LIFETIME) == "expired"


def test_a_key_opens_for_its_grant_cameo_and_kind_alone() -> None:
    """Even under our own signature an object of another grant, cameo or kind is refused."""
    token, objects = delivered(CROP)
    said = claims(token)
    for change in ({"jti": "h"}, {"cameo": "d"}, {"kind": "voice_clip"}):
        other = {**said, **({"jti": "h"} if "jti" in change else {})}
        other[NAMESPACE] = {**said[NAMESPACE], **({"cameo": "d"} if "cameo" in change else {})}
        other[NAMESPACE]["items"] = [{**each, **change} if "object" in each else each for each in said[NAMESPACE]["items"]]
        assert refused(opened(sealed(other), grant_id=other["jti"]), objects) == "tampered"


@pytest.mark.parametrize(
    "change",
    [
        *({"facts": bad} for bad in (None, [], "x")),
        *({"media_type": bad} for bad in (None, 3)),
        *({"object": bad} for bad in (None, {}, "x")),
    ],
)
def test_signed_nonsense_is_malformed(change: dict[str, Any]) -> None:
    """Even our own signature makes no item of what is none."""
    said = claims(delivered(CROP).token)
    said[NAMESPACE]["items"][1].update(change)
    with pytest.raises(CredentialError) as error:
        opened(sealed(said))
    assert error.value.reason == "malformed"


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("size", bad) for bad in (0, True, "700", MAX_OBJECT_BYTES + 1)),
        *(("key", bad) for bad in (None, "", "AAAA", "!")),
        ("enc", "A128GCM"),
        ("sha256", 3),
    ],
)
def test_a_malformed_object_claim_is_refused(name: str, bad: object) -> None:
    """Its size is bounded before anything is held, and no other encryption is tried."""
    said = claims(delivered(CROP).token)
    said[NAMESPACE]["items"][1]["object"][name] = bad
    with pytest.raises(CredentialError) as error:
        opened(sealed(said))
    assert error.value.reason == "malformed"


def test_another_audience_reads_nothing() -> None:
    """The content key is in the token, which only the audience opens."""
    token, _ = delivered()
    other = AudienceKey.generate("https://other.example")
    with pytest.raises(CredentialError) as error:
        open_likeness(
            token,
            audience_key=other,
            issuer_keys=KEYS.public(),
            expected_audience=other.audience,
            expected_issuer=ISSUER,
            expected_grant="g",
            now=NOW,
        )
    assert error.value.reason == "not_for_this_key"


def test_what_is_too_large_or_no_media_is_not_detached() -> None:
    """A bug of ours is found before anything leaves."""
    for bad in (
        MediaItem(ItemKind.FACE_CROP, "image/jpeg", "", {}, bytes(MAX_OBJECT_BYTES)),
        MediaItem(ItemKind.FACE_VECTOR, "x", "", {}, b""),
    ):
        with pytest.raises(RuntimeError, match="cannot be detached"):
            seal_media(bad, grant_id="g", cameo_id="c")


def test_a_likeness_is_kept_with_its_media() -> None:
    """Bytes to the last, also with line breaks within; one from before media were kept says that it has none."""
    face, voice = (Embedding(name, "ab" * 32, item().vector) for name in ("face", "voice"))
    odd = MediaItem(ItemKind.FACE_CROP, "image/jpeg", "", {"n": 1}, b"\n{}\n\0")
    kept = to_bytes(face, voice, (odd, CLIP))
    assert media_from_bytes(kept) == (odd, CLIP)
    assert from_bytes(kept)[0].model == "face"
    assert media_from_bytes(to_bytes(face, voice)) == ()
    assert media_from_bytes(to_bytes(face, voice).replace(b',"media":[]', b"")) is None
    for bad in (kept[:-1], kept.replace(b'"face_crop"', b'"face_vector"'), kept.replace(b'"size":5', b'"size":-5')):
        with pytest.raises(ValueError, match="media item"):
            media_from_bytes(bad)
