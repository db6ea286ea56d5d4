"""A console over attempts that the real pipeline made, and people signed in to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from cameo_verifier.console.app import SignInMethods, application, new_id
from cameo_verifier.console.cases import Cases
from cameo_verifier.console.local_token import LocalToken
from cameo_verifier.console.people import ConsoleRole
from cameo_verifier.console.runs import Runs
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from tests.conftest import ASKED
from tests.unit.review.stored import fixture_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from httpx2 import Response

    from cameo_verifier.store.evidence.audit import Line
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

KEPT = ("astronaut_bona_fide", "still_photo")
HTML = {"Accept": "text/html"}


@dataclass(slots=True)
class Clock:
    """A clock that is moved by hand."""

    now: datetime = ASKED + timedelta(days=1)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser, more or less."""

    client: TestClient
    site: Site
    token: str

    def get(self, path: str) -> Response:
        """Ask for a page."""
        return self.client.get(path, headers=HTML, follow_redirects=False)

    def csrf(self, path: str = "/") -> str:
        """Return the token that the page's forms carry."""
        found = re.search(r'data-csrf="([0-9a-f]{64})"', self.get(path).text)
        assert found is not None
        return found[1]

    def post(self, path: str, page: str = "/", **fields: str) -> Response:
        """Send a form from a page."""
        form = {"csrf": self.csrf(page), **fields}
        return self.client.post(path, data=form, headers=HTML, follow_redirects=False)

    def sign_in(self) -> Visitor:
        """Sign in by the printed token."""
        answer = self.post("/sign-in/token", "/sign-in", token=self.token)
        assert answer.status_code == 200
        return self

    def log(self) -> list[Line]:
        """Return the audit log."""
        return self.site.room.audit.lines()


@pytest.fixture(scope="module")
def site(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two attempts with all their evidence."""
    folder = tmp_path_factory.mktemp("console")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    yield fixture_site(engine, folder, judged, *KEPT)
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    """A day after the attempts."""
    return Clock()


@pytest.fixture
def visit(site: Site, clock: Clock) -> Callable[..., Visitor]:
    """Return a function that opens the console and visits it."""

    def visit(role: ConsoleRole = ConsoleRole.LEAD, **settings: object) -> Visitor:
        token = LocalToken()
        cases = Cases(site.engine, site.room, clock=clock)
        methods = SignInMethods(token=token, openid=None, local_role=role)
        configured = Settings(data=site.folder.parent).model_copy(update=settings)
        runs = Runs(cases, configured, 1, clock, new_id)
        app = application(configured, cases, runs, methods, hosts={"testserver"}, clock=clock)
        return Visitor(TestClient(app), site, token.value)

    return visit


@pytest.fixture
def lead(visit: Callable[..., Visitor]) -> Visitor:
    """A lead, signed in."""
    return visit().sign_in()


@pytest.fixture
def analyst(visit: Callable[..., Visitor]) -> Visitor:
    """An analyst, signed in."""
    return visit(ConsoleRole.ANALYST).sign_in()
