"""`cameo demo`: runs the main job end to end on this machine.

1. Start a server on loopback, with an embedded database and keys of its own, and an app whose tokens it trusts.
2. Issue a fresh challenge over gRPC, render a person who answers it, upload the recording, and read the receipt that is
   returned. A refused person may try once more, as an app would let them.
3. Show three rejections: the same recording for a new challenge, a still photo with the right words, and another person's
   face from the middle of the clip on.
4. Play a live session, see `cameo_verifier.cli.demo_live`.
5. Run the owner's part with the cameo, see `cameo_verifier.cli.demo_owner`.

The person is a rendered portrait: it shows the flow and each single defect, not how real people fare.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cameo_challenges.model import Challenge
from cameo_challenges.prompts import prompt
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.delivery import open_likeness
from cameo_credential.errors import CameoError, CredentialError, InvalidRequestError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.media_items import open_objects
from cameo_credential.receipt import open_receipt
from cameo_credential.status_source import StatusSource
from cameo_credential.validator import OpenedCredential, open_credential
from cameo_verifier.cli.credential import credential_document, credential_table
from cameo_verifier.cli.demo_app import ISSUER, App
from cameo_verifier.cli.output import check_document, checks_table, print_json, rounded
from cameo_verifier.settings import Settings
from cameo_verifier.types import Outcome

if TYPE_CHECKING:
    from cameo.v1.cameo_service_pb2 import DeliveredLikeness
    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from cameo_verifier.server.client import Client
    from fixtures.studio.defects import Defect

AUDIENCE = "https://generator.example"
SUBJECT = "ann"
_TRIES = 2
_STATUS_INTERVAL_S = 1
_CHALLENGE_TTL_S = 3600
"""The studio may need minutes for seconds of a person, where the machine has other work."""
_STOP_S = 30.0
_SHOWN = ("at_s", "quality", "duration_s", "transcript", "speech_to_noise_db")
"""Facts of a picture and of the sound that are shown."""


@dataclass(frozen=True, slots=True)
class _Act:
    """One upload: its title, the expected verdict, and the expected reasons, any if empty."""

    title: str
    verdict: str
    reasons: frozenset[str] = frozenset()


_BONA_FIDE = _Act("a person answers the challenge", "ACCEPTED")
_OTHER_CHALLENGE = _Act(
    "the same recording against a new challenge",
    "REJECTED",
    frozenset({"PHRASE_MISMATCH", "MOVEMENT_MISSING", "MOVEMENT_WRONG_ORDER"}),
)
_STILL = _Act("a still photo with the right words spoken", "REJECTED", frozenset({"MOVEMENT_MISSING"}))
_SWAPPED = _Act("another person's face from the middle of the clip on", "REJECTED", frozenset({"FACE_CHANGED"}))


def demo(
    keep: Annotated[
        Path | None, typer.Option(help="Keep recordings, receipt, credential and keys in this folder.", show_default=False)
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run the main job end to end: an acceptance, three rejections, a live session, a cameo's life.

    Exit code 0 if every outcome is right.
    """
    try:
        from fixtures.studio.defects import Defect  # noqa: PLC0415 - the studio is an extra
    except ImportError as error:
        raise InvalidRequestError(
            f"the demo renders its own recordings: in the clone, "
            f"pip install ./packaging/client ./packaging/credential '.[studio]' ({error})"
        ) from None
    from cameo_verifier.cli.demo_live import TITLE, live_session  # noqa: PLC0415 - other commands need no grpc
    from cameo_verifier.cli.demo_owner import OwnersAct, Site  # noqa: PLC0415
    from cameo_verifier.server.client import Client  # noqa: PLC0415

    console = Console(highlight=False, quiet=json_)
    with tempfile.TemporaryDirectory(prefix="cameo-demo-") as scratch:
        folder = keep or Path(scratch) / "out"
        folder.mkdir(parents=True, exist_ok=True)
        audience_key = AudienceKey.generate(AUDIENCE)
        data = Path(scratch) / "data"
        AudienceFolder(data / "audiences").add(audience_key.public())
        app = App.open(Path(scratch), audience=Settings(data=data).issuer)
        with ExitStack() as opened:
            address = opened.enter_context(_server(data, app, console))
            client = opened.enter_context(Client(address, token=app.token("app", "backend")))
            analyst = opened.enter_context(Client(address, token=app.token("analyst", "kim")))
            stage = _Stage(client, analyst, audience_key, folder, console)
            results = [
                stage.onboard(),
                stage.play(_OTHER_CHALLENGE, lambda _: (folder / "bona_fide.mp4").read_bytes()),
                stage.play(_STILL, lambda challenge: stage.film(challenge, "still_photo", Defect.STILL_PHOTO)),
                stage.play(_SWAPPED, lambda challenge: stage.film(challenge, "face_swapped", Defect.FACE_SWAPPED)),
            ]
            console.rule(f"{len(results) + 1}. {TITLE}", align="left")
            results.append(live_session(Path(scratch) / "live", audience_key, console))
            steps: list[dict[str, Any]] = []
            if results[0]["as_it_must"]:
                console.rule("the owner, a fan, a generator and a platform", align="left")
                site = Site(address, data, app, AUDIENCE)
                second = OwnersAct(site, console, opened, owner=SUBJECT, generator=stage)
                second.play(results[0]["attempt_id"])
                steps = second.results
    passed = sum(result["as_it_must"] for result in (*results, *steps))
    everything = passed == len(results) + len(steps) and bool(steps)
    if json_:
        print_json({"as_it_must": everything, "acts": results, "owner": steps})
    console.print(f"\n[bold]{passed} of {len(results) + len(steps)} came out as they must[/bold]")
    raise typer.Exit(0 if everything else 1)


class _Stage:
    """Runs one act after another on one server, and shows each."""

    def __init__(self, client: Client, analyst: Client, audience_key: AudienceKey, folder: Path, console: Console) -> None:
        self._client = client
        self._analyst = analyst
        self._audience_key = audience_key
        self._folder = folder
        self._console = console
        self._seed = secrets.randbelow(2**31)
        self._acts = 0
        self._token = ""

    def onboard(self) -> dict[str, Any]:
        """Upload a bona fide recording, a second time with a new challenge if the first is refused."""
        result: dict[str, Any] = {}
        for _ in range(_TRIES):
            result = self.play(_BONA_FIDE, lambda challenge: self.film(challenge, "bona_fide", None))
            if result["as_it_must"]:
                break
            self._seed = secrets.randbelow(2**31)
        return result

    def film(self, challenge: Challenge, name: str, defect: Defect | None) -> bytes:
        """Render a person who answers `challenge`, with one defect or none, and return the recording.

        Rendering may be faster than speaking: then wait, because a server refuses an answer that comes before it could be spoken.
        """
        from fixtures.studio.portrait import Persona  # noqa: PLC0415 - the studio is an extra
        from fixtures.studio.render import render  # noqa: PLC0415
        from fixtures.studio.voices import Voice  # noqa: PLC0415

        path = self._folder / f"{name}.mp4"
        began = perf_counter()
        clip = render(challenge, persona=Persona.ASTRONAUT, voice=Voice.HEART, seed=self._seed, defect=defect, out=path)
        self._console.print(f"rendered {clip.duration_s:.1f} s with seed {self._seed} in {perf_counter() - began:.1f} s")
        sleep(max(clip.duration_s - (perf_counter() - began), 0))
        return path.read_bytes()

    def play(self, act: _Act, film: Callable[[Challenge], bytes]) -> dict[str, Any]:
        """Issue a challenge, upload the recording that `film` makes for it, show the result and return it as JSON."""
        self._acts += 1
        self._console.rule(f"{self._acts}. {act.title}", align="left")
        challenge, entropy_bits = self._client.issue_challenge(SUBJECT)
        steps = " · ".join(prompt(step, challenge.language) for step in challenge.steps)
        self._console.print(f"challenge ({entropy_bits:.1f} bits): {steps}")
        recording = film(challenge)
        began = perf_counter()
        reply = self._uploaded(recording, challenge.id)
        waited_s = perf_counter() - began
        attempt = self._analyst.attempt(reply.attempt.id)
        wanted = act.verdict == attempt.verdict and (not act.reasons or bool(act.reasons & set(attempt.reasons)))
        self._console.print(f"[bold]{attempt.verdict}[/bold] {', '.join(attempt.reasons)}  {attempt.hint}")
        shown = attempt.checks if self._acts == 1 else tuple(c for c in attempt.checks if c.outcome is not Outcome.PASS)
        self._console.print(checks_table(shown))
        self._console.print(f"answered in {waited_s:.2f} s; {_stages(attempt.timings_ms)}")
        if not wanted:
            self._console.print(f"[red]must be {act.verdict} {' or '.join(sorted(act.reasons))}[/red]")
        return {
            "title": act.title,
            "attempt_id": reply.attempt.id,
            "as_it_must": wanted,
            "verdict": attempt.verdict,
            "reasons": list(attempt.reasons),
            "checks": [check_document(check) for check in attempt.checks],
            "timings_ms": rounded(attempt.timings_ms),
            "receipt": self._read(reply.receipt.token) if reply.HasField("receipt") else None,
        }

    def _uploaded(self, recording: bytes, challenge_id: str) -> VerifyResponseResponse:
        from cameo_client import CallError  # noqa: PLC0415 - other commands need no grpc

        try:
            return self._client.verify(recording, challenge_id=challenge_id, audience=AUDIENCE)
        except CallError as error:
            raise CameoError(f"the server did not judge the recording: {error}") from error

    def _read(self, token: str) -> dict[str, Any]:
        """Show the receipt as anybody reads it, and store it."""
        (self._folder / "receipt.sd-jwt").write_text(token)
        receipt = open_receipt(token, **self._expectations())
        document = asdict(receipt) | {name: getattr(receipt, name).isoformat() for name in ("issued_at", "expires_at")}
        self._console.print(f"receipt of {len(token)} characters, read by {AUDIENCE}: {receipt.subject}")
        return document

    def hold(self, token: str) -> None:
        """Show the credential as the generator opens it, and store what opening it needs."""
        self._token = token
        opened = self._opened()
        (self._folder / "credential.jwe").write_text(token)
        (self._folder / "issuer.jwks").write_text(self._client.issuer_keys()[1])
        if opened.status is not None:
            (self._folder / "status.jwt").write_text(self._client.status_list(opened.status.uri))
        self._console.print(f"credential of {len(token)} characters, opened by {AUDIENCE}:")
        self._console.print(credential_table(credential_document(opened, embeddings=False)))

    def state_of_credential(self) -> str:
        """Return the generator's finding on the credential after the next status list: `valid`, or why it is refused."""
        sleep(_STATUS_INTERVAL_S)
        try:
            self._opened()
        except CredentialError as error:
            return error.reason
        return "valid"

    def items_of_likeness(self, likeness: DeliveredLikeness, grant_id: str) -> str:
        """Show the items in a likeness that the generator was delivered for a job, and return their kinds, each once."""
        issuer, jwks = self._client.issuer_keys()
        delivery = open_likeness(
            likeness.token,
            audience_key=self._audience_key,
            issuer_keys=VerificationKeys.from_jwks(json.loads(jwks)),
            expected_audience=AUDIENCE,
            expected_issuer=issuer,
            expected_grant=grant_id,
            now=datetime.now(UTC),
        )
        for item in delivery.items:
            self._console.print(f"  {item.kind}: {item.vector.size} values of {item.model.name}")
        for media in open_objects(delivery.detached, likeness.objects, now=datetime.now(UTC)):
            facts = ", ".join(f"{name} {value}" for name, value in media.facts.items() if name in _SHOWN)
            self._console.print(f"  {media.kind}: {media.media_type} of {len(media.data) / 1e3:.0f} kB, {facts}")
        kinds = (*(item.kind for item in delivery.items), *(item.kind for item in delivery.detached))
        return ", ".join(dict.fromkeys(kinds))

    def _opened(self) -> OpenedCredential:
        return open_credential(self._token, audience_key=self._audience_key, **self._expectations())

    def _expectations(self) -> dict[str, Any]:
        issuer, jwks = self._client.issuer_keys()
        return {
            "issuer_keys": VerificationKeys.from_jwks(json.loads(jwks)),
            "expected_audience": AUDIENCE,
            "expected_issuer": issuer,
            "status": StatusSource(self._client.status_list),
            "now": datetime.now(UTC),
        }


def _stages(timings_ms: dict[str, float]) -> str:
    longest = sorted(timings_ms.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value / 1e3:.2f} s" for name, value in longest[:6])


@contextmanager
def _server(data: Path, app: App, console: Console) -> Iterator[str]:
    """Start `cameo serve` on a free loopback port with a database and keys of its own, yield its address, stop it at the end."""
    command = [sys.executable, "-m", "cameo_verifier.cli", "serve", "--json", "--expose-scores", "--listen", "127.0.0.1:0"]
    log = data.with_name("server.log")
    site = {
        "CAMEO_CALLER_ISSUER": ISSUER,
        "CAMEO_CALLER_KEYS": str(app.jwks),
        "CAMEO_STATUS_INTERVAL_S": str(_STATUS_INTERVAL_S),
        "CAMEO_CHALLENGE_TTL_S": str(_CHALLENGE_TTL_S),
        "CAMEO_LAME_DUCK_S": "0",
    }
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own
            [*command, "--data", str(data)], stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | site
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise CameoError(f"the server did not start: {log.read_text(errors='replace').strip()[-500:]}")
            ready = json.loads(line)
            console.print(f"server ready on {ready['address']} after {ready['ready_s']} s with {ready['workers']} workers")
            yield ready["address"]
        finally:
            process.terminate()
            process.wait(_STOP_S)
