"""What a site can set, with units in the names. Environment variables carry the prefix `CAMEO_`."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from verifier.errors import InvalidRequestError
from verifier.spelling import meant, misspelt
from verifier.types import Verdict
from verifier.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterable


_PREFIX = "CAMEO_"
_OF_KUBERNETES = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
"""What it sets, after the prefix, for a service that is called cameo."""


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cameo" / "models"


def _data() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cameo"


class MediaLimits(Variables):
    """Hard limits on a recording, enforced before and while it is decoded (`CAMEO_MEDIA_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_MEDIA_")

    max_bytes: int = 16 * 1024 * 1024
    min_s: float = 2.0
    max_s: float = 30.0
    min_fps: float = 12.0
    min_short_side_px: int = 160
    max_side_px: int = 4096
    max_pixels: int = Field(default=16_000_000_000, gt=0)
    """Of all pictures together that are decoded; 30 s of 3840x2160 at 30 a second have 7.5 thousand million."""
    max_cpu_s: float = Field(default=60.0, gt=0)
    """Processor seconds that a recording may cost; the same 30 s take some 35, 10 s of 640x480 take 6."""


class SyntheticVoiceDetector(Variables):
    """A site's own detector of synthetic voices (`CAMEO_SYNTHETIC_VOICE_…`), an ONNX file; you answer for its licence.

    It takes one float32 window of speech, (1, samples) mono at 16 kHz in -1..1, and its first output holds the score. Its answer
    is shown to analysts and never decides.
    """

    model_config = SettingsConfigDict(env_prefix="CAMEO_SYNTHETIC_VOICE_")

    file: Path | None = None
    """None: the question is not asked."""
    sha256: str = ""
    """Of the file, 64 hex digits; another file is refused."""
    window_s: float = Field(default=4.0, gt=0, le=30)
    index: int = Field(default=0, ge=0)
    """Which value of the output, flattened, is the probability that the voice is synthetic."""
    logits: bool = False
    """The output holds logits of classes, and is to go through a softmax first."""


class Retention(Variables):
    """How many days evidence of an attempt is kept, by verdict and kind, and how much (`CAMEO_RETENTION_…`); 0 days keep none.

    Of an accepted attempt the digest of its credential stays in any case.
    """

    model_config = SettingsConfigDict(env_prefix="CAMEO_RETENTION_")

    rejected_days: float = Field(default=30.0, ge=0, le=3650)
    review_days: float = Field(default=30.0, ge=0, le=3650)
    retry_days: float = Field(default=30.0, ge=0, le=3650)
    accepted_days: float = Field(default=0.0, ge=0, le=3650)
    """Of an accepted attempt its recording too."""
    accepted_tracks_days: float = Field(default=30.0, ge=0, le=3650)
    """Of an accepted attempt tracks and result: without any, the site's error rates are of those it rejected alone."""
    accepted_share: float = Field(default=1.0, ge=0, le=1)
    """The share of accepted attempts, drawn by their ids, of which these are kept."""
    enrolled_days: float = Field(default=180.0, ge=0, le=3650)
    """Tracks, result and pictures of the face, of an attempt whose face the gallery keeps: a match is decided by them."""
    max_bytes: int = Field(default=100 * 2**30, ge=1)
    """How much evidence is kept at once; beyond it the least useful goes first, see `verifier.store.evidence.retention`."""

    def days(self, verdict: Verdict) -> float:
        """Return how long recordings of that verdict are kept."""
        return {
            Verdict.REJECTED: self.rejected_days,
            Verdict.REVIEW: self.review_days,
            Verdict.RETRY: self.retry_days,
            Verdict.ACCEPTED: self.accepted_days,
        }[verdict]

    def tracks_days(self, verdict: Verdict, attempt_id: str, *, enrolled: bool) -> float:
        """Return how long tracks and result of an attempt are kept; enrolled: the gallery keeps its face."""
        of_rates = self.accepted_tracks_days if verdict is Verdict.ACCEPTED and self._drawn(attempt_id) else 0.0
        return max(self.days(verdict), of_rates, self.enrolled_days if enrolled else 0.0)

    def crops_days(self, verdict: Verdict, *, enrolled: bool) -> float:
        """Return how long pictures of the face are kept."""
        own = self.review_days if verdict is Verdict.REVIEW else 0.0
        return max(own, self.enrolled_days if enrolled else 0.0)

    def _drawn(self, attempt_id: str) -> bool:
        return int.from_bytes(hashlib.sha256(attempt_id.encode()).digest()[:4]) < self.accepted_share * 2**32


class OpenIdProvider(Variables):
    """The identity provider that analysts sign in with (`CAMEO_OPENID_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_OPENID_")

    issuer: str = ""
    """Its `iss`, an https URL; empty: the console prints a one-time token at start instead."""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    """Empty for a public client: PKCE is used in any case."""
    scope: str = "openid profile"
    name_claim: str = "preferred_username"
    """What the audit log calls a person; `sub` where the claim is missing."""
    role_claim: str = "roles"
    """Text or a list; a path with dots reaches into objects, as in realm_access.roles."""
    analyst: str = "cameo-analyst"
    lead: str = "cameo-lead"


class ConsoleSettings(Variables):
    """The analysts' console (`CAMEO_CONSOLE_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_CONSOLE_")

    listen: str = "127.0.0.1:8090"
    origin: str = ""
    """Where browsers find it, such as https://console.example; empty: on `listen`, which must be loopback then."""
    session_h: float = Field(default=8.0, gt=0, le=72)
    """How long someone stays signed in."""


class Settings(Variables):
    """Everything else."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_", protected_namespaces=())

    models: Path = Field(default_factory=_cache)
    """Folder of the model kit."""
    licences: tuple[str, ...] = ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT")
    """SPDX ids of the model licences this site allows, as a JSON list; a kit with any other is refused."""
    speaker: str = "kit"
    """Speaker backend: `kit`, or `speechbrain:/folder` with the extra of that name."""
    face_pack: Path | None = None
    """A local ONNX recognition file of your own in place of the kit's; you answer for its licence."""
    pad_second: Path | None = None
    """Folder of your own networks for a second opinion on presentation attacks, see docs/calibration.md."""
    synthetic_voice: SyntheticVoiceDetector = Field(default_factory=SyntheticVoiceDetector)
    data: Path = Field(default_factory=_data)
    """Folder of keys and of the embedded database."""
    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in `data`."""
    media: MediaLimits = Field(default_factory=MediaLimits)
    analysis_fps: float = Field(default=15.0, gt=0)
    """Pictures a second that go through the landmark model."""
    threads: int = Field(default=1, ge=1)
    """Threads of each model in one process; fixed, so that a replay computes the same."""
    overlap: bool = True
    """Judge picture and sound of one recording side by side; a server turns it off where its workers fill the cores."""
    listen: str = "127.0.0.1:50051"
    http_listen: str = ""
    """Address of the status lists and the keys over HTTP, for example 127.0.0.1:8080; empty means none."""
    public_cleartext: bool = False
    """Serve without encryption also on addresses that others can reach, as between a proxy that speaks TLS and this server."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    queue: int = Field(default=8, ge=0)
    """Recordings that may wait for a worker before `RESOURCE_EXHAUSTED`."""
    uploads: int = Field(default=16, ge=1)
    """Recordings that may be received at once, each held in memory until it is judged, before `RESOURCE_EXHAUSTED`."""
    uploads_a_subject: int = Field(default=4, ge=1)
    """How many of those may be of one person."""
    uploads_a_challenge: int = Field(default=2, ge=1)
    """How many of those may answer one challenge: one, and the one that is sent again after a lost connection."""
    upload_s: float = Field(default=60.0, gt=0)
    """How long one upload may take."""
    upload_min_bytes_s: float = Field(default=8192.0, ge=0)
    """The least pace of an upload in bytes a second, over each `upload_stall_s` of it."""
    upload_stall_s: float = Field(default=20.0, gt=0)
    """How long an upload may fall short of that pace, and how long a caller has to send the config, in seconds."""
    judging_s: float = Field(default=90.0, gt=0)
    """How long one recording may be judged before its worker is ended."""
    worker_mb: int = Field(default=4096, ge=1024)
    """Memory in MiB that one worker may write to, by the kernel's limit; 30 s of 1920x1080 take it to 940."""
    lease_s: float = Field(default=60.0, gt=0)
    """How long a server counts as alive after it last said so, which it does thrice as often; then others take over."""
    spool: bool = False
    """Keep each recording, sealed, until it is judged, so that another server can judge it if this one dies."""
    keepalive_s: float = Field(default=30.0, gt=0)
    """How long a connection may be silent before the server asks whether its peer is still there."""
    keepalive_timeout_s: float = Field(default=10.0, gt=0)
    """How long the peer has to answer that before its connection, and every call on it, is ended."""
    client_ping_s: float = Field(default=5.0, ge=0)
    """The least time between two pings of a client; one that pings faster loses its connection."""
    expose_scores: bool = False
    """Give checks with scores and thresholds to whoever asks for the FULL view of an attempt. Scores teach an attacker."""
    fingerprint_days: int = Field(default=180, gt=0)
    """How long a recording is known again: its fingerprint is kept for this long, the recording is not."""
    gallery: bool = True
    """Hold a face that would be accepted against protected people and those enrolled already, and keep it, turned by a secret."""
    challenge_ttl_s: int = Field(default=180, gt=0)
    open_challenges: int = Field(default=5, ge=1)
    """How many challenges of one person may be open at once, before `TOO_MANY_ATTEMPTS`."""
    attempts_an_hour: int = Field(default=10, ge=1)
    """How many attempts one person may begin within an hour, whatever comes of them."""
    failures_in_a_row: int = Field(default=5, ge=1)
    """After how many rejections in a row one person has to wait before each further attempt."""
    failure_wait_s: float = Field(default=900.0, ge=0)
    """How long, from the last rejection."""
    credential_ttl_days: int = Field(default=180, gt=0)
    reattest_days: int = Field(default=180, gt=0)
    """How long after the recording credentials can be issued of it, and last; after that the person answers a new challenge."""
    issuer: str = "https://cameo.localhost"
    """`iss` of every credential."""
    issuer_key_uri: str = ""
    """Where the issuer's first signing key is held, a URI that an installed signing backend knows; empty means in `data`."""
    status_url: str = ""
    """Where the status lists are found, as a URL that `/status/1` and so on are put behind; empty means `issuer`."""
    status_capacity: int = Field(default=2**20, ge=1024, le=2**24)
    """Entries of a status list; half of them are for credentials, then the next list is begun."""
    status_interval_s: int = Field(default=300, ge=1)
    """How often status lists are made anew. What is revoked is refused everywhere after twice as long."""
    profile: str = "default"
    lame_duck_s: float = Field(default=5.0, ge=0)
    """How long a server that is told to stop by SIGTERM says so in its health, and still takes calls, before it takes no more."""
    drain_s: float = Field(default=20.0, ge=0)
    """How long a stopping server waits for verifications under way."""
    job_cameos: int = Field(default=4, ge=1, le=32)
    """How many cameos one job may use."""
    grant_s: int = Field(default=300, gt=0, le=86400)
    """How long a grant can be spent."""
    stall_s: float = Field(default=30.0, gt=0)
    """How long an analyst may leave a stream unread before it is ended."""
    permission_cache_s: int = Field(default=30, ge=0, le=3600)
    """How long a generator may keep the answer of `CheckPermission`."""
    event_streams: int = Field(default=1000, ge=1)
    """How many streams of events one server keeps open beside those kept for the app, before `RESOURCE_EXHAUSTED`."""
    event_streams_a_caller: int = Field(default=16, ge=1)
    """How many one caller may have, and are kept for the app; without an issuer of callers' tokens everyone is one caller."""
    removal_due_h: float = Field(default=48.0, gt=0)
    """How long a platform or generator has to remove an output, or to refuse, before the removal counts as overdue, in hours."""
    webhooks: Path | None = None
    """File of the endpoints that are told what happens (TOML, see docs/api.md), read at start; None: nobody is."""
    webhook_timeout_s: float = Field(default=15.0, gt=0, le=60)
    """How long one webhook may take."""
    webhook_retry_s: float = Field(default=5.0, gt=0, le=3600)
    """How long to wait after the first failure of an endpoint; twice as long after each further one, an hour at most."""
    webhook_give_up_h: float = Field(default=72.0, gt=0)
    """How long an endpoint may fail before it is stopped, in hours."""
    relationships: str = ""
    """Address of the app's `RelationshipService`; empty: a table of this server's own. In the clear on loopback, TLS else."""
    caller_issuer: str = ""
    """`iss` of the tokens by which callers say who they are; empty: everyone counts as the app, and only loopback is served."""
    caller_keys: Path | None = None
    """File of that issuer's public keys, a JWKS of Ed25519 and P-256 keys, read again when it changes."""
    caller_audience: str = ""
    """`aud` that callers' tokens must name; empty means `issuer`."""
    evidence: str = ""
    """Folder of sealed evidence, or the URL of an object store such as s3://bucket/prefix; empty means in `data`."""
    retention: Retention = Field(default_factory=Retention)
    evidence_sweep_s: int = Field(default=3600, ge=1)
    """How often a server removes evidence whose time is over."""

    review_four_eyes: bool = False
    """Have two different analysts say the same before an attempt that is to be looked at is decided."""
    review_wait_days: float = Field(default=30.0, gt=0, le=3650)
    """How long such an attempt waits, with its likeness sealed; then it is declined, and the likeness destroyed."""

    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    openid: OpenIdProvider = Field(default_factory=OpenIdProvider)

    @property
    def status_base(self) -> str:
        """What the URI of every status list begins with."""
        return self.status_url or self.issuer

    @property
    def issuer_keys(self) -> Path:
        """The file of the issuer's private signing keys."""
        return self.data / "keys" / "issuer.jwks"

    @property
    def pairwise_key(self) -> Path:
        """The file of the secret behind the pseudonyms."""
        return self.data / "keys" / "pairwise.jwk"

    @property
    def gallery_key(self) -> Path:
        """The file of the secret that turns the faces of the gallery."""
        return self.data / "keys" / "gallery.jwk"

    @property
    def vault_key(self) -> Path:
        """The file of the secret that wraps the data keys of likenesses and of evidence."""
        return self.data / "keys" / "vault.jwk"

    @property
    def audit_key(self) -> Path:
        """The file of the secret that the end of the audit log is authenticated with."""
        return self.data / "keys" / "audit.jwk"

    @property
    def evidence_place(self) -> str:
        """Where sealed evidence lies."""
        return self.evidence or str(self.data / "evidence")

    @property
    def leases(self) -> Path:
        """The folder of the locked files by which servers of this machine see that one has died."""
        return self.data / "servers"

    @property
    def clock_file(self) -> Path:
        """The file of the last look at the clock, see `verifier.server.clock_watch`."""
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
    """Refuse an environment in which a setting has a value that cannot be, whether or not a command reads it.

    Raises:
        InvalidRequestError: it names the variable, the value and what is allowed.
    """
    for each in _OURS:
        each()


def require_spelt(variables: Iterable[str]) -> None:
    """Refuse an environment variable that is nearly one of ours: it would change nothing and say so to nobody.

    Others that begin alike are left alone here, and named by `unknown`.

    Raises:
        InvalidRequestError: it names the variable and the one that was meant.
    """
    if wrong := misspelt(_given(variables), _known()):
        raise InvalidRequestError(f"setting {wrong} (variables begin with {_PREFIX})")


def unknown(variables: Iterable[str]) -> tuple[str, ...]:
    """Return what to say of each variable that begins like ours and is none; those Kubernetes sets for a service are left out."""
    names = sorted(name for name in _given(variables) - _known() if not _OF_KUBERNETES.fullmatch(name))
    return tuple(f"{_PREFIX}{name} is no setting and changes nothing{meant(name, _known())}" for name in names)


def _given(variables: Iterable[str]) -> set[str]:
    return {name.upper().removeprefix(_PREFIX) for name in variables if name.upper().startswith(_PREFIX)}


def _known() -> set[str]:
    return {each.variable(name).removeprefix(_PREFIX) for each in _OURS for name in each.model_fields}


_OURS = (Settings, MediaLimits, SyntheticVoiceDetector, Retention, OpenIdProvider, ConsoleSettings)
