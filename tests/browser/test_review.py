"""An analyst walks a REVIEW from the queue to a decision, to the receipt, and to the app's webhook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from cameo_verifier.store.credentials import receipts
from cameo_verifier.store.db.engine import open_database
from tests.browser.conftest import SHOTS
from tests.browser.test_console import signed_in
from tests.conftest import ROOT
from tests.patience import PATIENCE_S
from tests.sources import PYTHONPATH
from tests.unit.review.in_review import FIRST, TAKEN, keep_pair
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.conftest import Watched
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site


@pytest.fixture(scope="module")
def site(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with an attempt in review, in the place that the console of these tests serves."""
    folder = tmp_path_factory.mktemp("review") / "data"
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    opened = open_site(engine, folder)
    keep_pair(opened, judged)
    yield opened
    engine.dispose()


@pytest.fixture(autouse=True)
def kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the site's attempts be too old, whenever the tests run."""
    for name in ("REVIEW_WAIT", "REATTEST", "RETENTION_REVIEW", "RETENTION_ENROLLED"):
        monkeypatch.setenv(f"CAMEO_{name}_DAYS", "3650")


class App(ThreadingHTTPServer):
    """The app's end of the webhooks, on loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.told: list[Any] = []
        self.came = Event()
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Hook(BaseHTTPRequestHandler):
    """Takes what is posted."""

    def do_POST(self) -> None:
        """Keep the message, say that it was taken."""
        assert isinstance(self.server, App)
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()
        self.server.came.set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def app() -> Iterator[App]:
    """The app, listening."""
    with App() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def served(site: Site, app: App) -> Iterator[None]:
    """A server of the site that tells the app what happens; it judges nothing here."""
    folder = site.folder.parent.parent
    listed = folder / "webhooks.toml"
    listed.write_text(f'[[endpoint]]\nname = "backend"\nurl = "{app.url}"\nrole = "app"\nprivate = true\n')
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    command = [sys.executable, "-m", "tests.grpc.serve_scripted", str(folder), f"webhooks={listed}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline()
            yield
        finally:
            process.terminate()


@pytest.mark.usefixtures("served")
def test_a_review_is_walked_to_the_app(walk: Watched, site: Site, app: App) -> None:
    """Queue, attempt, both faces side by side, approval with a reason; then there is a receipt, and the app is told."""
    page = signed_in(walk)
    page.get_by_label("Decision").select_option("waiting")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/?*decision=waiting*")
    page.locator("#queue tbody tr a").first.click()
    page.wait_for_selector("#decision")
    assert page.locator("#decision").get_by_role("link", name="ann").count() == 1
    page.get_by_role("link", name="both side by side").click()
    page.get_by_label("The faces are hidden.").fill("case 9")
    page.get_by_role("button", name="Reveal").click()
    pictures = page.locator("img.crops")
    pictures.nth(1).wait_for()
    assert [pictures.nth(each).evaluate("image => image.decode().then(() => image.naturalWidth)") for each in (0, 1)] == [
        768,
        768,
    ]
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "review_side_by_side.png", full_page=True)

    page.goto(page.url.partition("/compare")[0])
    page.get_by_label("Reason, for the audit log").fill("twins, both were on the phone")
    page.screenshot(path=SHOTS / "review_decision.png", full_page=True)
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=Approved on")
    with site.engine.connect() as connection:
        receipt = receipts.of_attempt(connection, TAKEN)
    assert receipt is not None
    assert receipt.cameo_id == "cameo-of-ben"
    assert app.came.wait(PATIENCE_S)
    [told] = app.told
    assert (told["type"], told["data"]["attempt"], told["data"]["decision"]) == ("attempt.decided", TAKEN, "approved")
    lines = [(line.action, line.attempt_id) for line in site.room.audit.lines() if line.action in {"reveal", "approve"}]
    assert lines == [("reveal", TAKEN), ("reveal", FIRST), ("approve", TAKEN)]
    assert walk.trouble == []
