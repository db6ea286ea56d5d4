"""The console in Debian's Chromium: collected only where the `[browser]` extra is installed (`make test-browser`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.evidence.fingerprint import to_bytes
from cameo_verifier.store.attempts import fingerprints
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import SoundTrack, Word
from tests.conftest import ROOT
from tests.patience import PATIENCE_S
from tests.sources import PYTHONPATH
from tests.unit.review.stored import RECORDINGS, keep
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Request

    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]

CHROMIUM = "/usr/bin/chromium"
SHOTS = ROOT / "build" / "screenshots"
HOSTILE = "<script>document.title='owned'</script>\u202e" + "W" * 80
ATTEMPTS = {
    "astronaut_bona_fide": "ann",
    "still_photo": "ann",
    "screen_replay": "ben",
    "wrong_words": "cem",
    "two_faces": HOSTILE,
}


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's Chromium, installed when root and missing."""
    if not Path(CHROMIUM).exists():
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.fail("no /usr/bin/chromium; as root run: apt-get install chromium")
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *command], check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})  # noqa: S607 - the system's own
    return CHROMIUM


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility rules of axe-core, of the version and digest in the lock file."""
    folder = ROOT / "build" / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(Path(__file__).with_name(name), folder)
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=folder, check=True)  # noqa: S607 - the system's own
    return script.read_text("utf-8")


@pytest.fixture(scope="session")
def site(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Attempts by the real pipeline from committed recordings; what an attacker can write is hostile in one of them."""
    folder = tmp_path_factory.mktemp("site")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    site = open_site(engine, folder)
    for day, (name, subject) in enumerate(ATTEMPTS.items()):
        judgement, challenge = judged(name)
        assert challenge.issued_at is not None
        asked_at = challenge.issued_at + timedelta(days=day)
        if subject == HOSTILE:
            sound = judgement.evidence.sound
            assert isinstance(sound, SoundTrack)
            heard = Word("<img src=x onerror=\"document.title='owned'\">\u202e", 3.0, 3.6, 0.9)
            sound = replace(sound, words=(*sound.words, heard), text=heard.text)
            media = replace(judgement.evidence.media, container="mp4<script>", video_codec="<b>h264")
            checks = tuple(replace(check, detail=f"{check.detail} {HOSTILE}") for check in judgement.checks)
            evidence = replace(judgement.evidence, sound=sound, media=media)
            judgement = replace(judgement, evidence=evidence, checks=checks)
        keep(site, name, judgement, replace(challenge, issued_at=asked_at), RECORDINGS[name].read_bytes(), subject)
        with engine.begin() as connection:
            fingerprints.add(connection, name, to_bytes(judgement.evidence.fingerprint), now=asked_at)
    yield site
    engine.dispose()


@pytest.fixture
def console(site: Site) -> Iterator[str]:
    """The real command over that site; the address it prints, with the token."""
    environment = {
        **os.environ,
        "CAMEO_FINGERPRINT_DAYS": "36500",
        "PYTHONPATH": PYTHONPATH,
    }
    data = site.folder.parent
    command = [
        sys.executable,
        "-m",
        "cameo_verifier.cli",
        "console",
        "--listen",
        "127.0.0.1:0",
        "--data",
        str(data),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("open ").strip()
        finally:
            process.terminate()


@dataclass(slots=True)
class Watched:
    """A page, and everything that went wrong in it."""

    page: Page
    trouble: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Write down every error on the console, every failed request and every request to another place."""
        own = self.page.url.split("/sign-in")[0]
        self.page.on("console", lambda message: self.trouble.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on(
            "requestfailed",
            lambda request: None if _given_up(request) else self.trouble.append(f"failed: {request.url} {request.failure}"),
        )
        self.page.on(
            "response", lambda answer: self.trouble.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        )
        self.page.on(
            "request", lambda request: None if request.url.startswith(own) else self.trouble.append(f"elsewhere: {request.url}")
        )
        self.page.on("dialog", lambda dialog: (self.trouble.append("a dialog"), dialog.dismiss()))


def _given_up(request: Request) -> bool:
    """Return whether this is a tab's icon, a video or a list of links: fetched beside the page, dropped when it goes on."""
    return request.failure == "net::ERR_ABORTED" and request.url.rpartition("/")[2] in {"icon.svg", "recording", "links"}


@pytest.fixture(scope="session")
def launch(chromium: str) -> Iterator[Callable[..., Browser]]:
    """Return a function that opens Chromium without a window, with further arguments."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only with the extra

    with sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []

        def opened(*args: str) -> Browser:
            # A container's shared memory is small.
            return playwright.chromium.launch(executable_path=chromium, args=["--disable-dev-shm-usage", *as_root, *args])

        yield opened
    # Chromium leaves folders and files of shared memory behind, with or without a dot, and so does what plays its sound.
    for pattern in ("*org.chromium.*", "pulse-*"):
        for left in Path(tempfile.gettempdir()).glob(pattern):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """Chromium, without a window."""
    opened = launch()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def camera_browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """The same with Chromium's own fake camera and microphone, which it allows unasked."""
    opened = launch("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    yield opened
    opened.close()


@pytest.fixture
def walk(browser: Browser, console: str) -> Iterator[Watched]:
    """A page on the sign-in form, watched."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    page.goto(console)
    watched = Watched(page)
    watched.watch()
    yield watched
    context.close()
