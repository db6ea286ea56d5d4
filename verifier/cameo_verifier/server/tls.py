"""TLS: the server's certificate, reloaded when its files change, and which caller a client's certificate names.

A connection keeps the certificate it was made with; the next one gets the new one. Files that cannot be used while they are being
replaced, such as a certificate whose key is not there yet, are logged, and the certificate before them stays in use.
"""

from __future__ import annotations

import ssl
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from cameo_credential import owner_only
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.watched_file import WatchedFile
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.server.auth.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cameo_verifier.settings import Settings

log = structlog.get_logger(__name__)

_WARN_BEFORE = timedelta(days=14)
_NAMES = ("peer_spiffe_id", "x509_subject_alternative_name")
"""Members of gRPC's authentication context that hold the names of the client's certificate."""


@dataclass(frozen=True, slots=True)
class _Certificate:
    """One state of the files, as gRPC and as Python's `ssl` take it."""

    chain: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    context: ssl.SSLContext

    def for_grpc(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(self.key, self.chain)], self.client_ca)


class ServerTls:
    """The certificate of a site, for gRPC, HTTP and the console."""

    def __init__(self, certificate: WatchedFile[_Certificate], *, clients: bool) -> None:
        """Keep the watched files; use `open`."""
        self._file = certificate
        self._clients = clients

    @classmethod
    def open(cls, settings: Settings, *, now: datetime) -> Self | None:
        """Read the files of a site; None where it has no certificate.

        Raises:
            InvalidRequestError: a setting is missing beside another.
            KeyFileError: a file is missing or malformed, the key is open to others or not the certificate's.
        """
        certificate, key, client_ca = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
        if certificate is None or key is None:
            if certificate or key or client_ca or settings.tls_clients:
                raise InvalidRequestError("TLS needs both CAMEO_TLS_CERTIFICATE and CAMEO_TLS_KEY")
            return None
        if settings.tls_clients and client_ca is None:
            raise InvalidRequestError("CAMEO_TLS_CLIENTS needs CAMEO_TLS_CLIENT_CA, the authorities of clients' certificates")

        def read(path: Path) -> _Certificate:
            return _read(path, key, client_ca)

        beside = (key,) if client_ca is None else (key, client_ca)
        watched = WatchedFile(certificate, read, report=_report, beside=beside)
        _warn_of_end(certificate, watched.current().chain, now)
        return cls(watched, clients=client_ca is not None)

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """Return the credentials of a gRPC port; clients must have a certificate if the site names an authority for them."""
        given = self._file.current()

        def changed() -> Any:  # noqa: ANN401 - gRPC takes None for no change, which its types do not say
            nonlocal given
            current = self._file.current()
            if current is given:
                return None
            given = current
            return current.for_grpc()

        return grpc.dynamic_ssl_server_credentials(given.for_grpc(), changed, require_client_authentication=self._clients)

    def http_context(self) -> ssl.SSLContext:
        """Return the context of an HTTPS port. Browsers are asked for no certificate."""
        context = self._file.current().context

        # Called for each handshake, also where the client names no server.
        def current(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self._file.current().context

        context.sni_callback = current  # asyncio's connections are SSLObjects
        return context


class CertificateCallers:
    """Callers by the names of their certificates."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        """Keep the callers, by SPIFFE id or DNS name."""
        self._callers = callers

    @classmethod
    def open(cls, settings: Settings) -> Self | None:
        """Read the site's file; None where it has none.

        Raises:
            KeyFileError: it is missing or malformed, or two entries have one name.
        """
        if settings.tls_clients is None:
            return None
        try:
            entries = tomllib.loads(settings.tls_clients.read_text(encoding="utf-8"))["client"]
            callers = {str(each["name"]): Caller(CallerRole(each["role"]), str(each["id"])) for each in entries}
            if len(callers) < len(entries):
                raise ValueError("two entries have one name")  # noqa: TRY301 - like what the parsers raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyFileError(
                f"{settings.tls_clients} is no list of [[client]] with name, role and id: {type(error).__name__}: {error}"
            ) from None
        return cls(callers)

    def of(self, authentication: Mapping[str, Iterable[bytes]]) -> Caller | None:
        """Return the caller that the certificate of a connection names, by gRPC's authentication context; None if nobody."""
        names = [name.decode(errors="replace") for member in _NAMES for name in authentication.get(member, [])]
        return next((self._callers[name] for name in names if name in self._callers), None)


def _read(certificate: Path, key: Path, client_ca: Path | None) -> _Certificate:
    try:
        if owner_only.is_open_to_others(key):
            raise KeyFileError(f"others can access {key}: chmod 600 {key}")
        chain, secret = certificate.read_bytes(), key.read_bytes()
        authorities = None if client_ca is None else client_ca.read_bytes()
        _require_pair(certificate, chain, key, secret)
        if authorities is not None:
            x509.load_pem_x509_certificates(authorities)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
    except OSError as error:  # an SSLError is one too
        raise KeyFileError(f"cannot use {error.filename or certificate}: {error.strerror or error}") from None
    except ValueError as error:
        raise KeyFileError(f"{certificate}, {key} or {client_ca} is not PEM: {error}") from None
    except UnsupportedAlgorithm as error:
        raise KeyFileError(f"{certificate} or {key} is of a kind that is not known: {error}") from None
    return _Certificate(chain, secret, authorities, context)


def _require_pair(certificate: Path, chain: bytes, key: Path, secret: bytes) -> None:
    leaf, private = x509.load_pem_x509_certificates(chain)[0], _private(key, secret)
    if _spki(leaf.public_key()) != _spki(private.public_key()):
        raise KeyFileError(f"{key} is not the key of the certificate in {certificate}")


def _private(key: Path, secret: bytes) -> Any:  # noqa: ANN401 - any kind of key
    try:
        return load_pem_private_key(secret, None)
    except TypeError:
        raise KeyFileError(f"{key} has a passphrase: a server cannot type it, leave it out") from None


def _spki(key: Any) -> bytes:  # noqa: ANN401 - any kind of key
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _warn_of_end(path: Path, chain: bytes, now: datetime) -> None:
    ends = x509.load_pem_x509_certificates(chain)[0].not_valid_after_utc
    if ends <= now:
        log.error("the TLS certificate has expired: clients will refuse it", file=str(path), ended=ends.isoformat())
    elif ends - now < _WARN_BEFORE:
        log.warning("the TLS certificate expires soon", file=str(path), ends=ends.isoformat())


def _report(error: KeyFileError) -> None:
    log.error("the changed TLS certificate cannot be used; the one before stays in use", error=str(error))
