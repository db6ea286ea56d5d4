"""`cameo gallery`: protects people whose faces nobody else may enrol."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cameo_credential.errors import InvalidRequestError
from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.progress import busy
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.screening.transform import Transform
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.faces import Code, FaceStore
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import F32, Missing
from cameo_verifier.workers.crew import Crew
from cameo_verifier.workers.process import ResourceLimits, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

app = typer.Typer(help="Protect people whose faces nobody else may enrol.", no_args_is_help=True)

_MODEL = "face-embedding"
_NAME_CHARS = 128

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Name = Annotated[str, typer.Argument(help="The protected person's name.", show_default=False)]
Subject = Annotated[str, typer.Argument(help="The account, as in IssueChallenge.", show_default=False)]


@app.command()
def add(
    name: Name,
    photos: Annotated[list[Path], typer.Argument(help="Photographs of that person alone.", show_default=False)],
    *,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Protect a person by photographs, or add some; running servers see it at once. The photographs are not kept."""
    if not name or len(name) > _NAME_CHARS:
        raise InvalidRequestError(f"a name has 1 to {_NAME_CHARS} characters")
    settings = site_settings(data)
    with busy("looking for faces"):
        faces, model = _faces(photos, settings)
    key = GalleryKey.open(settings.gallery_key)
    transform = Transform(key.secret, model)
    with _store(settings) as store:
        store.protect(name, [Code(transform.code(face), key.id, model) for face in faces], now=datetime.now(UTC))
    _say(f"{name} is protected by {len(faces)} more photographs", {"name": name, "added": len(faces)}, as_json=as_json)


@app.command("list")
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """List the protected people, the number of photographs of each, and the accounts that are that person."""
    with _store(site_settings(data)) as store:
        people = store.protected()
    if as_json:
        shown = [
            {
                "name": person.name,
                "faces": list(person.numbers),
                "since": person.created_at.isoformat(),
                "subjects": list(person.subjects),
            }
            for person in people
        ]
        print_json({"protected": shown})
        return
    table = Table("name", "faces", "since", "accounts", box=None, pad_edge=False)
    for person in people:
        numbers = ", ".join(map(str, person.numbers))
        table.add_row(person.name, numbers, f"{person.created_at:%Y-%m-%d}", ", ".join(person.subjects))
    Console().print(table)


@app.command()
def remove(name: Name, *, data: Data = None, as_json: AsJson = False) -> None:
    """End the protection of a person, and delete the faces stored for it."""
    with _store(site_settings(data)) as store:
        gone = store.unprotect(name)
    _say(f"{name} is protected no longer: {gone} faces forgotten", {"name": name, "removed": gone}, as_json=as_json)


@app.command()
def allow(name: Name, subject: Subject, *, data: Data = None, as_json: AsJson = False) -> None:
    """Permit an account to enrol as a protected person, once you know that it is that person."""
    if not subject or len(subject) > _NAME_CHARS:
        raise InvalidRequestError(f"an account has 1 to {_NAME_CHARS} characters")
    with _store(site_settings(data)) as store:
        store.allow(name, subject, now=datetime.now(UTC))
    _say(f"{subject} may enrol as {name}", {"name": name, "subject": subject}, as_json=as_json)


@app.command()
def disallow(name: Name, subject: Subject, *, data: Data = None, as_json: AsJson = False) -> None:
    """Revoke what `allow` permitted; what was enrolled meanwhile stays."""
    with _store(site_settings(data)) as store:
        if not store.disallow(name, subject):
            raise InvalidRequestError(f"{subject} was not allowed to enrol as {name}")
    _say(f"{subject} may no longer enrol as {name}", {"name": name, "subject": subject}, as_json=as_json)


@app.command()
def forget(subject: Subject, *, data: Data = None, as_json: AsJson = False) -> None:
    """Delete the faces an account enrolled; the same face is not recognised afterwards."""
    with open_site(site_settings(data)) as site:
        if not (gone := FaceStore(site.engine).forget(subject)):
            site.require_subject(subject)
    _say(f"{gone} faces of {subject} forgotten", {"subject": subject, "removed": gone}, as_json=as_json)


@app.command()
def prune(*, data: Data = None, as_json: AsJson = False) -> None:
    """Delete faces stored under another key or made by another model: nothing can be compared with them."""
    settings = site_settings(data)
    key = GalleryKey.open(settings.gallery_key)
    with ModelKit.open(settings) as kit:
        model = kit.digests[_MODEL]
    with _store(settings) as store:
        gone = store.drop_unreadable(key_id=key.id, model=model)
    _say(f"{gone} faces forgotten", {"removed": gone}, as_json=as_json)


def _faces(photos: list[Path], settings: Settings) -> tuple[list[F32], str]:
    """Return the face of each photograph, and the digest of the embedding model.

    The photographs are untrusted: a process without network, keys or database decodes them.
    """
    faces, model = list[F32](), ""
    crew: Crew[Path, tuple[F32, str]] = Crew(_OpenFaces(settings), limits=ResourceLimits.of(settings))
    with crew:
        for photo, found in crew.each(photos):
            if isinstance(found, WorkerLostError):
                raise InvalidRequestError(f"{photo} cannot be decoded ({found}): take another photograph")
            face, model = found
            faces.append(face)
    return faces, model


@dataclass(frozen=True, slots=True)
class _OpenFaces:
    """Factory of the worker that finds the face of a photograph."""

    settings: Settings

    def __call__(self) -> Callable[[Path, Callable[[], bool]], tuple[F32, str]]:
        kit = ModelKit.open(self.settings)
        return lambda photo, _cancelled: (_face(photo, kit, self.settings), kit.digests[_MODEL])


def _face(photo: Path, kit: ModelKit, settings: Settings) -> F32:
    if not photo.is_file():
        raise InvalidRequestError(f"no such file: {photo}")
    track = collect(photo, kit, settings=settings).face
    if isinstance(track, Missing) or (face := face_embedding(track)) is None:
        raise InvalidRequestError(f"{photo} shows no face from the front: take another photograph")
    if (track.faces > 1).any():
        raise InvalidRequestError(f"{photo} shows more than one face: cut it down to the person's own")
    return face


@contextmanager
def _store(settings: Settings) -> Iterator[FaceStore]:
    engine = open_database(settings.database)
    try:
        yield FaceStore(engine)
    finally:
        engine.dispose()


def _say(line: str, document: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(line)
