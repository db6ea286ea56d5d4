"""Sign-in with the site's own identity provider: OpenID Connect, authorization code with PKCE.

1. The provider is known by its issuer alone; where its pages and keys are, its discovery document says, which must name that
   very issuer.
2. A sign-in begins with three secrets of its own: state, nonce and PKCE verifier, kept here under the state, once, for ten
   minutes, and bound to the browser by its cookie.
3. The code that comes back is exchanged together with the verifier. The ID token must be signed by a key of the provider with an
   algorithm we allow, and name the issuer, this client and the nonce, and be of now.
4. A claim names the roles. Who has none of ours does not come in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from cameo_credential.errors import CameoError, CredentialError
from cameo_credential.public_keys import ALGORITHMS, PublicKey, read_public_keys
from cameo_credential.signature import JWT_TYPES, TokenKind, verify_jws
from cameo_verifier.console.people import ConsoleRole, Person

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_verifier.settings import OpenIdProvider

_KIND = TokenKind(JWT_TYPES, foreign=True)
"""ID tokens are signed with a public key; one signed with the client's secret, or not at all, is refused."""
_MAX_TOKEN_CHARS = 65536
_BEGUN_KEPT = timedelta(minutes=10)
_MOST_BEGUN = 1000
_LEEWAY_S = 60
_TIMEOUT_S = 10.0
_MAX_NAME = 128


class SignInError(CameoError):
    """Nobody was signed in; the message says why and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class _Begun:
    cookie: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    until: datetime


class OpenId:
    """Sign-ins with one provider."""

    def __init__(
        self,
        provider: OpenIdProvider,
        *,
        redirect_uri: str,
        client: httpx2.AsyncClient,
        clock: Callable[[], datetime],
        random_token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._provider, self._redirect_uri, self._client = provider, redirect_uri, client
        self._clock, self._random_token = clock, random_token
        self._begun: dict[str, _Begun] = {}

    async def begin(self, cookie: str) -> str:
        """Return the URL at the provider to send the browser with that cookie to.

        Raises:
            SignInError: the provider does not answer as one does.
        """
        now = self._clock()
        self._begun = {state: begun for state, begun in self._begun.items() if begun.until > now}
        if len(self._begun) >= _MOST_BEGUN:
            raise SignInError("too many people are signing in; try again in a few minutes")
        where = _https(await self._discovered(), "authorization_endpoint")
        state = self._random_token(32)
        begun = _Begun(cookie, self._random_token(32), self._random_token(48), now + _BEGUN_KEPT)
        self._begun[state] = begun
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._provider.scope,
            "state": state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def finish(self, *, cookie: str, state: str, code: str) -> Person:
        """Return who came back from the provider.

        Raises:
            SignInError: this sign-in was not begun here or is over, the provider refuses, or the person has no role here.
        """
        begun = self._begun.pop(state, None)
        if begun is None or begun.until <= self._clock() or not hmac.compare_digest(begun.cookie, cookie):
            raise SignInError("this sign-in was not begun in this browser, or is over; begin again")
        discovered = await self._discovered()
        answer = await self._json(
            "POST",
            _https(discovered, "token_endpoint"),
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "client_id": self._provider.client_id,
                "code_verifier": begun.verifier,
            },
            auth=self._secret(),
        )
        keys = await self._json("GET", _https(discovered, "jwks_uri"))
        return self._person(self._claims(str(answer.get("id_token", "")), keys, begun.nonce))

    def _secret(self) -> tuple[str, str] | None:
        secret = self._provider.client_secret.get_secret_value()
        return (self._provider.client_id, secret) if secret else None

    def _claims(self, token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        now = self._clock()
        registry = JWTClaimsRegistry(
            now=lambda: int(now.timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": self._provider.client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            if len(token) > _MAX_TOKEN_CHARS:
                raise ValueError(token)  # noqa: TRY301 - reported like every other defect
            _, claims = verify_jws(token, _keys(keys).get, _KIND)
            registry.validate(claims)
        except CredentialError as error:
            raise SignInError(f"the provider's ID token is refused: {error.reason}") from None
        except (JoseError, TypeError, ValueError) as error:
            raise SignInError(f"the provider's ID token is refused: {type(error).__name__}") from None
        audience, party = claims["aud"], claims.get("azp", "")
        if ("azp" in claims or (isinstance(audience, list) and len(audience) > 1)) and party != self._provider.client_id:
            raise SignInError("the provider's ID token is refused: it was made for another client")
        return claims

    def _person(self, claims: dict[str, Any]) -> Person:
        name = claims.get(self._provider.name_claim) or claims["sub"]
        held: Any = claims
        for part in self._provider.role_claim.split("."):
            held = held.get(part) if isinstance(held, dict) else None
        roles = {held} if isinstance(held, str) else {each for each in held if isinstance(each, str)} if held else set()
        for role, wanted in ((ConsoleRole.LEAD, self._provider.lead), (ConsoleRole.ANALYST, self._provider.analyst)):
            if wanted and wanted in roles:
                return Person(str(name)[:_MAX_NAME], role)
        raise SignInError("you are known, but have no role in this console")

    async def _discovered(self) -> dict[str, Any]:
        issuer = self._provider.issuer
        document = await self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise SignInError("the provider's discovery document names another issuer")
        return document

    async def _json(self, method: str, url: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own arguments
        try:
            response = await self._client.request(method, url, timeout=_TIMEOUT_S, follow_redirects=False, **given)
            response.raise_for_status()
            document = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise SignInError(f"the identity provider does not answer as one: {type(error).__name__}") from None
        if not isinstance(document, dict):
            raise SignInError("the identity provider does not answer as one: no JSON object")
        return document


def _keys(document: dict[str, Any]) -> dict[str, PublicKey]:
    """Return the provider's keys that sign, by `kid`; a single one also verifies what names none (OpenID Connect Core 10.1)."""
    keys: dict[str, PublicKey] = {}
    for kid, key in read_public_keys(document, ALGORITHMS):
        keys.setdefault(kid, key)
    if len(keys) == 1:
        [keys[""]] = keys.values()
    else:
        keys.pop("", None)
    return keys


def _https(discovered: dict[str, Any], name: str) -> str:
    url = str(discovered.get(name, ""))
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise SignInError(f"the provider's {name} is not an https URL")
    return url
