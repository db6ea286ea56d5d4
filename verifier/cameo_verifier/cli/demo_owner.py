"""`cameo demo`, second act: the owner of a cameo, a fan who wants to use it, a generator that asks for permission, a platform.

Each step is one call of `cameo.v1` by a caller of its own, with the expected answer. At the end the cameo is deleted, and the
data folder is searched for what must be gone.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from cameo.v1 import cameo_pb2, removal_pb2
from cameo_client import CallError
from cameo_verifier.server.cameo_client import CameoClient
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.db.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from cameo.v1.cameo_service_pb2 import AuthorizeUseResponse, DeliveredLikeness
    from cameo_verifier.cli.demo_app import App

FAN = "ben"
PLATFORM = "shorts.example"
_TEXT = "I agree that a likeness of my face and voice is made, and used as I say."
_NOTE = "the scar over the left brow stays"
_PIECE, _PIECES = 24, 300


@dataclass(frozen=True, slots=True)
class Site:
    """The demo's site: address of the server, its data folder, the app that signs callers in, and the generator's audience."""

    address: str
    data: Path
    app: App
    audience: str


class Generator(Protocol):
    """The generator, with its private key."""

    def hold(self, token: str) -> None:
        """Take a credential, and keep it."""

    def state_of_credential(self) -> str:
        """Return its finding on the credential it holds."""

    def items_of_likeness(self, likeness: DeliveredLikeness, grant_id: str) -> str:
        """Show the items in a likeness that it was delivered, and return their kinds."""


class OwnersAct:
    """Runs the steps, shows each, and collects them as JSON in `results`."""

    def __init__(self, site: Site, console: Console, opened: ExitStack, *, owner: str, generator: Generator) -> None:
        """Connect as `owner`, generator, platform until `opened` closes; `generator` opens what the generator gets."""
        self.results: list[dict[str, Any]] = []
        self._site, self._name = site, owner
        self._holder, self._credential, self._items = generator, generator.state_of_credential, generator.items_of_likeness
        self._console = console
        self._owner = opened.enter_context(CameoClient(site.address, token=site.app.token("owner", owner)))
        self._generator = opened.enter_context(CameoClient(site.address, token=site.app.token("generator", site.audience)))
        self._platform = opened.enter_context(CameoClient(site.address, token=site.app.token("platform", PLATFORM)))

    def play(self, attempt_id: str) -> None:
        """Run all steps on the cameo of an accepted attempt."""
        owner, generator, audience = self._owner, self._generator, self._site.audience
        self._step(
            "before the owner consents nothing leaves",
            "CAMEO_UNKNOWN",
            lambda: owner.issue(attempt_id, audience=audience).id,
        )
        cameo = owner.create(attempt_id, text_version="demo-1", text=_TEXT, agreed_at=datetime.now(UTC))
        fan = self._fan("job-1")
        self._step(f"{FAN} asks; only the owner may use it", "NOT_CHOSEN", lambda: generator.may_use(cameo.id, fan))
        self._step(f"{FAN}'s job is refused", "NOT_CHOSEN", lambda: self._granted(cameo.id, "job-1").grant_id)
        self._step(
            "the generator says that its owner asks, by a caller's token of theirs",
            "wrong_type",
            lambda: generator.authorize(cameo.id, self._site.app.token("owner", self._name), job_id="job-1").grant_id,
        )
        cameo = owner.update(
            cameo,
            who_may_use=cameo_pb2.WHO_MAY_USE_SELECTED,
            selected_users=[FAN],
            restrictions=cameo_pb2.Restrictions(categories=[cameo_pb2.USE_CATEGORY_ADVERTISING]),
            appearance_notes=_NOTE,
        )
        self._step(f"the owner chooses {FAN}, not for advertising", "PERMITTED", lambda: generator.may_use(cameo.id, fan))
        self._step("advertising", "PURPOSE_EXCLUDED", lambda: generator.may_use(cameo.id, fan, ["USE_CATEGORY_ADVERTISING"]))
        grant = self._granted(cameo.id, "job-2")
        spent = generator.spend(grant.token)
        self._step(
            "the grant is spent and delivers what may leave at first",
            "face_vector, voice_vector",
            lambda: ", ".join(self._items(each, spent.grant_id) for each in spent.likenesses),
        )
        self._step("the grant is spent again", "GRANT_SPENT", lambda: generator.spend(grant.token).grant_id)
        digest = hashlib.sha256(b"the video that was made").hexdigest()
        output = generator.record(grant.grant_id, sha256=digest, creator=FAN, platform=PLATFORM)
        self._step("the owner sees the use and its output", f"{FAN}: {digest[:12]}", lambda: self._listed(cameo.id))
        cameo = self._let_out(cameo)
        self._step(
            "the generator is to hold it; the owner lets none",
            "GENERATOR_NOT_CHOSEN",
            lambda: owner.issue(cameo.id, audience=audience).id,
        )
        owner.update(cameo, offline_audiences=[audience])
        self._holder.hold(owner.issue(cameo.id, audience=audience).token)
        self._step("the owner lets it, for work offline: the credential", "valid", self._credential)
        late = self._granted(cameo.id, "job-3")
        owner.pause(cameo.id, reason="a moment to think")
        self._step("paused between grant and use", "GRANT_REVOKED", lambda: generator.spend(late.token).grant_id)
        self._step("and what is asked from now on", "NOT_NOW", lambda: generator.may_use(cameo.id, fan))
        self._step("the credential, at the generator", "suspended", self._credential)
        self._remove(cameo.id, output)
        self._delete(cameo.id, output)

    def _fan(self, job_id: str) -> str:
        """Have the app vouch to the generator for who asks."""
        return self._site.app.requester(FAN, generator=self._site.audience, job_id=job_id)

    def _granted(self, cameo_id: str, job_id: str) -> AuthorizeUseResponse:
        return self._generator.authorize(cameo_id, self._fan(job_id), job_id=job_id)

    def _let_out(self, cameo: cameo_pb2.Cameo) -> cameo_pb2.Cameo:
        """Let pictures and sound out too, and deliver them for one job; return the cameo as it is then."""
        cameo = self._owner.update(cameo, items=cameo_pb2.ItemKind.keys()[1:])
        spent = self._generator.spend(self._granted(cameo.id, "job-with-pictures").token)
        self._step(
            "the owner lets pictures and sound out too",
            "face_vector, voice_vector, face_crop, voice_clip",
            lambda: ", ".join(self._items(each, spent.grant_id) for each in spent.likenesses),
        )
        return cameo

    def _remove(self, cameo_id: str, output: cameo_pb2.Output) -> None:
        def state(removal: removal_pb2.Removal) -> str:
            return short_name(removal_pb2.RemovalState, removal.state)

        asked = self._owner.ask_for_removal(output, cameo_id=cameo_id)
        self._step(f"the owner has the video removed from {PLATFORM}", "REQUESTED", lambda: state(asked))
        self._step(f"{PLATFORM} says that it is", "DONE", lambda: state(self._platform.remove(sha256=output.sha256)))
        self._step("the owner sees that", "DONE", lambda: ", ".join(map(state, self._owner.removals(cameo_id))))

    def _delete(self, cameo_id: str, output: cameo_pb2.Output) -> None:
        engine = open_database(Settings(data=self._site.data).database)
        likeness = LikenessStore(engine).of(cameo_id)
        engine.dispose()
        secrets = (likeness.sealed, likeness.wrapped_key, _NOTE.encode())
        self._step("sealed likeness, its key and the notes are on the disk", "all", lambda: self._found(secrets))
        self._owner.delete(cameo_id)
        self._step("the cameo is deleted, and on the disk is left of them", "nothing", lambda: self._found(secrets))
        self._step("the credential, at the generator", "revoked", self._credential)
        self._step("what stays is the list of uses", f"{FAN}: {output.sha256[:12]}", lambda: self._listed(cameo_id))

    def _listed(self, cameo_id: str) -> str:
        used = [use for use in self._owner.uses(cameo_id) if use.outputs]
        return ", ".join(f"{use.requester}: {output.sha256[:12]}" for use in used for output in use.outputs)

    def _found(self, secrets: tuple[bytes, ...]) -> str:
        """Search every file for chunks of each secret, at most some hundred: a database spreads long values over pages."""
        everything = b"\0".join(path.read_bytes() for path in sorted(self._site.data.rglob("*")) if path.is_file())
        steps = [max(_PIECE, len(secret) // _PIECES) for secret in secrets]
        found = [
            any(secret[at : at + _PIECE] in everything for at in range(0, len(secret), step))
            for secret, step in zip(secrets, steps, strict=True)
        ]
        return "all" if all(found) else "some" if any(found) else "nothing"

    def _step(self, title: str, wanted: str, call: Callable[[], str]) -> None:
        try:
            came = call()
        except CallError as error:
            came = error.metadata.get("answer") or error.metadata.get("refusal") or error.reason or str(error)
        as_it_must = came == wanted
        self._console.print(f"{title}: [bold]{came}[/bold]" + ("" if as_it_must else f" [red]must be {wanted}[/red]"))
        self.results.append({"title": title, "as_it_must": as_it_must, "answer": came})
