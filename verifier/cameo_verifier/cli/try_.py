"""`cameo try`: a live session on this machine, for whoever sits before its camera.

A server starts on loopback, with a database and keys of its own; a session is created, its page opened in the browser, and the
verdict shown with every check. Nothing is kept unless a folder is named.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import webbrowser
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.errors import CameoError
from cameo_verifier.cli.output import check_document, checks_table, print_json
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from cameo.v1.session_service_pb2 import Session
_AUDIENCE = "https://app.example"
_SUBJECT = "you"
_LOOK_S = 0.5
"""Time between two looks at the session."""
_STOP_S = 30.0


def try_(
    data: Annotated[
        Path | None, typer.Option(help="Keep the site in this folder; a temporary one by default.", show_default=False)
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the prompts.")] = "en",
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in this machine's browser.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address and the result as JSON.")] = False,
) -> None:
    """Answer a live session before this machine's camera, and see every check. Exit code 0 if you are accepted."""
    from cameo_client import create_session, open_channel  # noqa: PLC0415 - other commands need no grpc

    # Whoever ends this ends its server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as opened:
        folder = data or Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="cameo-try-")))
        audiences = AudienceFolder(Settings(data=folder).audiences)
        if _AUDIENCE not in {key.audience for key in audiences.all()}:
            audiences.add(AudienceKey.generate(_AUDIENCE).public())
        typer.echo("loading the models …", err=True)
        ready = opened.enter_context(_server(folder))
        channel = opened.enter_context(open_channel(ready["address"]))
        created = create_session(channel, subject=_SUBJECT, audience=_AUDIENCE, language=language)
        url = f"http://{ready['http_address']}/capture#{created.capture_token}"
        if as_json:
            print_json({"url": url, "session_id": created.session.id})
        else:
            typer.echo(f"open {url}")
        if open_:
            webbrowser.open(url)
        accepted = _show(ready["address"], _ended(channel, created.session.id), as_json=as_json)
    raise typer.Exit(0 if accepted else 1)


def _ended(channel: grpc.Channel, session_id: str) -> Session:
    """Return the session once there is nothing more to wait for."""
    from cameo.v1 import session_service_pb2  # noqa: PLC0415 - other commands need no grpc
    from cameo_client import get_session  # noqa: PLC0415

    over = {
        session_service_pb2.SESSION_STATE_JUDGED,
        session_service_pb2.SESSION_STATE_ENDED,
        session_service_pb2.SESSION_STATE_EXPIRED,
    }
    while (session := get_session(channel, session_id).session).state not in over:
        time.sleep(_LOOK_S)
    return session


def _show(address: str, session: Session, *, as_json: bool) -> bool:
    """Show the result of a session, and return whether the person was accepted."""
    from rich.console import Console  # noqa: PLC0415 - loads slowly

    from cameo_verifier.server.client import Client  # noqa: PLC0415 - other commands need no grpc

    if not session.attempt_id or session.ended_by:
        ended: dict[str, Any] = {"verdict": None, "ended_by": session.ended_by or "SESSION_EXPIRED"}
        if as_json:
            print_json(ended)
        else:
            typer.echo(f"ended without a verdict: {ended['ended_by']}")
        return False
    with Client(address) as client:
        attempt = client.attempt(session.attempt_id)
    if as_json:
        told = {"verdict": attempt.verdict, "reasons": list(attempt.reasons), "hint": attempt.hint}
        print_json(told | {"checks": [check_document(check) for check in attempt.checks]})
    else:
        console = Console(highlight=False)
        console.print(f"[bold]{attempt.verdict}[/bold] {', '.join(attempt.reasons)}  {attempt.hint}")
        console.print(checks_table(attempt.checks))
    return attempt.verdict == "ACCEPTED"


@contextmanager
def _server(data: Path) -> Iterator[dict[str, Any]]:
    """Serve on free loopback ports, yield what `cameo serve --json` says, and stop it at the end."""
    command = [sys.executable, "-m", "cameo_verifier.cli", "serve", "--json", "--expose-scores", "--listen", "127.0.0.1:0"]
    site = {"CAMEO_HTTP_LISTEN": "127.0.0.1:0", "CAMEO_LAME_DUCK_S": "0", "CAMEO_CALLER_ISSUER": "", "CAMEO_CALLER_KEYS": ""}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own
            [*command, "--data", str(data)], stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | site
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                log.seek(0)
                raise CameoError(f"the server did not start: {log.read().decode(errors='replace').strip()[-500:]}")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(_STOP_S)
