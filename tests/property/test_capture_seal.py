"""Whatever is done to a sealed capture on its way is refused: 10,000 changes of each kind in turn, drawn at random."""

from __future__ import annotations

from collections import Counter
from copy import copy
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cameo.v1 import error_reason_pb2
from cameo.v1.session_service_pb2 import Bye, CaptureRequest, CaptureResponse, Light, Prompt, Seal, Shown, Start, Started, Welcome
from cameo_verifier.server.capture_seal import CaptureSeal
from cameo_verifier.server.wire.errors import RequestError
from tests.live.sealer import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

N = 10_000
LATE_S = 5.0
SESSION = "3f1c9a52"


class Capture:
    """One genuine capture: what the client sent, and the server's chain as it was before each message.

    Attributes:
        sent: the messages.
        before: the chain before each.
        slices: places of the messages with media.
    """

    def __init__(self, rng: Random) -> None:
        self.sealer, self._rng, self._now = Sealer(SESSION), rng, 0.0
        self.chain = CaptureSeal(self.sealer.public, SESSION, late_s=LATE_S)
        self.sent: list[CaptureRequest] = []
        self.before: list[tuple[CaptureSeal, float]] = []
        self._play()
        self.slices = [place for place, message in enumerate(self.sent) if message.HasField("media")]

    def _play(self) -> None:
        self.hear(welcome=Welcome(session_id=SESSION))
        self.film(4)
        self.hear(start=Start())
        self.sealer.recording = 2
        self.send(CaptureRequest(started=Started()))
        self.film(2)
        for number in range(3):
            self.hear(prompt=Prompt(number=number))
            self.film(1, nonce=-2)  # on its way while the prompt was revealed
            self.send(CaptureRequest(shown=Shown(number=number)))
            self.hear(light=Light(number=number))
            self.send(CaptureRequest(shown=Shown(number=number, colour=True)))
            self.film(3)
        self.send(CaptureRequest(bye=Bye(), seal=self.sealer.seal(None)))

    def hear(self, **message: Any) -> None:
        """Let the server say something."""
        self.sealer.nonces.append(self.chain.renew(CaptureResponse(**message), self._now))

    def film(self, slices: int, *, nonce: int = -1) -> None:
        """Send slices."""
        for _ in range(slices):
            media = self._rng.randbytes(self._rng.randint(1, 400))
            self.send(CaptureRequest(media=media, seal=self.sealer.seal(media, nonce=nonce)))

    def send(self, message: CaptureRequest) -> None:
        """Send a message, which is taken."""
        self.before.append((snapshot(self.chain), self._now))
        self.chain.verify(message, self._now)
        self.sent.append(message)
        self._now += 0.25


def snapshot(chain: CaptureSeal) -> CaptureSeal:
    """Return a chain that goes on by itself."""
    other = copy(chain)
    other._nonces, other._revealed = list(chain._nonces), dict(chain._revealed)
    return other


def refusal(capture: Capture, place: int, messages: list[CaptureRequest]) -> str:
    """Return why the server refuses these messages from that place on; empty if it takes all."""
    chain, now = capture.before[place]
    chain = snapshot(chain)
    try:
        for message in messages:
            chain.verify(message, now)
    except RequestError as error:
        return error_reason_pb2.ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_")
    return ""


def other(message: CaptureRequest, **changed: Any) -> CaptureRequest:
    """Return a copy with other fields of its seal, or with other media."""
    made = CaptureRequest()
    made.CopyFrom(message)
    if "media" in changed:
        made.media = changed.pop("media")
    for name, value in changed.items():
        setattr(made.seal, name, value)
    return made


def flipped(data: bytes, rng: Random) -> bytes:
    """Return bytes with one bit changed."""
    bit = rng.randrange(8 * len(data))
    return (int.from_bytes(data) ^ (1 << bit)).to_bytes(len(data))


def changed(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """One bit of a slice."""
    place = rng.choice(capture.slices)
    message = capture.sent[place]
    return place, [other(message, media=flipped(message.media, rng))]


def cut(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """A slice without its end."""
    place = rng.choice(capture.slices)
    message = capture.sent[place]
    return place, [other(message, media=message.media[: rng.randrange(len(message.media))])]


def longer(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """A slice with something behind it."""
    place = rng.choice(capture.slices)
    message = capture.sent[place]
    return place, [other(message, media=message.media + rng.randbytes(rng.randint(1, 9)))]


def signed_otherwise(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """One bit of a signature, or another length."""
    place = rng.choice([*capture.slices, len(capture.sent) - 1])
    message = capture.sent[place]
    signature = message.seal.signature
    made = rng.choice([flipped(signature, rng), signature[:-1], signature + b"\0", b"", bytes(64)])
    return place, [other(message, signature=made)]


def numbered_otherwise(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Another number."""
    place = rng.choice([*capture.slices, len(capture.sent) - 1])
    message = capture.sent[place]
    return place, [other(message, number=rng.choice([message.seal.number ^ 1 << rng.randrange(32), 2**32 - 1]))]


def with_another_nonce(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Another nonce's number."""
    place = rng.choice([*capture.slices, len(capture.sent) - 1])
    message = capture.sent[place]
    numbers = {*range(len(capture.sealer.nonces) + 3), 2**32 - 1} - {message.seal.nonce}
    return place, [other(message, nonce=rng.choice(sorted(numbers)))]


def dropped(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Slices that are missing, up to the end of the recording."""
    place = rng.choice(capture.slices)
    return place, capture.sent[rng.randint(place + 1, len(capture.sent) - 1) :]


def dropped_and_renumbered(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """A slice that is missing, and the next ones count as if it had never been."""
    place = rng.choice(capture.slices)
    after = [other(message, number=message.seal.number - 1) for message in capture.sent[place + 1 :] if message.HasField("seal")]
    return place, after


def swapped(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Two slices, one in the place of the other, with or without their seals."""
    place, later = sorted(rng.sample(capture.slices, 2))
    one, two = capture.sent[place], capture.sent[later]
    return place, [rng.choice([two, other(one, media=two.media), other(two, number=one.seal.number)])]


def repeated(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """A slice that came before, once more."""
    again, place = sorted(rng.sample([*capture.slices, len(capture.sent) - 1], 2))
    old = capture.sent[again]
    return place, [rng.choice([old, other(old, number=capture.sent[place].seal.number)])]


def of_another_key(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """The same slice at the same place, signed by another key."""
    place = rng.choice(capture.slices)
    message, stranger = capture.sent[place], copy(capture.sealer)
    stranger._key = generate_private_key(SECP256R1())
    chain = capture.before[place][0]
    stranger._number, stranger._previous, stranger.recording = message.seal.number, chain._previous, chain._recording
    return place, [CaptureRequest(media=message.media, seal=stranger.seal(message.media, nonce=message.seal.nonce))]


def by_the_same_key(capture: Capture, place: int, **wrong: Any) -> Seal:
    """Return what the client's own key would sign at a place, if something else were as it is not."""
    chain, sealer = capture.before[place][0], copy(capture.sealer)
    sealer._number, sealer._previous, sealer.recording = chain._number, chain._previous, chain._recording
    nonce = wrong.pop("nonce", capture.sent[place].seal.nonce)
    for name, value in wrong.items():
        setattr(sealer, name, value)
    return sealer.seal(capture.sent[place].media, nonce=nonce)


def of_another_session(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """The same key, and everything else as it should be."""
    place = rng.choice(capture.slices)
    seal = by_the_same_key(capture, place, session_id=f"{SESSION}{rng.randrange(10**6)}")
    return place, [CaptureRequest(media=capture.sent[place].media, seal=seal)]


def of_the_other_recording(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Sealed as a slice of the preparation, sent as one of the answer, or the other way round."""
    place = rng.choice(capture.slices)
    recording = 3 - capture.before[place][0]._recording
    return place, [CaptureRequest(media=capture.sent[place].media, seal=by_the_same_key(capture, place, recording=recording))]


def signed_before_a_reveal(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Signed by the client's own key with the nonce before, and sent after the client confirmed the newer one."""
    places = [place for place in capture.slices if capture.before[place][0]._oldest > 0]
    place = rng.choice(places)
    old = rng.randrange(capture.before[place][0]._oldest)
    return place, [CaptureRequest(media=capture.sent[place].media, seal=by_the_same_key(capture, place, nonce=old))]


def unsealed(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Without a seal: a client that opened with a key seals to the end."""
    place = rng.choice([*capture.slices, len(capture.sent) - 1])
    message = other(capture.sent[place])
    message.ClearField("seal")
    return place, [message]


def joined(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """Two slices sent as one."""
    place, later = rng.choice([(a, b) for a, b in zip(capture.slices, capture.slices[1:], strict=False) if b == a + 1])
    one, two = capture.sent[place], capture.sent[later]
    return place, [other(rng.choice([one, two]), media=one.media + two.media, number=one.seal.number)]


def ended_early(capture: Capture, rng: Random) -> tuple[int, list[CaptureRequest]]:
    """The end's own seal, or that of a slice, before the last slice came."""
    place = rng.choice(capture.slices)
    number = capture.sent[place].seal.number
    seal = rng.choice([capture.sent[-1].seal, other(capture.sent[-1], number=number).seal, capture.sent[place].seal])
    return place, [CaptureRequest(bye=Bye(), seal=seal)]


MUTATIONS: tuple[Callable[[Capture, Random], tuple[int, list[CaptureRequest]]], ...] = (
    changed,
    cut,
    longer,
    signed_otherwise,
    numbered_otherwise,
    with_another_nonce,
    dropped,
    dropped_and_renumbered,
    swapped,
    repeated,
    of_another_key,
    of_another_session,
    of_the_other_recording,
    signed_before_a_reveal,
    unsealed,
    joined,
    ended_early,
)


def test_every_change_on_the_way_is_refused() -> None:
    """10,000 of 10,000, by a reason each; the unchanged capture is taken."""
    rng = Random(20)  # noqa: S311 - a test
    capture = Capture(rng)
    reasons: Counter[str] = Counter()
    for number in range(N):
        mutation = MUTATIONS[number % len(MUTATIONS)]
        place, messages = mutation(capture, rng)
        reason = refusal(capture, place, messages)
        assert reason, (mutation.__name__, place, messages)
        reasons[reason] += 1
    print(f"{reasons.total():,} of {N:,} changes refused: {dict(reasons)}")  # noqa: T201 - shown by pytest -s
    assert reasons.total() == N
    assert set(reasons) == {"SEAL_MISSING", "SEAL_INVALID", "SEAL_OUT_OF_ORDER", "SEAL_STALE"}


def test_nothing_comes_after_the_end() -> None:
    """Also where it is sealed well."""
    capture = Capture(Random(1))  # noqa: S311 - a test
    media = b"more"
    more = CaptureRequest(media=media, seal=capture.sealer.seal(media))
    with pytest.raises(RequestError, match="nothing more"):
        capture.chain.verify(more, 100.0)


def test_a_nonce_must_be_taken_up_in_time() -> None:
    """Also by a client that never says that it showed a prompt."""
    sealer = Sealer(SESSION)
    chain = CaptureSeal(sealer.public, SESSION, late_s=LATE_S)
    sealer.nonces.append(chain.renew(CaptureResponse(welcome=Welcome()), 0.0))
    sealer.nonces.append(chain.renew(CaptureResponse(prompt=Prompt()), 1.0))
    chain.verify(CaptureRequest(media=b"1", seal=sealer.seal(b"1", nonce=0)), 1.0 + LATE_S)
    with pytest.raises(RequestError) as stale:
        chain.verify(CaptureRequest(media=b"2", seal=sealer.seal(b"2", nonce=0)), 1.1 + LATE_S)
    assert stale.value.reason == error_reason_pb2.ERROR_REASON_SEAL_STALE


def test_a_key_is_a_point_on_the_curve() -> None:
    """Another curve, a compressed point, a point beside the curve and no point are refused."""
    good = Sealer().public
    key = generate_private_key(SECP256R1()).public_key()
    for bad in (good[:-1], good[:-1] + bytes([good[-1] ^ 1]), b"\x04" + bytes(64), b"\x02" + good[1:33], good + b"\0", b"key"):
        with pytest.raises(RequestError) as refused:
            CaptureSeal(bad, SESSION, late_s=LATE_S)
        assert refused.value.reason == error_reason_pb2.ERROR_REASON_REQUEST_INVALID
    CaptureSeal(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), SESSION, late_s=LATE_S)
