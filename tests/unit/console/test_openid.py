"""Sign-in with an identity provider: genuine replies, and forged ones."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.testclient import TestClient

from cameo_verifier.console.app import SignInMethods, application, new_id
from cameo_verifier.console.cases import Cases
from cameo_verifier.console.openid import OpenId, SignInError
from cameo_verifier.console.people import ConsoleRole, Person
from cameo_verifier.console.runs import Runs
from cameo_verifier.settings import OpenIdProvider, Settings
from tests.unit.console.conftest import Clock, Visitor

if TYPE_CHECKING:
    from tests.unit.store.evidence_site import Site

ISSUER = "https://idp.example/realm"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
PROVIDER = OpenIdProvider(issuer=ISSUER, client_id="console", client_secret="s3cret", role_claim="realm.roles")  # noqa: S106 - of a test
BACK = "http://testserver/sign-in/callback"


@dataclass(slots=True)
class Idp:
    """A provider; what its ID tokens say can be bent, also with which key and algorithm they are signed."""

    clock: Clock
    claims: dict[str, Any] = field(default_factory=dict)
    discovered: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "k1"})
    key: Any = field(default_factory=lambda: KEY)
    keys: tuple[Any, ...] = (KEY,)
    nonce: str = ""
    challenge: str = ""
    asked: dict[str, str] = field(default_factory=dict)

    def authorize(self, url: str) -> str:
        """Let somebody sign in at the provider; return the state that comes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == ("code", "console", BACK)
        assert asked["code_challenge_method"] == "S256"
        self.nonce, self.challenge = asked["nonce"], asked["code_challenge"]
        return asked["state"]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer as a provider."""
        match request.url.path:
            case "/realm/.well-known/openid-configuration":
                document = {
                    "issuer": ISSUER,
                    "authorization_endpoint": "https://idp.example/authorize",
                    "token_endpoint": "https://idp.example/token",
                    "jwks_uri": "https://idp.example/keys",
                }
                return httpx2.Response(200, json={**document, **self.discovered})
            case "/keys":
                keys = [key.as_dict(private=False) if isinstance(key, RSAKey) else key for key in self.keys]
                return httpx2.Response(200, json={"keys": keys})
            case "/token":
                return self._token(request)
        return httpx2.Response(404)

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.asked = form
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if form["code"] != "good" or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        now = int(self.clock().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": "console",
            "sub": "u1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "preferred_username": "ana",
            "realm": {"roles": ["cameo-analyst"]},
        }
        bent = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        return httpx2.Response(200, json={"id_token": jwt.encode(self.header, bent, self.key, algorithms=[self.header["alg"]])})


@pytest.fixture
def idp(clock: Clock) -> Idp:
    """A provider that tells the truth."""
    return Idp(clock)


@pytest.fixture
def openid(idp: Idp, clock: Clock) -> OpenId:
    """Sign-ins with it."""
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(idp))
    return OpenId(PROVIDER, redirect_uri=BACK, client=client, clock=clock)


async def signed_in(openid: OpenId, idp: Idp) -> Person:
    """Go to the provider and come back."""
    return await openid.finish(cookie="c", state=idp.authorize(await openid.begin("c")), code="good")


async def test_who_comes_back_is_who_the_provider_says(openid: OpenId, idp: Idp) -> None:
    """Name and role are those of the claims, and the code is exchanged with its verifier."""
    assert await signed_in(openid, idp) == Person("ana", ConsoleRole.ANALYST)
    assert idp.asked["grant_type"] == "authorization_code"


@pytest.mark.parametrize(
    ("claims", "person"),
    [
        ({"realm": {"roles": ["cameo-analyst", "cameo-lead"]}}, Person("ana", ConsoleRole.LEAD)),
        ({"realm": {"roles": "cameo-lead"}}, Person("ana", ConsoleRole.LEAD)),
        ({"aud": ["console", "another"], "azp": "console"}, Person("ana", ConsoleRole.ANALYST)),
        ({"preferred_username": None}, Person("u1", ConsoleRole.ANALYST)),
        ({"preferred_username": "x" * 500}, Person("x" * 128, ConsoleRole.ANALYST)),
    ],
)
async def test_roles_and_names_come_from_claims(openid: OpenId, idp: Idp, claims: dict[str, Any], person: Person) -> None:
    """The greater role counts; without a name the subject stands in for it; a long name is cut."""
    idp.claims = claims
    assert await signed_in(openid, idp) == person


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["console", "another"]},
        {"aud": ["console", "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 0},
        {"exp": None},
        {"realm": {"roles": []}},
        {"realm": "cameo-lead"},
        {"realm": None, "roles": ["cameo-lead"]},
    ],
)
async def test_a_token_that_does_not_fit_lets_nobody_in(openid: OpenId, idp: Idp, claims: dict[str, Any]) -> None:
    """Another issuer, client, nonce or time, and a person without a role of ours, are all refused."""
    idp.claims = claims
    with pytest.raises(SignInError):
        await signed_in(openid, idp)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "RS256", "kid": "k1"}, RSAKey.generate_key(2048)),
        ({"alg": "RS256", "kid": "k2"}, KEY),
        ({"alg": "HS256", "kid": "k1"}, OctKey.import_key(b"s3cret" * 8)),
    ],
)
async def test_a_token_of_another_signer_lets_nobody_in(openid: OpenId, idp: Idp, header: dict[str, Any], key: object) -> None:
    """Another key, an unknown key, and the client's own secret sign nothing that counts."""
    idp.header, idp.key = header, key
    with pytest.raises(SignInError):
        await signed_in(openid, idp)


async def test_only_a_provider_with_one_key_may_leave_its_name_out(openid: OpenId, idp: Idp) -> None:
    """OpenID Connect Core 1.0, section 10.1: a token names its key where there are several."""
    idp.header = {"alg": "RS256"}
    assert (await signed_in(openid, idp)).name == "ana"
    idp.keys = (KEY, RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"}))
    with pytest.raises(SignInError, match="malformed"):
        await signed_in(openid, idp)


async def test_keys_that_are_none_let_nobody_in(openid: OpenId, idp: Idp) -> None:
    """A provider whose keys cannot be read, are too short, or are not for signatures signs nobody in."""
    short = {"kty": "RSA", "n": "u" * 171, "e": "AQAB", "kid": "k1"}
    for keys in ((), (1, None, "key", [KEY.as_dict(private=False)]), ({**KEY.as_dict(private=False), "use": "enc"},), (short,)):
        idp.keys = keys
        with pytest.raises(SignInError, match="unknown_key"):
            await signed_in(openid, idp)


async def test_a_sign_in_is_good_once_in_the_browser_that_began_it(openid: OpenId, idp: Idp) -> None:
    """The state comes back once, within ten minutes, with the cookie it was made for."""
    state = idp.authorize(await openid.begin("c"))
    with pytest.raises(SignInError, match="not begun in this browser"):
        await openid.finish(cookie="other", state=state, code="good")
    with pytest.raises(SignInError, match="not begun in this browser"):
        await openid.finish(cookie="c", state=state, code="good")
    late = idp.authorize(await openid.begin("c"))
    idp.clock.now = idp.clock.now.replace(hour=13)
    with pytest.raises(SignInError, match="is over"):
        await openid.finish(cookie="c", state=late, code="good")


@pytest.mark.parametrize("discovered", [{"issuer": "https://evil.example"}, {"authorization_endpoint": "http://idp.example/a"}])
async def test_a_provider_that_is_another_is_refused(openid: OpenId, idp: Idp, discovered: dict[str, str]) -> None:
    """A discovery document of another issuer, and pages without https, are not followed."""
    idp.discovered = discovered
    with pytest.raises(SignInError):
        await openid.begin("c")


async def test_a_wrong_code_lets_nobody_in(openid: OpenId, idp: Idp) -> None:
    """What the provider does not exchange is no sign-in."""
    state = idp.authorize(await openid.begin("c"))
    with pytest.raises(SignInError, match="does not answer as one"):
        await openid.finish(cookie="c", state=state, code="stolen")


def test_the_pages_lead_there_and_back(site: Site, clock: Clock, idp: Idp, openid: OpenId) -> None:
    """The page leads to the provider; coming back opens a strict session under the provider's name, and there is no token."""
    settings = Settings(data=site.folder.parent)
    cases = Cases(site.engine, site.room, clock=clock)
    app = application(
        settings, cases, Runs(cases, settings, 1, clock, new_id), SignInMethods(None, openid), hosts={"testserver"}, clock=clock
    )
    visitor = Visitor(TestClient(app), site, "")
    assert 'name="token"' not in visitor.get("/sign-in").text
    begun = visitor.get("/sign-in/openid")
    assert begun.headers["location"].startswith("https://idp.example/authorize?")
    back = visitor.get(f"/sign-in/callback?state={idp.authorize(begun.headers['location'])}&code=good")
    assert 'url=/"' in back.text
    assert "samesite=strict" in back.headers["set-cookie"].lower()
    assert "ana" in visitor.get("/").text
    assert visitor.get("/sign-in/callback?state=x&code=good").status_code == 403
    assert visitor.post("/sign-in/token", token="").status_code == 404
