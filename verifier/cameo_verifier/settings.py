"""Settings of a site, with units in their names. Environment variables carry the prefix `CAMEO_`."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.attestation_settings import AppAttestSettings, PlayIntegritySettings
from cameo_verifier.live_settings import Live
from cameo_verifier.spelling import meant, misspelt
from cameo_verifier.types import Verdict
from cameo_verifier.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterable


_PREFIX = "CAMEO_"
_OF_KUBERNETES = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
"""Variables, after the prefix, that Kubernetes sets for a service named cameo."""


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cameo" / "models"


def _data() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cameo"


class MediaLimits(Variables):
    """Hard limits on a recording, enforced before and while it is decoded (`CAMEO_MEDIA_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_MEDIA_")

    max_bytes: int = 16 * 1024 * 1024
    """Largest file."""
    min_s: float = 2.0
    """Shortest recording."""
    max_s: float = 30.0
    """Longest recording."""
    min_fps: float = 12.0
    """Lowest mean picture rate."""
    min_short_side_px: int = 160
    """Smallest shorter side of the picture."""
    max_side_px: int = 4096
    """Largest longer side of the picture."""
    max_pixels: int = Field(default=16_000_000_000, gt=0)
    """Most pixels of all decoded pictures together; 30 s of 3840x2160 at 30 a second have 7.5 thousand million."""
    max_cpu_s: float = Field(default=60.0, gt=0)
    """Most processor time that a recording may cost; 30 s of 3840x2160 take some 35, 10 s of 640x480 take 6."""


class SyntheticVoiceDetector(Variables):
    """A site's own detector of synthetic voices (`CAMEO_SYNTHETIC_VOICE_…`), an ONNX file; you answer for its licence.

    It takes one float32 window of speech, (1, samples) mono at 16 kHz in -1..1, and its first output is the score. The score is
    shown to analysts and never decides.
    """

    model_config = SettingsConfigDict(env_prefix="CAMEO_SYNTHETIC_VOICE_")

    file: Path | None = None
    """The ONNX file; without it the check is not run."""
    sha256: str = ""
    """Digest of the file, 64 hex digits; a file with another one is refused."""
    window_s: float = Field(default=4.0, gt=0, le=30)
    """Length of the window of speech that the network takes."""
    index: int = Field(default=0, ge=0)
    """Index, in the flattened output, of the probability that the voice is synthetic."""
    logits: bool = False
    """Whether the output is logits of classes, to which a softmax is applied."""


class Retention(Variables):
    """Retention of evidence by verdict and kind, in days, and its maximum size (`CAMEO_RETENTION_…`); 0 days keep none.

    Of an accepted attempt the digest of its credential stays in any case.
    """

    model_config = SettingsConfigDict(env_prefix="CAMEO_RETENTION_")

    rejected_days: float = Field(default=30.0, ge=0, le=3650)
    """Days that recording, tracks and result of a rejected attempt are kept."""
    review_days: float = Field(default=30.0, ge=0, le=3650)
    """Days that recording, tracks, result and pictures of the face are kept of an attempt in manual review."""
    retry_days: float = Field(default=30.0, ge=0, le=3650)
    """Days that recording, tracks and result of an attempt are kept that was asked to try again."""
    accepted_days: float = Field(default=0.0, ge=0, le=3650)
    """Days that the recording of an accepted attempt is kept, with its tracks and result."""
    accepted_tracks_days: float = Field(default=30.0, ge=0, le=3650)
    """Days that tracks and result of an accepted attempt are kept; without them the site's error rates miss those accepted."""
    accepted_share: float = Field(default=1.0, ge=0, le=1)
    """Share of accepted attempts, drawn by their ids, to which `accepted_tracks_days` applies."""
    enrolled_days: float = Field(default=180.0, ge=0, le=3650)
    """Days that tracks, result and pictures of the face are kept of an attempt whose face is in the gallery."""
    max_bytes: int = Field(default=100 * 2**30, ge=1)
    """Maximum size of all evidence; beyond it the least useful is deleted first, see `store.evidence.retention`."""

    def days(self, verdict: Verdict) -> float:
        """Return the retention of recordings of a verdict, in days."""
        return {
            Verdict.REJECTED: self.rejected_days,
            Verdict.REVIEW: self.review_days,
            Verdict.RETRY: self.retry_days,
            Verdict.ACCEPTED: self.accepted_days,
        }[verdict]

    def tracks_days(self, verdict: Verdict, attempt_id: str, *, enrolled: bool) -> float:
        """Return the retention of an attempt's tracks and result, in days; enrolled: True if its face is in the gallery."""
        of_rates = self.accepted_tracks_days if verdict is Verdict.ACCEPTED and self._drawn(attempt_id) else 0.0
        return max(self.days(verdict), of_rates, self.enrolled_days if enrolled else 0.0)

    def crops_days(self, verdict: Verdict, *, enrolled: bool) -> float:
        """Return the retention of pictures of the face, in days."""
        own = self.review_days if verdict is Verdict.REVIEW else 0.0
        return max(own, self.enrolled_days if enrolled else 0.0)

    def _drawn(self, attempt_id: str) -> bool:
        return int.from_bytes(hashlib.sha256(attempt_id.encode()).digest()[:4]) < self.accepted_share * 2**32


class Controller(Variables):
    """The controller, who decides what personal data is processed for, as consent records name it (`CAMEO_CONTROLLER_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_CONTROLLER_")

    name: str = ""
    """Name of the legal entity; empty: `issuer`, and a warning at start."""
    address: str = ""
    """Its postal address, or the URL that states it; empty: `issuer`."""
    contact: str = ""
    """Where people reach it, such as mailto:privacy@site.example; empty: `issuer`."""
    jurisdiction: str = ""
    """Where it is established, as an ISO 3166-1 code such as IE; empty: not stated."""
    storage: str = ""
    """Where the data is stored, as an ISO 3166-1 code; empty: `jurisdiction`."""
    notice: str = ""
    """URL of the texts that people consent to; empty: `issuer`."""
    withdrawal: str = ""
    """URL at which people withdraw a consent; empty: `issuer`."""


class OpenIdProvider(Variables):
    """The identity provider for analysts (`CAMEO_OPENID_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_OPENID_")

    issuer: str = ""
    """The provider's `iss`, an https URL; empty: the console prints a one-time token at start instead."""
    client_id: str = ""
    """The console's client id at the provider, and the `aud` of its tokens."""
    client_secret: SecretStr = SecretStr("")
    """The console's secret at the provider; empty for a public client. PKCE is used in any case."""
    scope: str = "openid profile"
    """Scope of the request."""
    name_claim: str = "preferred_username"
    """Claim that names a person in the audit log; `sub` if it is missing."""
    role_claim: str = "roles"
    """Claim of the roles, text or a list; dots reach into objects, as in `realm_access.roles`."""
    analyst: str = "cameo-analyst"
    """Role that admits an analyst."""
    lead: str = "cameo-lead"
    """Role that admits a lead."""


class ConsoleSettings(Variables):
    """The analysts' console (`CAMEO_CONSOLE_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_CONSOLE_")

    listen: str = "127.0.0.1:8090"
    """Address of the pages."""
    origin: str = ""
    """Origin of the pages in browsers, such as https://console.example; empty: `listen`, which must be loopback then."""
    session_h: float = Field(default=8.0, gt=0, le=72)
    """Length of a session before the person signs in again."""


SANDBOX = "/sandbox"
"""What is added to the issuer and the folder of a sandbox."""


class Settings(Variables):
    """The settings of the service."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_", protected_namespaces=())

    models: Path = Field(default_factory=_cache)
    """Folder of the model kit."""
    licences: tuple[str, ...] = ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT")
    """SPDX ids of the model licences this site allows, as a JSON list; a kit with any other is refused."""
    speaker: str = "kit"
    """Speaker backend: `kit`, or `speechbrain:/folder` with the extra of that name."""
    face_pack: Path | None = None
    """A local ONNX file for face recognition in place of the kit's; you answer for its licence."""
    pad_second: Path | None = None
    """Folder of networks for a second opinion on presentation attacks, see docs/calibration.md."""
    synthetic_voice: SyntheticVoiceDetector = Field(default_factory=SyntheticVoiceDetector)
    data: Path = Field(default_factory=_data)
    """Folder of keys and of the embedded database."""
    sandbox: bool = False
    """Whether subjects decide the outcome, for apps under development (docs/api.md); in a folder and by an issuer of its own."""
    database_url: str = ""
    """SQLAlchemy URL of the database; empty means SQLite in `data`."""
    media: MediaLimits = Field(default_factory=MediaLimits)
    analysis_fps: float = Field(default=15.0, gt=0)
    """Rate of the pictures that the landmark model analyses."""
    threads: int = Field(default=1, ge=1)
    """Threads of each model in one process; fixed, so that a replay computes the same."""
    overlap: bool = True
    """Whether picture and sound of one recording are analysed in parallel; a server with one worker per core disables it."""
    listen: str = "127.0.0.1:50051"
    """Address of the gRPC server."""
    http_listen: str = ""
    """Address of status lists, keys and the capture page over HTTP, such as 127.0.0.1:8080; empty means none."""
    public_cleartext: bool = False
    """Whether to serve without encryption also on addresses other than loopback, as behind a proxy that speaks TLS."""
    tls_certificate: Path | None = None
    """PEM file of the certificate, with its chain, of gRPC and HTTP, reloaded when it changes; none: in the clear."""
    tls_key: Path | None = None
    """PEM file of that certificate's private key, without a passphrase, mode 0600."""
    tls_client_ca: Path | None = None
    """PEM file of the authorities whose certificates gRPC clients must have (mTLS); without it none is asked for."""
    tls_clients: Path | None = None
    """TOML file that maps names in clients' certificates to callers (docs/api.md), for calls without a token; read at start."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Processes that judge, each with its own models."""
    queue: int = Field(default=8, ge=0)
    """Recordings that may wait for a worker before `RESOURCE_EXHAUSTED`."""
    uploads: int = Field(default=16, ge=1)
    """Recordings that may be received at once, each held in memory until it is judged, before `RESOURCE_EXHAUSTED`."""
    uploads_a_subject: int = Field(default=4, ge=1)
    """Recordings of one person that may be received at once."""
    uploads_a_challenge: int = Field(default=2, ge=1)
    """Recordings that may answer one challenge at once: one, and the same sent again after a lost connection."""
    upload_s: float = Field(default=60.0, gt=0)
    """Longest upload."""
    upload_min_bytes_s: float = Field(default=8192.0, ge=0)
    """Lowest rate of an upload, over each `upload_stall_s` of it."""
    upload_stall_s: float = Field(default=20.0, gt=0)
    """Time that an upload may stay below that rate, and within which a caller must send the config."""
    judging_s: float = Field(default=90.0, gt=0)
    """Longest judgement of one recording, after which its worker is ended."""
    worker_mb: int = Field(default=4096, ge=1024)
    """Memory that one worker may write to, by the kernel's limit; 30 s of 1920x1080 take it to 940."""
    lease_s: float = Field(default=60.0, gt=0)
    """Time after its last heartbeat for which a server counts as alive, with three heartbeats in it; then others take over."""
    spool: bool = False
    """Whether each recording is stored encrypted until it is judged, so that another server can judge it if this one dies."""
    keepalive_s: float = Field(default=30.0, gt=0)
    """Time that a connection may be silent before the server pings its peer."""
    keepalive_timeout_s: float = Field(default=10.0, gt=0)
    """Time that the peer has to answer that ping before its connection, with every call on it, is ended."""
    client_ping_s: float = Field(default=5.0, ge=0)
    """Minimum time between two pings of a client; a client that pings faster loses its connection."""
    expose_scores: bool = False
    """Whether gRPC serves the FULL view of an attempt, with scores, to analysts; without `caller_issuer` to all callers."""
    fingerprint_days: int = Field(default=180, gt=0)
    """Days that the fingerprint of a recording is kept, by which a repeated recording is recognised."""
    gallery: bool = True
    """Whether a face that would be accepted is compared with protected and enrolled ones, and stored, transformed by a secret."""
    challenge_ttl_s: int = Field(default=180, gt=0)
    """Time in which a challenge can be answered."""
    open_challenges: int = Field(default=5, ge=1)
    """Challenges of one person that may be open at once, and live sessions that may be unused, before `TOO_MANY_ATTEMPTS`."""
    attempts_an_hour: int = Field(default=10, ge=1)
    """Attempts that one person may begin within an hour, whatever their verdicts."""
    failures_in_a_row: int = Field(default=5, ge=1)
    """Rejections in a row after which a person must wait before each further attempt."""
    failure_wait_s: float = Field(default=900.0, ge=0)
    """That wait, from the last rejection."""
    credential_ttl_days: int = Field(default=180, gt=0)
    """Period of validity of a credential."""
    reattest_days: int = Field(default=180, gt=0)
    """Days after the recording in which its credentials can be issued and are valid; then a new recording is needed."""
    issuer: str = "https://cameo.localhost"
    """`iss` of every credential."""
    issuer_key_uri: str = ""
    """URI of the issuer's first signing key, for an installed signing backend; empty means a key in `data`."""
    status_url: str = ""
    """URL that `/status/1` and so on, and `/capture`, are appended to; empty means `issuer`."""
    status_capacity: int = Field(default=2**20, ge=1024, le=2**24)
    """Entries of a status list; when half of them are credentials, the next list is started."""
    status_interval_s: int = Field(default=300, ge=1)
    """Interval of publishing status lists; a revoked credential is refused everywhere after twice this time."""
    profile: str = "default"
    """Name of a built-in profile, or path of a profile's TOML file (docs/api.md)."""
    lame_duck_s: float = Field(default=5.0, ge=0)
    """Time after SIGTERM in which health reports NOT_SERVING and new calls are still accepted."""
    drain_s: float = Field(default=20.0, ge=0)
    """Time that a stopping server waits for verifications in progress."""
    job_cameos: int = Field(default=4, ge=1, le=32)
    """Cameos that one job may use."""
    grant_s: int = Field(default=300, gt=0, le=86400)
    """Lifetime of a grant."""
    grant_outputs: int = Field(default=8, ge=1, le=1000)
    """Outputs that may be recorded under one grant, drafts included."""
    output_due_h: float = Field(default=24.0, gt=0)
    """Time after a grant is spent in which an output has to be recorded, before its owner is notified that none was."""
    stall_s: float = Field(default=30.0, gt=0)
    """Time that a caller may leave a stream of evidence or of a comparison unread before it is ended."""
    permission_cache_s: int = Field(default=30, ge=0, le=3600)
    """Time that a generator may cache an answer of `CheckPermission`."""
    permission_checks_s: float = Field(default=100.0, gt=0)
    """Answers of `CheckPermission` a second to one caller but the app, and refusals of `AuthorizeUse`; ten times that at once."""
    event_streams: int = Field(default=1000, ge=1)
    """Streams of events that one server keeps open, besides those reserved for the app, before `RESOURCE_EXHAUSTED`."""
    event_streams_a_caller: int = Field(default=16, ge=1)
    """Streams of events of one caller, and as many reserved for the app; without `caller_issuer` all callers count as one."""
    removal_due_h: float = Field(default=48.0, gt=0)
    """Time that a platform or generator has to remove an output, or to refuse, before the removal is overdue."""
    webhooks: Path | None = None
    """TOML file of the webhook endpoints (docs/api.md), read at start; without it there are none."""
    webhook_timeout_s: float = Field(default=15.0, gt=0, le=60)
    """Longest delivery of one webhook."""
    webhook_retry_s: float = Field(default=5.0, gt=0, le=3600)
    """Wait after the first failure of an endpoint; doubled after each further one, to an hour at most."""
    webhook_give_up_h: float = Field(default=72.0, gt=0)
    """Time that an endpoint may fail before deliveries to it stop."""
    relationships: str = ""
    """Address of the app's `RelationshipService`, in the clear on loopback, else TLS; empty: a table of this server."""
    caller_issuer: str = ""
    """The `iss` of callers' tokens; empty: every caller counts as the app, and only loopback is served."""
    caller_keys: Path | None = None
    """File of that issuer's public keys, a JWKS of Ed25519 and P-256 keys, reloaded when it changes."""
    caller_audience: str = ""
    """The `aud` of callers' tokens; empty means `issuer`."""
    evidence: str = ""
    """Folder of encrypted evidence, or the URL of an object store such as s3://bucket/prefix; empty means in `data`."""
    retention: Retention = Field(default_factory=Retention)
    vault_epoch_days: float = Field(default=7.0, ge=0)
    """Days after which a new epoch of the vault key begins, and deletions before are final; 0: only by `cameo vault epoch`."""
    deletion_log: Path | None = None
    """File of deletions and revocations outside the database, best on another disk; by default deletions.log in `data`."""
    evidence_sweep_s: int = Field(default=3600, ge=1)
    """Interval of deleting expired evidence."""
    controller: Controller = Field(default_factory=Controller)
    consent_days: float = Field(default=1095.0, gt=0, le=36500)
    """Days that the records of a consent are kept once it is withdrawn, to demonstrate that it was given."""

    review_four_eyes: bool = False
    """Whether two analysts have to agree before an attempt in review is decided."""
    review_wait_days: float = Field(default=30.0, gt=0, le=3650)
    """Days that an attempt in review waits with its encrypted likeness; then it is declined, and the likeness destroyed."""

    live: Live = Field(default_factory=Live)
    app_attest: AppAttestSettings = Field(default_factory=AppAttestSettings)
    play_integrity: PlayIntegritySettings = Field(default_factory=PlayIntegritySettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    openid: OpenIdProvider = Field(default_factory=OpenIdProvider)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        """Give a sandbox a folder, a database and an issuer of its own."""
        if not self.sandbox or self.issuer.endswith(SANDBOX):
            return self
        if self.database_url or self.evidence or self.issuer_key_uri:
            raise InvalidRequestError(
                "a sandbox has a database, evidence and keys of its own: leave out CAMEO_DATABASE_URL, CAMEO_EVIDENCE and "
                "CAMEO_ISSUER_KEY_URI"
            )
        # What is frozen is frozen for callers; the object is still being made here.
        object.__setattr__(self, "data", self.data / SANDBOX.strip("/"))
        object.__setattr__(self, "issuer", f"{self.issuer.rstrip('/')}{SANDBOX}")
        object.__setattr__(self, "gallery", False)
        return self

    @property
    def status_base(self) -> str:
        """The prefix of the URI of every status list."""
        return self.status_url or self.issuer

    @property
    def issuer_keys(self) -> Path:
        """The file of the issuer's private signing keys."""
        return self.data / "keys" / "issuer.jwks"

    @property
    def pairwise_key(self) -> Path:
        """The file of the pairwise key, the secret behind the pseudonyms."""
        return self.data / "keys" / "pairwise.jwk"

    @property
    def gallery_key(self) -> Path:
        """The file of the gallery key, which transforms the faces of the gallery."""
        return self.data / "keys" / "gallery.jwk"

    @property
    def vault_key(self) -> Path:
        """The file of the vault key, which wraps the data keys of likenesses and of evidence."""
        return self.data / "keys" / "vault.jwk"

    @property
    def audit_key(self) -> Path:
        """The file of the audit key, which authenticates the end of the audit log."""
        return self.data / "keys" / "audit.jwk"

    @property
    def deletion_log_file(self) -> Path:
        """The file of deletions and revocations, see `cameo_verifier.review.deletion_log`."""
        return self.deletion_log or self.data / "deletions.log"

    @property
    def evidence_place(self) -> str:
        """The location of the encrypted evidence."""
        return self.evidence or str(self.data / "evidence")

    @property
    def leases(self) -> Path:
        """The folder of the locked files by which servers of one machine detect that one has died."""
        return self.data / "servers"

    @property
    def clock_file(self) -> Path:
        """The file of the clock's last reading, see `cameo_verifier.server.clock_watch`."""
        return self.data / "clock"

    @property
    def audiences(self) -> Path:
        """The folder of the audiences' public keys."""
        return self.data / "audiences"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.data / 'cameo.sqlite3'}"


def require_allowed() -> None:
    """Check that every setting in the environment has an allowed value, whether or not a command reads it.

    Raises:
        InvalidRequestError: it names the variable, the value and what is allowed.
    """
    for each in _OURS:
        each()


def require_spelt(variables: Iterable[str]) -> None:
    """Check that no environment variable nearly has the name of a setting: it would change nothing, silently.

    Other variables with the prefix are permitted here, and reported by `unknown`.

    Raises:
        InvalidRequestError: it names the variable and the one that was meant.
    """
    if wrong := misspelt(_given(variables), _known()):
        raise InvalidRequestError(f"setting {wrong} (variables begin with {_PREFIX})")


def unknown(variables: Iterable[str]) -> tuple[str, ...]:
    """Return a warning for each variable that has our prefix and is no setting, except those Kubernetes sets."""
    names = sorted(name for name in _given(variables) - _known() if not _OF_KUBERNETES.fullmatch(name))
    return tuple(f"{_PREFIX}{name} is no setting and changes nothing{meant(name, _known())}" for name in names)


def _given(variables: Iterable[str]) -> set[str]:
    return {name.upper().removeprefix(_PREFIX) for name in variables if name.upper().startswith(_PREFIX)}


def _known() -> set[str]:
    return {each.variable(name).removeprefix(_PREFIX) for each in _OURS for name in each.model_fields}


_OURS = (
    Settings,
    MediaLimits,
    SyntheticVoiceDetector,
    Retention,
    Controller,
    Live,
    AppAttestSettings,
    PlayIntegritySettings,
    OpenIdProvider,
    ConsoleSettings,
)
