"""`cameo credential`: opens and verifies credentials, and manages their keys."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cameo_credential import key_files
from cameo_credential.audience_keys import KEY_ALGORITHMS, X25519, AudienceFolder, AudienceKey
from cameo_credential.errors import CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM, SIGNATURE_ALGORITHMS, SigningKey, VerificationKeys
from cameo_credential.key_set import OVERLAP, KeySet, change, new_key
from cameo_credential.key_source import KeySource
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK, StatusSource
from cameo_credential.validator import OpenedCredential, open_credential
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, site_settings
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from cameo_credential.claims import Embedding
    from cameo_credential.issuer_keys import IssuerKeys, VerificationKey
    from cameo_credential.status_source import StatusCheck

app = typer.Typer(help="Open and check credentials, and handle the keys that takes.", no_args_is_help=True)

REFUSED = 1
_DIGEST_CHARS, _DIGEST_SHOWN = 64, 16

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("open")
def open_token(  # noqa: PLR0913 - one option each
    token: Annotated[
        str, typer.Argument(help="The credential, @FILE that holds it, or - for standard input.", show_default=False)
    ],
    *,
    key: Annotated[
        list[Path], typer.Option(help="The audience's private key, a JWK file; during a rotation each.", show_default=False)
    ],
    issuer_keys: Annotated[
        str, typer.Option(help="The issuer's public keys: a file with a JWK set, or its https URI.", show_default=False)
    ],
    audience: Annotated[
        str | None, typer.Option(help="The audience it must be for; otherwise the one the key file names.", show_default=False)
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option(
            help="The issuer it must be from; otherwise the one the key set names, or CAMEO_ISSUER.", show_default=False
        ),
    ] = None,
    status_list: Annotated[
        Path | None,
        typer.Option(
            help="A file with the status list; otherwise it is fetched from where the credential says.", show_default=False
        ),
    ] = None,
    unsafe_no_status: Annotated[
        bool, typer.Option("--unsafe-no-status", help="Do not ask whether it was revoked or suspended.")
    ] = False,
    leeway_s: Annotated[float, typer.Option(min=0.0, help="How far the clocks may differ, in seconds.")] = 0.0,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Show the embeddings too. They are biometric data.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decrypt a credential and verify it. Exit code: 0 valid, 1 refused, 2 could not be checked."""
    audience_keys = [AudienceKey.load_private(each) for each in key]
    expected_audience = audience or audience_keys[0].audience
    if not expected_audience:
        raise InvalidRequestError(f"{key[0]} does not say whose key it is, so the audience cannot be checked: give --audience")
    try:
        keys = issuer_keys_of(issuer_keys)
        opened = open_credential(
            _read(token),
            audience_key=audience_keys,
            issuer_keys=keys,
            expected_audience=expected_audience,
            expected_issuer=issuer or keys.issuer or Settings().issuer,
            status=_status_check(status_list, unsafe_no_status=unsafe_no_status),
            now=datetime.now(UTC),
            leeway=timedelta(seconds=leeway_s),
        )
    except CredentialError as error:
        if as_json:
            print_json({"valid": False, "reason": str(error.reason), "message": str(error)})
        else:
            Console(stderr=True).print(f"refused: {error.reason}: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(REFUSED) from None
    document = credential_document(opened, embeddings=embeddings)
    if as_json:
        print_json(document)
    else:
        Console().print(credential_table(document))


@app.command()
def keygen(
    *,
    audience: Annotated[str, typer.Option(help="The audience's name, such as https://generator.example.", show_default=False)],
    out: Annotated[
        Path, typer.Option(help="Where to write the private key; the public half goes to OUT.pub.", show_default=False)
    ],
    curve: Annotated[str, typer.Option(help=f"The key's curve: {' or '.join(KEY_ALGORITHMS)}.")] = X25519,
    signature: Annotated[
        str, typer.Option(help=f"How the issuer is asked to sign: {' or '.join(SIGNATURE_ALGORITHMS)}.")
    ] = SIGNATURE_ALGORITHM,
    key_uri: Annotated[
        str, typer.Option(help="Where the key is held, on P-256, for an installed decryption backend; otherwise it is made.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Generate the key pair of an audience. The private half never leaves it; the public half is for `register`."""
    made = AudienceKey.held(audience, key_uri, signature) if key_uri else AudienceKey.generate(audience, curve, signature)
    public = out.with_name(f"{out.name}.pub")
    for path in (out, public):
        if path.exists():
            raise InvalidRequestError(f"{path} exists already: choose another --out, a key is never overwritten")
    key_files.create_json(out, made.to_jwk(), secret=True)
    key_files.create_json(public, made.public().to_jwk(), secret=False)
    if as_json:
        print_json({"audience": audience, "kid": made.kid, "private": str(out), "public": str(public)})
    else:
        typer.echo(f"private key: {out} (keep it)\npublic key:  {public} (give it to the issuer)")


@app.command()
def register(
    public_key: Annotated[Path, typer.Argument(help="The .pub file that `keygen` wrote.", show_default=False)],
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="It replaces the key that the audience has, which stays registered for now.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Register an audience's public key with this issuer, which may then issue for it; no restart is needed."""
    settings = site_settings(data)
    key = AudienceKey.load_public(public_key)
    if key.signature != SIGNATURE_ALGORITHM:
        _require_signing_key(settings, key.signature)
    path = AudienceFolder(settings.audiences).add(key, rotate=rotate)
    if as_json:
        print_json({"audience": key.audience, "kid": key.kid, "file": str(path)})
    else:
        typer.echo(f"{key.audience} is registered with key {key.kid}")


@app.command()
def keys(*, data: Data = None, as_json: AsJson = False) -> None:
    """Print this issuer's public keys; with --json as a JWK set, to be saved to a file for `open --issuer-keys`."""
    settings = site_settings(data)
    now = datetime.now(UTC)
    kept = KeySet.load(settings.issuer_keys)
    own = kept.at(now)
    if as_json:
        print_json(own.public(settings.issuer).to_jwks())
        return
    table = Table("kid", "made", "ends", "signs", title=settings.issuer, box=None, pad_edge=False)
    for key in kept.keys:
        table.add_row(key.kid, f"{key.issued_at:%Y-%m-%d}", f"{key.expires_at:%Y-%m-%d}", _signs(key, own, now))
    Console().print(table)


@app.command()
def rotate(
    *,
    overlap_h: Annotated[
        float, typer.Option(min=0.0, help="How long the new key is published before it signs, in hours.")
    ] = OVERLAP / timedelta(hours=1),
    key_uri: Annotated[
        str, typer.Option(help="Where the new key is held, for an installed signing backend; otherwise in the key file.")
    ] = "",
    alg: Annotated[str, typer.Option(help=f"What the key signs by: {' or '.join(SIGNATURE_ALGORITHMS)}.")] = SIGNATURE_ALGORITHM,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a signing key: published at once, in use after the overlap. A running server picks it up by itself.

    The first key of an algorithm signs at once: nothing is signed by it yet.
    """
    if alg not in SIGNATURE_ALGORITHMS:
        raise InvalidRequestError(f"--alg is {' or '.join(SIGNATURE_ALGORITHMS)}")
    settings, now = site_settings(data), datetime.now(UTC)
    is_first = all(key.algorithm != alg for key in KeySet.load(settings.issuer_keys).keys)
    starts = now if is_first else now + timedelta(hours=overlap_h)
    made = new_key(starts=starts, now=now, key_uri=key_uri, algorithm=alg)
    change(settings.issuer_keys, lambda kept: kept.rotated(made, now=now))
    if as_json:
        print_json({"kid": made.kid, "signs_from": made.not_before.isoformat(), "expires_at": made.expires_at.isoformat()})
    else:
        typer.echo(f"key {made.kid} is published and signs from {made.not_before.isoformat()}")


@app.command()
def retire(
    kid: Annotated[str, typer.Argument(help="The key, as `cameo credential keys` names it.", show_default=False)],
    *,
    distrust: Annotated[
        bool, typer.Option("--distrust", help="Remove it altogether: everything it signed is refused from now on.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Destroy the private half of a signing key. What it signed verifies until its expiry, unless the key is distrusted."""
    settings, now = site_settings(data), datetime.now(UTC)
    kept = change(settings.issuer_keys, lambda kept: kept.retired(kid, now=now, distrust=distrust))
    active = ", ".join(key.kid for key in kept.at(now).signing)
    if as_json:
        print_json({"kid": kid, "distrusted": distrust, "active": active})
    else:
        typer.echo(f"key {kid} is {'gone' if distrust else 'retired'}; {active} signs")


def _require_signing_key(settings: Settings, algorithm: str) -> None:
    try:
        KeySet.load(settings.issuer_keys).at(datetime.now(UTC)).by(algorithm)
    except KeyFileError as error:
        raise InvalidRequestError(f"the audience requires signatures by {algorithm}: {error}") from None


def _signs(key: SigningKey | VerificationKey, own: IssuerKeys, now: datetime) -> str:
    if key.kid in {each.kid for each in own.signing}:
        return key.algorithm
    return (
        f"{key.algorithm} from {key.not_before:%Y-%m-%d %H:%M}" if isinstance(key, SigningKey) and key.not_before > now else "no"
    )


def credential_document(opened: OpenedCredential, *, embeddings: bool = False) -> dict[str, Any]:
    """Return an opened credential as JSON; the embeddings' values only if requested."""
    facts = opened.provenance
    status = None if opened.status is None else {"idx": opened.status.index, "uri": opened.status.uri}
    terms = {name: list(given) if isinstance(given, tuple) else given for name, given in asdict(opened.terms).items() if given}
    return {
        "valid": True,
        "issuer": opened.issuer,
        "subject": opened.subject,
        "audience": opened.audience,
        "jti": opened.jti,
        "kid": opened.kid,
        "issued_at": opened.issued_at.isoformat(),
        "expires_at": opened.expires_at.isoformat(),
        "status": status,
        "cameo": facts.cameo_id,
        "attempt": facts.attempt_id,
        "challenge": facts.challenge_id,
        "profile": {"name": facts.profile, "sha256": facts.profile_sha256},
        "evidence_sha256": facts.evidence_sha256,
        "path": facts.path,
        "capture": facts.capture.value,
        "confirmed": list(facts.confirmed),
        "minor_safeguards": facts.minor_safeguards,
        **terms,
        "models": dict(facts.models),
        "face": _embedding_document(opened.face, values=embeddings),
        "voice": None if opened.voice is None else _embedding_document(opened.voice, values=embeddings),
    }


def credential_table(document: dict[str, Any]) -> Table:
    """Return a credential's document as a table for people."""
    table = Table("claim", "value", title="verified credential", box=None, pad_edge=False)
    for name, value in document.items():
        match value:
            case {"dim": dim, "model": model, **rest}:
                shown = f"{dim} values of {model}" + (f": {rest['values']}" if "values" in rest else "")
            case dict():
                shown = "\n".join(f"{part}: {_short(item)}" for part, item in value.items())
            case list():
                shown = ", ".join(value)
            case None:
                shown = "none"
            case _:
                shown = _short(value)
        if name != "valid":
            table.add_row(name, Text(shown))
    return table


def _short(value: object) -> str:
    """Return a digest's first 16 digits: enough for people, who compare and never copy it."""
    text = str(value)
    return f"{text[:_DIGEST_SHOWN]}…" if len(text) == _DIGEST_CHARS and set(text) <= set(hexdigits) else text


def _embedding_document(embedding: Embedding, *, values: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "model": embedding.model,
        "model_sha256": embedding.model_sha256,
        "dim": int(embedding.vector.shape[0]),
    }
    if values:
        document["values"] = [round(float(value), 6) for value in embedding.vector]
    return document


def issuer_keys_of(given: str) -> VerificationKeys:
    """Return the keys in a JWKS file, or at a URI.

    Raises:
        InvalidRequestError: the URI is not one to fetch keys from.
        KeyFileError: the file is missing or malformed.
    """
    if "://" not in given:
        return VerificationKeys.load(Path(given))
    try:
        return KeySource(given).current()
    except ValueError as error:
        raise InvalidRequestError(f"the issuer's keys cannot be had from {given}: {error}") from None


def _status_check(file: Path | None, *, unsafe_no_status: bool) -> StatusCheck:
    if unsafe_no_status:
        if file is not None:
            raise InvalidRequestError("--status-list and --unsafe-no-status contradict each other: give one of them")
        return UNSAFE_NO_STATUS_CHECK
    if file is None:
        return StatusSource()
    try:
        token = file.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise InvalidRequestError(f"cannot read the status list from {file}: {error.strerror}") from None
    return StatusSource(lambda _: token)


def _read(given: str) -> str:
    # Non-ASCII bytes become the replacement character, so that the validator refuses the token.
    if given == "-":
        return sys.stdin.buffer.read().decode("ascii", "replace").strip()
    if given.startswith("@"):
        try:
            return Path(given[1:]).read_bytes().decode("ascii", "replace").strip()
        except OSError as error:
            raise InvalidRequestError(f"cannot read the credential from {given[1:]}: {error.strerror}") from None
    return given.strip()
