"""The example apps of docs/integration.md and `cameo try`, with Chromium's fake camera, in which there is no face."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.server.capture_page.page import WEB
from tests.browser.live_site import LiveSite
from tests.conftest import ROOT
from tests.grpc.client import AUDIENCE
from tests.patience import PATIENCE_S
from tests.sources import PYTHONPATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.models
EXAMPLE = ROOT / "docs" / "integration"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The service."""
    with LiveSite(tmp_path_factory.mktemp("live")) as opened:
        yield opened


@pytest.fixture
def page(camera_browser: Browser) -> Iterator[Page]:
    """A page of somebody whose camera shows no face."""
    context = camera_browser.new_context(locale="en-GB")
    context.set_default_timeout(1000 * PATIENCE_S)
    yield context.new_page()
    context.close()


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[str]:
    """Run a command, and yield the first line it prints."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PYTHONPATH, **environment}
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(params=["python", "node"])
def app(request: pytest.FixtureRequest, site: LiveSite) -> Iterator[str]:
    """The address of the example app, in each language."""
    given = [site.address, AUDIENCE, f"ws://{site.http_address}/capture/stream", str(WEB)]
    if request.param == "python":
        command = [sys.executable, str(EXAMPLE / "app.py"), *given]
    else:
        folder = ROOT / "build" / "integration"
        shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
        if not (folder / "node_modules").exists():
            subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=folder, check=True)  # noqa: S607 - the system's own
        command = ["node", str(folder / "app.mjs"), *given, str(ROOT / "protos")]
    with running(command) as address:
        yield address


def test_an_app_embeds_the_component_and_reads_the_state_itself(app: str, page: Page) -> None:
    """Its page gets a token, the camera's picture reaches the service, which sees no face; the app reads where it stands."""
    page.goto(app)
    page.get_by_role("button", name="Agree and start").click()
    page.get_by_text("Place your face in the oval").wait_for()
    told = page.request.get(f"{app}result").json()
    assert told == {"state": "SESSION_STATE_PREPARING", "verdict": "VERDICT_UNSPECIFIED"}


def test_trying_it_opens_a_page_before_this_machines_camera(page: Page, tmp_path: Path) -> None:
    """The command prints the page's address; there the models look through the camera."""
    command = [sys.executable, "-m", "cameo_verifier.cli", "try", "--no-open", "--json", "--data", str(tmp_path / "site")]
    with running(command) as line:
        page.goto(json.loads(line)["url"])
        page.get_by_role("button", name="Agree and start").click()
        page.get_by_text("Place your face in the oval").wait_for()


def test_a_try_that_nobody_makes_ends_without_a_verdict() -> None:
    """It says so, with exit code 1, and leaves nothing."""
    command = [sys.executable, "-m", "cameo_verifier.cli", "try", "--no-open"]
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH, "CAMEO_LIVE_SESSION_S": "1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, "ended without a verdict: SESSION_EXPIRED"), ended.stderr
