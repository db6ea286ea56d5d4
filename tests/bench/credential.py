"""What a credential costs to issue and to open, beside the bare joserfc calls that make and read the same token.

Run it with `python -m tests.bench.credential`. Bare means: the same claims, embeddings encoded and decoded, signed and
encrypted, or decrypted and verified, with the same keys, and not one check more. Ours composes, signs and verifies
before it gives anything out, and on opening asks everything the validator asks, the status list included. They are timed
in turns, and the median of each counts.

`issue` verifies what it made, and so does its bare twin. `issue, not verified` is what a caller would write who leaves that out.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from joserfc import jwe, jws
from rich.console import Console

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import NAMESPACE, Embedding, Provenance, StatusReference, compose
from cameo_credential.encoding import from_base64url
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM, IssuerKeys, SigningKey
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.status_list import StatusList, publish
from cameo_credential.status_source import StatusSource
from cameo_credential.validator import open_credential

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER, AUDIENCE, URI = "https://issuer.example", "https://generator.example", "https://issuer.example/status/1"
SIGNATURES, ENVELOPES = [SIGNATURE_ALGORITHM], ["ECDH-ES+A256KW", "A256GCM"]
LIMIT = 1.3


class Bench:
    """One issuer and one audience."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.keys = IssuerKeys(SigningKey.generate(now=self.now))
        self.public = self.keys.public()
        self.verifying = self.public.keys[self.keys.active.kid].key
        self.audience = AudienceKey.generate(AUDIENCE)
        self.known = self.audience.public()
        lasts = timedelta(hours=1)
        listed = publish(
            StatusList.of(np.zeros(1000, np.uint8)), uri=URI, keys=self.keys, now=self.now, ttl=lasts, lifetime=lasts
        )
        self.status = StatusSource(lambda _: listed)
        draw = np.random.default_rng(1).normal(size=(2, 512))
        face, voice = (draw / np.linalg.norm(draw, axis=1, keepdims=True)).astype(np.float32)
        self.parts: dict[str, Any] = {
            "issuer": ISSUER,
            "subject": "account-7",
            "pairwise": PairwiseKey(bytes(32)),
            "now": self.now,
            "ttl": timedelta(days=180),
            "jti": "jti-1",
            "provenance": Provenance(
                "c", "a", "h", {"m": "0" * 64}, "default", "1" * 64, "2" * 64, ("phrase",), minor_safeguards=False
            ),
            "face": Embedding("face", "3" * 64, face),
            "voice": Embedding("voice", "4" * 64, voice),
            "status": StatusReference(7, URI),
        }
        self.token = self.issue()

    def issue(self) -> str:
        """Issue as the server does."""
        return issue(**self.parts, audience_key=self.known, keys=self.keys).credential

    def issue_bare(self) -> str:
        """Make and verify the same token with the library alone."""
        signed = self._sign(self._claims(), "cameo-credential+jwt")
        json.loads(jws.deserialize_compact(signed, self.verifying, algorithms=SIGNATURES).payload)
        return self._encrypt(signed)

    def issue_unverified(self) -> str:
        """Make the same token, and believe it."""
        return self._encrypt(self._sign(self._claims(), "cameo-credential+jwt"))

    def open(self) -> object:
        """Open as a generator does."""
        return open_credential(
            self.token,
            audience_key=self.audience,
            issuer_keys=self.public,
            expected_audience=AUDIENCE,
            expected_issuer=ISSUER,
            status=self.status,
            now=self.now,
        )

    def open_bare(self) -> object:
        """Decrypt, verify and decode with the library alone."""
        signed = jwe.decrypt_compact(self.token, self.audience.key, algorithms=ENVELOPES).plaintext or b""
        claims = json.loads(jws.deserialize_compact(signed, self.verifying, algorithms=SIGNATURES).payload)
        return [np.frombuffer(from_base64url(claims[NAMESPACE][which]["data"]), "<f2") for which in ("face", "voice")]

    def _claims(self) -> dict[str, Any]:
        return compose(**self.parts, audience=AUDIENCE, not_after=self.keys.active.expires_at)

    def _sign(self, claims: dict[str, Any], typ: str) -> str:
        header = {"alg": SIGNATURE_ALGORITHM, "typ": typ, "kid": self.keys.active.kid}
        return jws.serialize_compact(header, json.dumps(claims), self.keys.active.key, algorithms=SIGNATURES)

    def _encrypt(self, signed: str) -> str:
        header = {"alg": ENVELOPES[0], "enc": ENVELOPES[1], "cty": "JWT", "kid": self.audience.kid}
        return jwe.encrypt_compact(header, signed, self.known.key, algorithms=ENVELOPES)


def in_turns(rounds: int, *calls: Callable[[], object]) -> list[float]:
    """Return the median time of each in milliseconds, called one after the other, round by round."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, times in zip(calls, taken, strict=True):
            start = perf_counter()
            call()
            times.append((perf_counter() - start) * 1e3)
    return [median(times) for times in taken]


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    bench, console = Bench(), Console()
    issued, issued_bare, unverified, opened, opened_bare = in_turns(
        rounds, bench.issue, bench.issue_bare, bench.issue_unverified, bench.open, bench.open_bare
    )
    console.print(f"issue {issued:.3f} ms, bare {issued_bare:.3f} ms: ratio {issued / issued_bare:.2f} (limit {LIMIT})")
    console.print(f"issue, not verified {unverified:.3f} ms: ratio {issued / unverified:.2f}")
    console.print(f"open  {opened:.3f} ms, bare {opened_bare:.3f} ms: ratio {opened / opened_bare:.2f} (limit {LIMIT})")
    console.print(f"both  ratio {(issued + opened) / (issued_bare + opened_bare):.2f}")


if __name__ == "__main__":
    main()
