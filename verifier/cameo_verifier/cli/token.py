"""`cameo token`: signs caller tokens for development, with a key that the site's folder keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from joserfc.jwk import OKPKey

from cameo_client import CallerTokenSigner
from cameo_client.tokens import ROLES
from cameo_credential import key_files
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.settings import Settings

ISSUER = "https://callers.invalid"
"""`iss` of these tokens: a name that RFC 6761 lets nobody own."""
_LONGEST_MIN = 24 * 60


def token(
    role: Annotated[str, typer.Argument(help=f"The caller's role: {', '.join(sorted(ROLES))}.", show_default=False)],
    subject: Annotated[str, typer.Argument(help="The caller's id: of the app, the person or the audience.", show_default=False)],
    *,
    minutes: Annotated[int, typer.Option(min=1, max=_LONGEST_MIN, help="How long it is good for.")] = 60,
    data: Annotated[
        Path | None, typer.Option("--data", help="The site's folder; the key is in keys/ there.", show_default=False)
    ] = None,
) -> None:
    """Print a caller's token for development, for `authorization: Bearer TOKEN`.

    The first one makes a key. A server accepts the tokens with the two settings that are printed beside them.
    """
    settings = Settings() if data is None else Settings(data=data)
    if role not in ROLES:
        raise InvalidRequestError(f"no role {role!r}: {', '.join(sorted(ROLES))}")
    if not subject:
        raise InvalidRequestError("a token names its subject")
    private = settings.vault_key.parent / "development-callers.jwk"
    public = private.with_suffix(".public.json")
    key_files.create_json(private, _new_key(), secret=True)
    signer = CallerTokenSigner(
        key_files.read_json(private, secret=True), issuer=ISSUER, audience=settings.caller_audience or settings.issuer
    )
    key_files.create_json(public, signer.public_jwks, secret=False)
    if (settings.caller_issuer, settings.caller_keys) != (ISSUER, public):
        typer.echo("A server accepts this token, and refuses callers without one, if it is started with:", err=True)
        typer.echo(f"  export CAMEO_CALLER_ISSUER={ISSUER} CAMEO_CALLER_KEYS={public}", err=True)
    typer.echo(signer.token(role, subject, now=datetime.now(UTC), lifetime=timedelta(minutes=minutes)))


def _new_key() -> dict[str, Any]:
    return dict(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))
