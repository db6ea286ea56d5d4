"""Authorization: every method with every role and none, and every way a token can be wrong."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, OKPKey
from structlog.testing import capture_logs

from cameo.v1 import credential_service_pb2, verification_service_pb2
from cameo.v1.session_service_pb2 import CreateSessionRequest
from cameo.v1.session_service_pb2_grpc import SessionServiceStub
from cameo_credential.encoding import to_base64url, to_json
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.console.app import run as run_console
from cameo_verifier.console.people import ConsoleRole
from cameo_verifier.server.app import SERVICES, open_server, utc_now
from cameo_verifier.server.auth.access import WHO_MAY_CALL
from cameo_verifier.server.auth.caller import Caller, CallerTokens
from cameo_verifier.server.auth.issuer_tokens import CallerTokenError
from cameo_verifier.settings import ConsoleSettings, OpenIdProvider, Settings
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.judges import OpenScripted
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import MethodDescriptor

    from tests.grpc.server import OpenServer

ROOT = Path(__file__).parents[2]
DENIALS = {"CALLER_TOKEN_MISSING", "CALLER_TOKEN_REFUSED", "CALLER_NOT_ALLOWED"}


def methods() -> Iterator[tuple[str, MethodDescriptor]]:
    """Every method of every service of ours, by its name in the table."""
    for service in SERVICES:
        descriptor = descriptor_pool.Default().FindServiceByName(service)
        for method in descriptor.methods:
            yield f"{descriptor.name}.{method.name}", method


def spoken(roles: frozenset[CallerRole | None]) -> str:
    """The roles as the comments and the page write them."""
    return "anyone" if None in roles else ", ".join(role.value for role in CallerRole if role in roles)


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App.make(tmp_path)


async def reason(channel: grpc.aio.Channel, method: MethodDescriptor, metadata: Any) -> str:
    """Call a method with an empty request and return the `ErrorInfo.reason`, or OK; a stream counts once it has opened."""
    kinds = {
        (False, False): channel.unary_unary,
        (True, False): channel.stream_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }
    call = kinds[method.client_streaming, method.server_streaming](
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=message_factory.GetMessageClass(method.input_type).SerializeToString,
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    request = message_factory.GetMessageClass(method.input_type)()
    try:
        if method.server_streaming:
            stream = call(iter(()) if method.client_streaming else request, metadata=metadata, timeout=1)
            await stream.read()
            stream.cancel()
        else:
            await call(iter(()) if method.client_streaming else request, metadata=metadata, timeout=PATIENCE_S)
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)
        if status is None:
            return "OK" if method.server_streaming and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED else str(error)
        info = error_details_pb2.ErrorInfo()
        assert status.details[0].Unpack(info)
        return str(info.reason)
    return "OK"


def test_the_table_names_every_method_and_nothing_else() -> None:
    """A method without an entry does not exist, nor an entry without a method."""
    assert set(WHO_MAY_CALL) == {name for name, _ in methods()}


def test_comments_and_page_say_what_the_table_says() -> None:
    """The RPC's comment and the row of docs/api.md name the very roles the code lets in."""
    sources = "\n".join(path.read_text() for path in sorted((ROOT / "protos" / "cameo" / "v1").glob("*_service.proto")))
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \| ([a-z, ]+) \|", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE))
    assert set(rows) == set(WHO_MAY_CALL)
    for name, roles in WHO_MAY_CALL.items():
        service, method = name.split(".")
        body = sources.split(f"service {service} {{")[1]
        comment = body.split(f"rpc {method}(")[0].rpartition(");\n")[2]
        said = re.findall(r"Who may call: ([a-z, ]+)\.", comment)
        assert said == [spoken(roles)], name
        assert rows[name] == spoken(roles), name


async def test_every_method_lets_in_its_roles_and_no_other(serve: OpenServer, app: App) -> None:
    """With each role and with no token, every method answers or refuses as the table says, with the right reason."""
    callers: dict[CallerRole | None, Any] = {role: app.metadata(role.value, "account-1") for role in CallerRole}
    async with serve(**app.settings) as client:
        # A capture token is the server's own.
        asked = CreateSessionRequest(subject="account-1", audience=AUDIENCE, request_id=str(uuid4()))
        created = await SessionServiceStub(client.channel).CreateSession(asked, metadata=callers[CallerRole.APP])
        callers[CallerRole.CAPTURE] = (("authorization", f"Bearer {created.capture_token}"),)
        for name, method in methods():
            for role, metadata in {**callers, None: ()}.items():
                got = await reason(client.channel, method, metadata)
                if role in WHO_MAY_CALL[name]:
                    assert got not in DENIALS, (name, role)
                else:
                    assert got == ("CALLER_TOKEN_MISSING" if role is None else "CALLER_NOT_ALLOWED"), (name, role)


async def test_without_an_issuer_everyone_is_the_app_and_the_log_says_so(serve: OpenServer) -> None:
    """No token and a meaningless one both count as the app's: its methods answer, others' are refused; the log warns once."""
    with capture_logs() as lines:
        async with serve() as client:
            for name, method in methods():
                for metadata in ((), (("authorization", "Bearer nonsense"),)):
                    got = await reason(client.channel, method, metadata)
                    assert (got == "CALLER_NOT_ALLOWED") == (CallerRole.APP not in WHO_MAY_CALL[name]), name
    assert [line["log_level"] for line in lines if "EVERYONE" in line["event"]] == ["warning"]


async def test_without_an_issuer_only_loopback_is_served(tmp_path: Path) -> None:
    """An address that others can reach is refused before anything is opened, and the message names the settings."""
    for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:50051", "cameo.example:443"):
        with pytest.raises(InvalidRequestError, match="CAMEO_CALLER_ISSUER"):
            await open_server(Settings(listen=listen, data=tmp_path / "data"))
    assert not (tmp_path / "data").exists()
    for listen in ("127.0.0.1:1", "[::1]:1", "localhost:1", "127.8.8.8:1", "unix:/run/cameo.sock"):
        assert CallerTokens.open(Settings(listen=listen), clock=utc_now) is None


async def test_in_the_clear_others_are_served_only_where_the_site_says_so(app: App, tmp_path: Path, serve: OpenServer) -> None:
    """Also with an issuer, on gRPC, HTTP and the console, and before anything is opened; then the log says it."""
    for listening in (
        {"listen": "0.0.0.0:0"},
        {"listen": "[::]:0"},
        {"http_listen": "0.0.0.0:0"},
        {"listen": "cameo.example:443"},
    ):
        with pytest.raises(InvalidRequestError, match="CAMEO_PUBLIC_CLEARTEXT"):
            await open_server(Settings(**{"listen": "127.0.0.1:0", "data": tmp_path / "data"} | app.settings | listening))
    site = ConsoleSettings(listen="0.0.0.0:0", origin="https://console.example")
    settings = Settings(data=tmp_path / "data", console=site, openid=OpenIdProvider(issuer="https://login.example"))
    with pytest.raises(InvalidRequestError, match="CAMEO_PUBLIC_CLEARTEXT"):
        await run_console(settings, local_role=ConsoleRole.LEAD, announce=pytest.fail)
    assert not (tmp_path / "data").exists()
    with capture_logs() as lines:
        async with serve(listen="0.0.0.0:0", public_cleartext=True, **app.settings):
            pass
    assert [line["listen"] for line in lines if "NOT encrypted" in line["event"]] == ["0.0.0.0:0"]


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1", "127.0.0.1:", "[::1]:70000", ":0"])
async def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    """In gRPC 99999 would be 34463, and no port 443; the message names the setting, of HTTP too."""
    for name, setting in (("listen", "CAMEO_LISTEN"), ("http_listen", "CAMEO_HTTP_LISTEN")):
        site = Settings(**{"listen": "127.0.0.1:0", "data": tmp_path / "data", name: address})
        with pytest.raises(InvalidRequestError, match=f"HOST:PORT.*{setting}"):
            await open_server(site, open_judge=OpenScripted(tmp_path / "journal"))
    assert not (tmp_path / "data").exists()


def test_the_issuers_clock_may_be_half_a_minute_ahead(app: App) -> None:
    """`nbf` up to 30 s from now is taken, later is not; `exp` has no such leeway."""
    now = utc_now()
    tokens = CallerTokens.open(Settings(**app.settings), clock=lambda: now)
    assert tokens is not None
    at = int(now.timestamp())
    assert tokens.verify(app.token("app", "x", nbf=at + 30)).id == "x"
    for claims, refused_as in (({"nbf": at + 31}, "not_yet_valid"), ({"exp": at}, "expired")):
        with pytest.raises(CallerTokenError) as error:
            tokens.verify(app.token("app", "x", **claims))
        assert error.value.refusal == refused_as


def test_an_issuer_needs_its_keys(tmp_path: Path) -> None:
    """No key file, one that is not there, and one with a secret or foreign key are refused at start."""
    with pytest.raises(InvalidRequestError, match="CAMEO_CALLER_KEYS"):
        CallerTokens.open(Settings(caller_issuer="https://app.example"), clock=utc_now)
    for number, content in enumerate(('{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA", "kid": "a"}]}', "[]", None)):
        path = tmp_path / f"{number}.jwks"
        if content is not None:
            path.write_text(content)
        with pytest.raises(KeyFileError, match=str(path)):
            CallerTokens.open(Settings(caller_issuer="https://app.example", caller_keys=path), clock=utc_now)


def test_keys_that_are_not_understood_are_ignored(app: App) -> None:
    """An issuer's set may hold further keys: of other kinds, for other uses, without a name."""
    document = json.loads(app.jwks.read_text())
    ed = document["keys"][0]
    unnamed = {name: value for name, value in ed.items() if name != "kid"}
    further = [{"kty": "oct", "k": "AAAA", "kid": "s"}, {"kty": "AKP", "kid": "new"}, {**ed, "kid": "e", "use": "enc"}]
    app.jwks.write_text(json.dumps({"keys": [*further, unnamed, None, *document["keys"]]}))

    tokens = CallerTokens.open(Settings(**app.settings), clock=utc_now)

    assert tokens is not None
    assert tokens.verify(app.token("app", "x")).id == "x"
    assert refusal(app, app.token("app", "x", header={"kid": "e"})) == "unknown_key"


def refusal(app: App, token: str) -> str:
    tokens = CallerTokens.open(Settings(**app.settings), clock=utc_now)
    assert tokens is not None
    with pytest.raises(CallerTokenError) as error:
        tokens.verify(token)
    return error.value.refusal


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA", "ES256"])
def test_a_good_token_names_its_caller(app: App, alg: str) -> None:
    """Each allowed algorithm is taken, and `aud` may be one of several."""
    tokens = CallerTokens.open(Settings(**app.settings), clock=utc_now)
    assert tokens is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        token = app.token("owner", "account-1", alg=alg, aud=["https://other.example", "https://cameo.localhost"])
    assert tokens.verify(token) == tokens.verify(token) == Caller(CallerRole.OWNER, "account-1")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": "https://other.example"}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "malformed"),
        ({"exp": "tomorrow"}, "malformed"),
        ({"nbf": 2**40}, "not_yet_valid"),
        ({"sub": None}, "malformed"),
        ({"sub": ""}, "malformed"),
        ({"sub": "x" * 129}, "malformed"),
        ({"sub": 7}, "malformed"),
        ({"role": "root"}, "unknown_role"),
        ({"role": None}, "unknown_role"),
        ({"role": ["app"]}, "unknown_role"),
    ],
)
def test_a_wrong_claim_is_refused_with_its_reason(app: App, claims: dict[str, Any], expected: str) -> None:
    """Issuer, audience, times, subject and role are each looked at."""
    assert refusal(app, app.token(**{"role": "owner", "subject": "account-1"} | claims)) == expected


def test_a_swapped_algorithm_or_key_is_refused(app: App) -> None:
    """`none`, a MAC under the public key, the other kind's algorithm, an unknown `kid` and a stranger's key get nowhere."""
    good = app.token("app", "backend")
    _, payload, signature = good.split(".")

    def headed(**header: Any) -> str:
        return f"{to_base64url(to_json(header))}.{payload}.{signature}"

    assert refusal(app, headed(alg="none", kid="ed")) == "unsupported_algorithm"
    assert refusal(app, headed(alg="ES256", kid="ed")) == "unsupported_algorithm"
    assert refusal(app, headed(alg="Ed25519", kid="ec")) == "unsupported_algorithm"
    assert refusal(app, headed(alg="Ed25519", kid="other")) == "unknown_key"
    assert refusal(app, headed(alg="Ed25519")) == "malformed"
    stranger = App(OKPKey.generate_key("Ed25519"), app.ec, app.jwks)
    assert refusal(app, stranger.token("app", "backend")) == "bad_signature"
    public = OctKey.import_key(str(app.ed.as_dict(private=False)["x"]))
    forged = App(public, app.ec, app.jwks).token("app", "backend", alg="HS256")  # type: ignore[arg-type]
    assert refusal(app, forged) == "unsupported_algorithm"


@given(data=st.data())
def test_any_changed_character_of_a_token_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever character becomes another one, the token is refused."""
    app = _kept(tmp_path_factory)
    token = app.token("app", "backend")
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFabcdef0123456789-_.").filter(lambda character: character != token[place]))
    assert refusal(app, token[:place] + other + token[place + 1 :]) in {
        *("malformed", "wrong_type", "unsupported_algorithm", "unknown_key", "bad_signature")
    }


_APPS: list[App] = []


def _kept(factory: pytest.TempPathFactory) -> App:
    if not _APPS:
        _APPS.append(App.make(factory.mktemp("app")))
    return _APPS[0]


def test_a_remembered_token_still_expires(app: App) -> None:
    """What was verified once is not believed after its end."""
    now = utc_now()
    moment = [now]
    tokens = CallerTokens.open(Settings(**app.settings), clock=lambda: moment[0])
    assert tokens is not None
    token = app.token("owner", "account-1", exp=int(now.timestamp()) + 60)
    tokens.verify(token)
    moment[0] = now.replace(year=now.year + 1)
    with pytest.raises(CallerTokenError, match="expired"):
        tokens.verify(token)


def test_changed_keys_count_at_once(app: App) -> None:
    """A key that comes into the issuer's file is taken without a restart; one that goes takes back the tokens believed before."""
    tokens = CallerTokens.open(Settings(**app.settings), clock=utc_now)
    assert tokens is not None
    first = app.token("app", "backend")
    assert tokens.verify(first).id == "backend"
    app.jwks.write_text("[]")
    assert tokens.verify(first).id == "backend"

    second = App(OKPKey.generate_key("Ed25519"), app.ec, app.jwks)
    public = {**second.ed.as_dict(private=False), "kid": "ed"}
    app.jwks.write_text(json.dumps({"keys": [public]}))

    assert tokens.verify(second.token("app", "backend")).id == "backend"
    with pytest.raises(CallerTokenError) as error:
        tokens.verify(first)
    assert error.value.refusal == "bad_signature"


async def test_a_refused_token_says_why_and_repeated_headers_are_refused(serve: OpenServer, app: App) -> None:
    """UNAUTHENTICATED with the refusal in the metadata, also where the method is open: a bad token is never no token."""
    async with serve(**app.settings) as client:
        request = credential_service_pb2.GetKeysRequest()
        good = app.metadata("app", "backend")
        for metadata, expected in (
            (app.metadata("app", "backend", exp=1), "expired"),
            (good + good, "malformed"),
            ((("authorization", "Basic YTpi"),), "malformed"),
        ):
            answer = await refused(client.credentials.GetKeys(request, metadata=metadata))
            assert (answer.code, answer.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CALLER_TOKEN_REFUSED")
            assert answer.metadata == {"refusal": expected}


async def test_scores_are_for_analysts(serve: OpenServer, app: App) -> None:
    """Where callers have roles, the app gets no scores even from a server that exposes them, and an analyst does."""
    request = verification_service_pb2.GetAttemptRequest(attempt_id="none", view=2)
    async with serve(**app.settings, expose_scores=True) as client:
        answer = await refused(client.verification.GetAttempt(request, metadata=app.metadata("app", "backend")))
        assert answer.reason == "SCORES_NOT_EXPOSED"
        answer = await refused(client.verification.GetAttempt(request, metadata=app.metadata("analyst", "ann")))
        assert answer.reason == "ATTEMPT_UNKNOWN"
