"""The guard: sign-in, headers, and refusals before any page is rendered."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from cameo_verifier.console.guard import MAX_BODY
from cameo_verifier.console.people import ConsoleRole, Person
from cameo_verifier.console.sessions import REVEAL_LASTS, Sessions
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.sign_in_tokens import SignInTokenStore
from tests.unit.console.conftest import HTML

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx2 import Response

    from tests.unit.console.conftest import Clock, Visitor

PAGES = ["/", "/attempts/still_photo", "/attempts/still_photo/overlay", "/attempts/still_photo/what-if"]


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_page_without_signing_in(visit: Callable[..., Visitor], page: str) -> None:
    """A visitor is sent to sign in, and a script is told so; nothing of the attempt is in either answer."""
    visitor = visit()
    sent = visitor.get(page)
    assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (303, "/sign-in")
    told = visitor.client.get(page, headers={"Accept": "application/json"})
    assert (told.status_code, told.json()) == (401, {"error": "sign in first"})


def test_the_printed_token_lets_one_person_in_once(visit: Callable[..., Visitor]) -> None:
    """The token opens one session; a second use of it, and another token, open none."""
    visitor = visit()
    guess = visitor.token[::-1]
    assert visitor.post("/sign-in/token", "/sign-in", token=guess).status_code == 403
    visitor.sign_in()
    assert visitor.get("/").status_code == 200
    again = TestClient(visitor.client.app)
    assert (
        type(visitor)(again, visitor.site, visitor.token).post("/sign-in/token", "/sign-in", token=visitor.token).status_code
        == 403
    )
    assert again.get("/", headers=HTML, follow_redirects=False).status_code == 303


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visit: Callable[..., Visitor]) -> None:
    """It is HttpOnly and SameSite=Strict, and changes when somebody signs in, so that nobody can plant one."""
    visitor = visit()
    before = visitor.get("/sign-in").cookies["cameo-console"]
    answer = visitor.post("/sign-in/token", "/sign-in", token=visitor.token)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert answer.cookies["cameo-console"] != before


def test_signing_out_ends_the_session_everywhere(lead: Visitor) -> None:
    """After signing out the old cookie opens nothing, even where somebody kept it."""
    cookie = lead.client.cookies["cameo-console"]
    lead.post("/sign-out")
    lead.client.cookies.set("cameo-console", cookie)
    assert lead.get("/").status_code == 303


def test_a_session_ends_by_itself(lead: Visitor, clock: Clock) -> None:
    """After eight hours one signs in again."""
    clock.now += timedelta(hours=7, minutes=59)
    assert lead.get("/").status_code == 200
    clock.now += timedelta(minutes=2)
    assert lead.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/sign-out", "/attempts/still_photo/reveal", "/attempts/still_photo/label", "/what-if/profile"])
@pytest.mark.parametrize("token", ["", "0" * 64, "é" * 10])
def test_no_form_without_its_token_does_anything(lead: Visitor, path: str, token: str) -> None:
    """A POST without the token of its own cookie is refused, and the session and the log stay as they were."""
    before = len(lead.log())
    answer = lead.client.post(
        path, data={"csrf": token, "why": "curious", "truth": "attack"}, headers=HTML, follow_redirects=False
    )
    assert answer.status_code == 403
    assert len(lead.log()) == before
    assert lead.get("/").status_code == 200


def test_a_token_of_another_cookie_does_not_fit(visit: Callable[..., Visitor]) -> None:
    """A form token is good only with the cookie it was made for."""
    visitor = visit()
    stranger = visitor.csrf("/sign-in")
    visitor.sign_in()
    assert visitor.client.post("/sign-out", data={"csrf": stranger}, headers=HTML).status_code == 403


def test_another_site_cannot_send_a_form(lead: Visitor) -> None:
    """What a browser says came from another site is refused, token or not."""
    headers = {**HTML, "Sec-Fetch-Site": "cross-site"}
    assert lead.client.post("/sign-out", data={"csrf": lead.csrf()}, headers=headers).status_code == 403


def test_another_host_name_reaches_nothing(lead: Visitor) -> None:
    """A name that somebody else pointed here is refused before the cookie is looked at."""
    assert lead.client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_a_flood_is_not_read(lead: Visitor) -> None:
    """A body over the limit is refused."""
    answer = lead.client.post("/attempts/still_photo/label", content=b"a" * (MAX_BODY + 1), headers=HTML)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/static/console.css", "/no-such-page", "/?verdict=NO"])
def test_every_answer_says_what_a_browser_may_do_with_it(lead: Visitor, path: str) -> None:
    """Pages, files and refusals alike: nothing from elsewhere, no inline script or style, no frame, no guessing of types."""
    headers = lead.get(path).headers
    policy = dict(part.partition(" ")[::2] for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "media-src", "img-src", "form-action")} == {
        "'self'"
    }
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("private, max-age=300" if path.startswith("/static/") else "no-store")
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("path", [*PAGES[:1], PAGES[1], PAGES[3], "/sign-in", "/runs"])
def test_pages_have_nothing_inline_and_nothing_from_elsewhere(lead: Visitor, path: str) -> None:
    """No style attribute, no handler, no script body, and no address of another site is in any page."""
    text = lead.get(path).text
    assert " style=" not in text
    assert "<style" not in text
    assert " onclick=" not in text
    assert "://" not in text.replace("http://www.w3.org", "")
    assert all(part.startswith(' src="/static/') for part in text.split("<script")[1:])


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(visit: Callable[..., Visitor], where: str) -> None:
    """The page after signing in is one of the console's, whatever the address says."""
    visitor = visit()
    assert "evil" not in visitor.get(f"/sign-in?next={where}").text
    answer = visitor.post("/sign-in/token", "/sign-in", token=visitor.token, next=where)
    assert 'content="0; url=/"' in answer.text


def test_over_https_the_cookie_is_bound_to_the_host(visit: Callable[..., Visitor]) -> None:
    """With an https origin the cookie is Secure and has the __Host- prefix, and browsers are told to stay on https."""
    from cameo_verifier.settings import ConsoleSettings  # noqa: PLC0415 - only here

    visitor = visit(console=ConsoleSettings(origin="https://testserver"))
    answer = visitor.get("/sign-in")
    assert answer.headers["set-cookie"].startswith("__Host-cameo-console=")
    assert "; Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_face_is_hidden_again(clock: Clock) -> None:
    """What one session revealed no other sees, and it itself for a quarter of an hour."""
    sessions = Sessions(lasts=timedelta(hours=8), clock=clock)
    ann, ben = sessions.sign_in(Person("ann", ConsoleRole.ANALYST)), sessions.sign_in(Person("ben", ConsoleRole.ANALYST))
    sessions.reveal(ann, "a1")
    assert (sessions.may_see(ann, "a1"), sessions.may_see(ann, "a2"), sessions.may_see(ben, "a1")) == (True, False, False)
    clock.now += REVEAL_LASTS
    assert not sessions.may_see(ann, "a1")


WRITTEN = {"truth": "attack", "species": "mask", "note": "two hours of work <b>and</b> more"}


def sent_again(visitor: Visitor, late: Response) -> Response:
    """Send the form of a page that somebody came too late to, as a browser does without a script."""
    form = late.text.split("<main")[1].partition("<form")[2]
    action = re.search(r'action="([^"]*)"', form)
    assert action is not None
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    fields += re.findall(r'<input id="[^"]*" name="([^"]*)" value="([^"]*)"', form)
    fields += re.findall(r'<textarea [^>]*name="([^"]*)">\n([^<]*)</textarea>', form)
    data = {html.unescape(name): html.unescape(value) for name, value in fields}
    mine = {**HTML, "sec-fetch-site": "same-origin"}
    return visitor.client.post(html.unescape(action[1]), data=data, headers=mine, follow_redirects=False)


def test_what_was_written_is_not_lost_with_the_session(visit: Callable[..., Visitor], clock: Clock) -> None:
    """A form that comes after the session ended comes back whole; after signing in again it is sent as it was, and kept."""
    visitor = visit().sign_in()
    token = visitor.csrf("/attempts/still_photo")
    clock.now += timedelta(hours=9)
    sent = {"data": {"csrf": token, **WRITTEN}, "headers": {**HTML, "referer": "http://testserver/attempts/still_photo"}}
    late = visitor.client.post("/attempts/still_photo/label", **sent)
    assert (late.status_code, "Not sent yet" in late.text) == (401, True)
    assert "two hours of work &lt;b&gt;and&lt;/b&gt; more</textarea>" in late.text
    assert 'href="/sign-in?next=/attempts/still_photo" target="_blank"' in late.text
    again = sent_again(visitor, late)
    assert (again.status_code, "two hours of work" in again.text) == (401, True)

    named = SignInTokenStore(visitor.site.engine, visitor.site.room.audit)
    _, text = named.make("ann", "analyst", lasts=timedelta(hours=1), reader=Reader("root", "test"), now=clock())
    visitor.post("/sign-in/token", "/sign-in", token=text)
    again = sent_again(visitor, late)
    assert (again.status_code, "You are signed in as <bdi>ann</bdi>" in again.text) == (401, True)
    kept = sent_again(visitor, again)
    assert (kept.status_code, kept.headers["location"]) == (303, "/attempts/still_photo#labels")
    label = LabelStore(visitor.site.engine).history("still_photo")[-1]
    assert (label.truth.value, label.species, label.note, label.analyst) == (*WRITTEN.values(), "ann")


def test_a_script_is_told_that_the_session_ended(lead: Visitor, clock: Clock) -> None:
    """And after signing in again, what the new session's form token is and whose it is."""
    token = lead.csrf("/attempts/still_photo")
    assert lead.client.get("/sign-in/state").json() == {"csrf": token, "name": "local"}
    clock.now += timedelta(hours=9)
    plain = {"data": {"csrf": token, **WRITTEN}, "headers": {"Accept": "application/json"}}
    told = lead.client.post("/attempts/still_photo/label", **plain)
    assert (told.status_code, told.json()) == (401, {"error": "sign in first"})
    assert lead.client.get("/sign-in/state").json()["name"] == ""


def test_a_whole_profile_is_not_lost_either(lead: Visitor) -> None:
    """Every field goes along, in order; what is too much to show is counted, and no page of another host is sent to."""
    values = {f"t.line_{number}": str(number) for number in range(40)}
    mine = {**HTML, "sec-fetch-site": "same-origin"}
    late = lead.client.post("/what-if/profile", data={"csrf": "0" * 64, "name": "strict", **values}, headers=mine)
    assert [f'name="{name}" value="{value}"' in late.text for name, value in values.items()] == [True] * 40
    assert "And 28 more, as they were set." in late.text
    elsewhere = lead.client.post("http://testserver//evil.example/x", data={"csrf": "0" * 64, **WRITTEN}, headers=mine)
    assert 'action="/evil.example/x"' in elsewhere.text


def test_signing_out_late_is_signing_out(lead: Visitor, clock: Clock) -> None:
    """There is nothing to send again."""
    token = lead.csrf()
    clock.now += timedelta(hours=9)
    answer = lead.client.post("/sign-out", data={"csrf": token}, headers=HTML, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_who_has_no_cookie_any_more_is_given_one_to_send_it_again(visit: Callable[..., Visitor]) -> None:
    """A browser that threw it away would be refused for ever."""
    visitor = visit()
    mine = {**HTML, "sec-fetch-site": "same-origin"}
    late = visitor.client.post("/attempts/still_photo/label", data={"csrf": "0" * 64, **WRITTEN}, headers=mine)
    assert late.status_code == 401
    assert "HttpOnly" in late.headers["set-cookie"]
    assert form_token(late) == visitor.client.get("/sign-in/state").json()["csrf"]


def form_token(late: Response) -> str:
    """Return the token of a page's form."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', late.text)
    assert found is not None
    return found[1]


def test_what_was_written_on_a_page_of_before_is_not_lost(lead: Visitor) -> None:
    """A page that an earlier session opened sends a token of before: shown again where a browser says that it is our page."""
    mine = {**HTML, "sec-fetch-site": "same-origin"}
    answer = lead.client.post("/attempts/still_photo/label", data={"csrf": "0" * 64, **WRITTEN}, headers=mine)
    assert (answer.status_code, "two hours of work" in answer.text) == (401, True)
    for site in ({}, {"sec-fetch-site": "cross-site"}):
        answer = lead.client.post("/attempts/still_photo/label", data={"csrf": "0" * 64, **WRITTEN}, headers={**HTML, **site})
        assert (answer.status_code, "two hours" in answer.text) == (403, False)
