"""An app's server: creates live sessions, and reads their results. app.py VERIFIER AUDIENCE STREAM COMPONENT [PORT]."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cameo.v1.attempt_pb2 import Verdict
from cameo.v1.session_service_pb2 import SessionState
from cameo_client import create_session, get_session, open_channel

verifier, audience, stream, component, port = (*sys.argv[1:], "0")[:5]
channel = open_channel(verifier)
TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json"}
of_account: dict[str, str] = {}


def create(account: str) -> dict[str, str]:
    """Create a session; the token is for this person's browser alone."""
    created = create_session(channel, subject=account, audience=audience)
    of_account[account] = created.session.id
    return {"token": created.capture_token, "stream": stream}


def result(account: str) -> dict[str, str]:
    """Ask the service itself: what a browser says, whoever sits before it can change."""
    found = get_session(channel, of_account[account])
    return {"state": SessionState.Name(found.session.state), "verdict": Verdict.Name(found.result.attempt.verdict)}


class App(BaseHTTPRequestHandler):
    """Three addresses, and files."""

    account = "account-42"  # whoever is signed in

    def do_POST(self) -> None:
        """Create a session."""
        self.answer(json.dumps(create(self.account)).encode(), "application/json")

    def do_GET(self) -> None:
        """Serve the result, the page, and the component's files."""
        name = self.path.partition("?")[0]
        file = Path(component, name.removeprefix("/cameo-capture/"))
        if name == "/result":
            self.answer(json.dumps(result(self.account)).encode(), "application/json")
        elif name == "/":
            self.answer(Path(__file__).with_name("index.html").read_bytes(), "text/html")
        elif name.startswith("/cameo-capture/") and file.suffix in TYPES and ".." not in name:
            self.answer(file.read_bytes(), TYPES[file.suffix])
        else:
            self.send_error(404)

    def answer(self, body: bytes, media_type: str) -> None:
        """Send a body."""
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", int(port)), App)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
