"""The tables, with only constructs that SQLite and PostgreSQL share; times are whole microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcMicroseconds(TypeDecorator[datetime]):
    """A time with zone, stored as an integer: exact, ordered and the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Convert a time to microseconds; one without a zone is a bug of ours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise RuntimeError("a time without a zone reached the store")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - the same
        """Convert microseconds to a time in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

challenges = Table(
    "challenges",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject", String(128), nullable=False),
    Column("request_id", String(64)),
    Column("document", JSON, nullable=False),
    Column("issued_at", UtcMicroseconds, nullable=False),
    Column("expires_at", UtcMicroseconds, nullable=False),
    Column("spent_at", UtcMicroseconds),
    UniqueConstraint("subject", "request_id"),
    # Unspent challenges, to delete expired ones.
    Index(None, "expires_at", sqlite_where=text("spent_at IS NULL"), postgresql_where=text("spent_at IS NULL")),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(64), primary_key=True),
    # Unique: a challenge is spent once, so it has one attempt at most.
    Column("challenge_id", ForeignKey("challenges.id"), nullable=False, unique=True),
    Column("subject", String(128), nullable=False),
    Column("audience", String(128), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("verdict", String(16)),
    Column("reasons", JSON, nullable=False),
    Column("checks", JSON, nullable=False),
    Column("profile", String(128), nullable=False),
    Column("digests", JSON, nullable=False),
    Column("timings_ms", JSON, nullable=False),
    Column("recording_sha256", String(64), nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("finished_at", UtcMicroseconds),
    Column("minor_safeguards", Boolean, nullable=False, server_default=false()),
    # The server that judges it, or did. No foreign key: rows of dead servers are deleted.
    Column("server_id", String(64), nullable=False, server_default=text("''")),
    # The reviewers' decision, and its time; null if none is needed, or none was made yet.
    Column("ruling", String(16)),
    Column("ruled_at", UtcMicroseconds),
    # Numbers of the faces the gallery found, by their collection; see `faces`.
    Column("matches", JSON(none_as_null=True)),
    # What the request asks beside the verdict, see `cameo_verifier.cameo.verification_options`, until that is carried out.
    Column("asked", JSON(none_as_null=True)),
    # The kind of challenge it answers, see `cameo_challenges.model.AnswerPath`.
    Column("path", String(32), nullable=False, server_default=text("'speech_and_turns'")),
    # What vouches for its capture, see `cameo_credential.capture_assurance`.
    Column("capture", String(32), nullable=False, server_default=text("'none'")),
    Index(None, "subject", "created_at"),
    Index(None, "state", "created_at"),
    Index(None, "recording_sha256"),
    # The few with a match in the gallery.
    Index(
        "ix_attempts_matched",
        "created_at",
        sqlite_where=text("matches IS NOT NULL"),
        postgresql_where=text("matches IS NOT NULL"),
    ),
)

servers = Table(
    "servers",
    metadata,
    Column("id", String(64), primary_key=True),
    # The boot id of its kernel; empty if unknown.
    Column("boot", String(64), nullable=False),
    # Expiry of its last heartbeat.
    Column("expires_at", UtcMicroseconds, nullable=False),
)

# Live sessions, see `cameo_verifier.store.attempts.sessions`.
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject", String(128), nullable=False),
    Column("audience", String(128), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("language", String(35), nullable=False),
    # Names of `cameo.v1.Need`.
    Column("needs", JSON, nullable=False),
    Column("asked", JSON(none_as_null=True)),
    Column("state", String(16), nullable=False),
    # From the first prompt on.
    Column("attempt_id", ForeignKey("attempts.id"), unique=True),
    # Why it ended without a verdict; empty otherwise.
    Column("ended_by", String(64), nullable=False),
    # The server that captures it; empty while nobody does.
    Column("server_id", String(64), nullable=False),
    # What the capturing client said about itself.
    Column("hello", JSON(none_as_null=True)),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("expires_at", UtcMicroseconds, nullable=False),
    UniqueConstraint("subject", "request_id"),
    Index(None, "expires_at"),
)

spooled_recordings = Table(
    "spooled_recordings",
    metadata,
    # An open attempt; deleted in the transaction that ends it.
    Column("attempt_id", ForeignKey("attempts.id"), primary_key=True),
    # The recording encrypted with its subject's data key, see `cameo_verifier.store.evidence.sealed_object`.
    Column("sealed", LargeBinary, nullable=False),
    # Number of servers that began to judge it.
    Column("judgings", SmallInteger, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("jti", String(64), primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id"), nullable=False),
    # No credential comes into being before its owner consented to the cameo.
    Column("cameo_id", ForeignKey("cameos.id"), nullable=False),
    # Empty for the credential that came with the verdict.
    Column("request_id", String(64), nullable=False),
    Column("audience", String(128), nullable=False),
    Column("sub", String(64), nullable=False),
    Column("issued_at", UtcMicroseconds, nullable=False),
    Column("expires_at", UtcMicroseconds, nullable=False),
    # The encrypted credential, kept for a while for retries after a lost reply.
    Column("token", Text),
    # Revocation of this one alone; a change of its cameo only shows in its status.
    Column("revoked_at", UtcMicroseconds),
    Column("revoke_reason", Text),
    Column("revoke_request_id", String(64)),
    UniqueConstraint("attempt_id", "request_id"),
    Index(None, "cameo_id"),
    Index(None, "issued_at"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("jti", String(64), primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id"), nullable=False, unique=True),
    # No foreign key: the receipt is issued before its owner creates the cameo, which some never do.
    Column("cameo_id", String(64), nullable=False, index=True),
    Column("issued_at", UtcMicroseconds, nullable=False),
    Column("expires_at", UtcMicroseconds, nullable=False),
    Column("token", Text, nullable=False),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("attempt_id", ForeignKey("attempts.id"), primary_key=True),
    Column("created_at", UtcMicroseconds, nullable=False),
    # Features of the face's movement and the sound's changes, by which the recording is recognised; neither face nor voice.
    Column("data", LargeBinary, nullable=False),
    Index(None, "created_at"),
)

status_lists = Table(
    "status_lists",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("capacity", Integer, nullable=False),
    # Number of allotted groups; never falls, because none is allotted twice.
    Column("used", Integer, nullable=False),
    # The key of the groups of indices, see `cameo_credential.decoys`.
    Column("decoy_key", LargeBinary, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    # The database was restored from a backup since: groups without an entry may have been allotted after the copy.
    Column("closed", Boolean, nullable=False, server_default=false()),
)

status_entries = Table(
    "status_entries",
    metadata,
    Column("list_number", ForeignKey("status_lists.number"), primary_key=True),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    # No foreign key: the index is in the token, so it is allotted before the credential is stored.
    Column("jti", String(64), nullable=False, unique=True),
    # The group of indices it was allotted; null in lists of before there were groups, whose credentials have no decoys.
    Column("group_number", Integer),
    Column("status", SmallInteger, nullable=False),
    Index(None, "list_number", "status"),
    Index(None, "list_number", "group_number", unique=True),
)

faces = Table(
    "faces",
    metadata,
    # Never reused: a number that a server has cached must not become another person's.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("collection", String(16), nullable=False),
    # The name of a protected person, or the enrolled subject.
    Column("owner", String(128), nullable=False),
    # The accepted attempt it was enrolled with; null for a protected person.
    Column("attempt_id", String(64)),
    Column("key_id", String(16), nullable=False),
    Column("model", String(64), nullable=False),
    # The face embedding, transformed by a secret, see `cameo_verifier.screening.transform`; never as the network gave it.
    Column("code", LargeBinary, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Index(None, "collection", "owner"),
    Index(None, "attempt_id"),
    Index(None, "key_id", "model", "number"),
    sqlite_autoincrement=True,
)

protected_allowances = Table(
    "protected_allowances",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("created_at", UtcMicroseconds, nullable=False),
)

likenesses = Table(
    "likenesses",
    metadata,
    Column("cameo_id", String(64), primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id"), nullable=False, unique=True),
    # Both are ciphertext; the first is the key of the second; see `cameo_verifier.store.cameos.vault`.
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
)

# Likenesses of attempts in manual review; the same ciphertext as in `likenesses`, to which it moves on approval.
waiting_likenesses = Table(
    "waiting_likenesses",
    metadata,
    Column("attempt_id", ForeignKey("attempts.id"), primary_key=True),
    Column("cameo_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Index(None, "created_at"),
)

opinions = Table(
    "opinions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id"), nullable=False),
    # The order in which they were given: times may be equal.
    Column("number", BigInteger, nullable=False),
    Column("ruling", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("analyst", String(128), nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    UniqueConstraint("attempt_id", "number"),
)

cameos = Table(
    "cameos",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject", String(128), nullable=False),
    # Null once the cameo is deleted: nothing leads from a tombstone to a recording.
    Column("attempt_id", ForeignKey("attempts.id"), unique=True),
    Column("request_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("terms", JSON, nullable=False),
    Column("minor_safeguards", Boolean, nullable=False),
    Column("consent", JSON, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("updated_at", UtcMicroseconds, nullable=False),
    Column("reason", Text, nullable=False),
    # The last change a minor asked for; null if there is none.
    Column("change", JSON(none_as_null=True)),
    Column("paused_by", JSON(none_as_null=True)),
    # When its attempt was begun; null once the cameo is deleted.
    Column("attested_at", UtcMicroseconds),
    Index(None, "subject", "created_at"),
)

# Suspensions of a cameo's credentials, and of the cameo once it is created; the last row is in effect.
suspensions = Table(
    "suspensions",
    metadata,
    Column("id", String(64), primary_key=True),
    # No foreign key: it can be suspended before its owner creates it.
    Column("cameo_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("analyst", String(128), nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    UniqueConstraint("cameo_id", "number"),
)

guardianships = Table(
    "guardianships",
    metadata,
    Column("guardian", String(128), primary_key=True),
    Column("minor", String(128), primary_key=True),
    Column("state", String(32), nullable=False),
    Column("guardian_consent", JSON(none_as_null=True)),
    Column("minor_consent", JSON(none_as_null=True)),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("updated_at", UtcMicroseconds, nullable=False),
    Index(None, "minor", "created_at"),
    Index(None, "guardian", "created_at"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("audience", String(128), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("requester", String(128), nullable=False),
    Column("job_id", String(128), nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("expires_at", UtcMicroseconds, nullable=False),
    Column("spent_at", UtcMicroseconds),
    Column("spent_by_request", String(64)),
    Column("revoked_at", UtcMicroseconds),
    # When it was flagged that no output had been recorded in time; null while it was not.
    Column("overdue_at", UtcMicroseconds),
    UniqueConstraint("audience", "request_id"),
    # Spent ones, to flag those of which nothing came.
    Index(
        None,
        "spent_at",
        sqlite_where=text("spent_at IS NOT NULL AND overdue_at IS NULL"),
        postgresql_where=text("spent_at IS NOT NULL AND overdue_at IS NULL"),
    ),
)

grant_cameos = Table(
    "grant_cameos",
    metadata,
    Column("grant_id", ForeignKey("grants.id"), primary_key=True),
    Column("cameo_id", ForeignKey("cameos.id"), primary_key=True),
    # Number of the event of the grant.
    Column("number", BigInteger, nullable=False),
    Index(None, "cameo_id", "number"),
)

outputs = Table(
    "outputs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("grant_id", ForeignKey("grants.id"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("c2pa_manifest", String(256), nullable=False),
    Column("state", String(16), nullable=False),
    Column("creator", String(128), nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("updated_at", UtcMicroseconds, nullable=False),
    # Empty if no platform shows it: the generator holds it.
    Column("platform", String(128), nullable=False, server_default=text("''")),
    # Number of the event that named the platform, which receives later events.
    Column("shown_since", BigInteger),
    # The generator of the grant; null of outputs from before that two grants share.
    Column("audience", String(128)),
    UniqueConstraint("grant_id", "sha256"),
    Index("uq_outputs_audience_sha256", "audience", "sha256", unique=True),
    Index(None, "platform"),
)

# Removal requests of owners by their request ids; `output_id` is empty if it is for all outputs.
removal_requests = Table(
    "removal_requests",
    metadata,
    Column("cameo_id", ForeignKey("cameos.id"), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("output_id", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
)

removals = Table(
    "removals",
    metadata,
    Column("id", String(64), primary_key=True),
    # Number of the event of the request.
    Column("number", BigInteger, nullable=False),
    Column("cameo_id", ForeignKey("cameos.id"), nullable=False),
    Column("output_id", ForeignKey("outputs.id"), nullable=False),
    Column("holder_kind", String(16), nullable=False),
    Column("holder", String(128), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("answer_reason", Text, nullable=False),
    Column("requested_at", UtcMicroseconds, nullable=False),
    Column("due_at", UtcMicroseconds, nullable=False),
    Column("delivered_at", UtcMicroseconds),
    Column("acknowledged_at", UtcMicroseconds),
    Column("finished_at", UtcMicroseconds),
    UniqueConstraint("cameo_id", "output_id", "holder_kind", "holder"),
    Index(None, "cameo_id", "number"),
    Index(None, "holder_kind", "holder", "number"),
    Index(None, "output_id"),
)

events = Table(
    "events",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("cameo_id", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("at", UtcMicroseconds, nullable=False),
    Column("grant_id", String(64), nullable=False),
    Column("output_id", String(64), nullable=False),
    Column("removal_id", String(64), nullable=False, server_default=text("''")),
    # An attempt that reviewers decided, which need not have a cameo.
    Column("attempt_id", String(64), nullable=False, server_default=text("''")),
    Column("ruling", String(16), nullable=False, server_default=text("''")),
    # Cleared when the cameo is deleted: it leads to an entry of a status list.
    Column("credential_id", String(64), nullable=False, server_default=text("''")),
    # A live session that ended.
    Column("session_id", String(64), nullable=False, server_default=text("''")),
    Index(None, "subject", "number"),
    Index(None, "attempt_id"),
)

# One row. Whoever adds an event locks it until commit, so that numbers are in the order of commits and without a gap.
event_counter = Table(
    "event_counter",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("name", String(64), primary_key=True),
    # Number of the last event that was delivered, or of the newest when the endpoint was new.
    Column("cursor", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("delivered_at", UtcMicroseconds),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", UtcMicroseconds),
    Column("next_at", UtcMicroseconds),
    Column("last_error", String(200), nullable=False),
    Column("stopped_at", UtcMicroseconds),
    Column("claimed_by", String(64)),
    Column("claimed_until", UtcMicroseconds),
)

follows = Table(
    "follows",
    metadata,
    Column("follower", String(128), primary_key=True),
    Column("followee", String(128), primary_key=True),
)

# One row, the id of the wrapping vault key: see `cameo_verifier.store.cameos.vault_key`.
vault_key = Table(
    "vault_key",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # Empty before the first rotation.
    Column("id", String(16), nullable=False),
)

# Ends of cameos, credentials and data keys that are not in the deletion log yet, see `cameo_verifier.store.evidence.ends`.
unlogged_ends = Table(
    "unlogged_ends",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("of_id", String(64), primary_key=True),
)

# One row: the number of the last line of the deletion log that this database has.
end_log = Table(
    "end_log",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)

subject_keys = Table(
    "subject_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    # Null once the key is destroyed: nothing left leads to a person.
    Column("subject", String(128), unique=True),
    Column("vault_key_id", String(16), nullable=False),
    # The data key, wrapped by the vault key; null once it is destroyed.
    Column("wrapped_key", LargeBinary),
    Column("created_at", UtcMicroseconds, nullable=False),
)

# Records of consents, given, widened, approved and withdrawn; see `cameo_verifier.store.cameos.consent_records`.
consent_records = Table(
    "consent_records",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("subject", String(128), nullable=False),
    Column("cameo_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    # The record, encrypted with its subject's data key.
    Column("key_id", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "subject", "created_at"),
    Index(None, "cameo_id"),
    Index(None, "kind", "created_at"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("attempt_id", ForeignKey("attempts.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    # Of the encrypted object; of a credential, whose digest alone is stored, of that.
    Column("sha256", String(64), nullable=False),
    Column("kept_at", UtcMicroseconds, nullable=False),
    Column("removed_at", UtcMicroseconds),
    Index(None, "removed_at", "kept_at"),
)

sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    # SHA-256 of the token, which is 192 random bits: a reader of the database cannot sign in with it.
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("made_at", UtcMicroseconds, nullable=False),
    Column("expires_at", UtcMicroseconds, nullable=False),
    Column("spent_at", UtcMicroseconds),
    Column("revoked_at", UtcMicroseconds),
    Index(None, "name"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcMicroseconds, nullable=False),
    Column("who", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("attempt_id", String(64), nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
    # SHA-256 over the previous line's hash and all of the above, see `cameo_verifier.store.evidence.audit`.
    Column("hash", String(64), nullable=False),
    Index(None, "attempt_id", "number"),
)

# One row: the last line. Whoever adds a line locks it until commit.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    # Over number and hash, under a key that is not in the database; empty before the first line.
    Column("mac", String(64), nullable=False),
)

labels = Table(
    "labels",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id"), nullable=False),
    Column("truth", String(16), nullable=False),
    # Of an attack; empty otherwise.
    Column("species", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("analyst", String(128), nullable=False),
    # The order in which labels were given: times may be equal.
    Column("number", BigInteger, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    # When its analyst withdrew it; it does not count from then on.
    Column("withdrawn_at", UtcMicroseconds),
    UniqueConstraint("attempt_id", "number"),
    Index(None, "analyst", "created_at"),
)
