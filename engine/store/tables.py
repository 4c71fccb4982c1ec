"""The tables. What was hashed is kept as bytes; what is only a cache is kept as text.

- Every key begins with what it would be sharded by: tenant, then course.
- Every name begins with `regimen_`, for the tables live beside a host's own.
- `records`, `readings`, `definitions`, `prose`, `access_log`, and of the ledger `leaves`, `nodes`,
  `checkpoints` and `cosignatures` only grow; see `append_only`.
- Constraints are named here and in the migration alike: errors are translated by these names.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.types import TypeEngine

PREFIX = "regimen_"
VERSION_TABLE = f"{PREFIX}alembic_version"

ONE_OPEN = f"uq_{PREFIX}courses_open"
"""One open course per patient and workflow."""


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, exact to the microsecond, in an order that the database can index.

    On SQLite it is text of one width, which sorts as time does and can be read without us.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        text = dialect.name == "sqlite"
        return dialect.type_descriptor(String(27) if text else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _text if dialect.name == "sqlite" else None

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002  # SQLAlchemy's
    ) -> Callable[[Any], datetime | None]:
        return _from_text if dialect.name == "sqlite" else _in_utc


def _text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


# Sorted by bytes, as Python sorts them, whatever the locale of the database.
Name = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

# On SQLite, tables of short rows are kept in the order of their key: one tree less to write to.

definitions = Table(
    f"{PREFIX}definitions",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("digest", Name, nullable=False, doc="SHA-256 of `semantic`, with its prefix."),
    Column("name", Name, nullable=False),
    Column("version", Name, nullable=False),
    Column("semantic", LargeBinary, nullable=False, doc="Canonical JSON, as it was hashed."),
    Column("prose_digest", Name, nullable=False, doc="The prose that it was first stored with."),
    PrimaryKeyConstraint("tenant", "digest", name=f"pk_{PREFIX}definitions"),
)

prose = Table(
    f"{PREFIX}prose",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("digest", Name, nullable=False, doc="SHA-256 of `prose`, with its prefix."),
    Column("prose", LargeBinary, nullable=False, doc="Titles and citations, as they were hashed."),
    PrimaryKeyConstraint("tenant", "digest", name=f"pk_{PREFIX}prose"),
)

courses = Table(
    f"{PREFIX}courses",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("workflow", Name, nullable=False),
    Column("digest", Name, nullable=False, doc="The definition that the course is pinned to."),
    Column("patient", Name, nullable=False, doc="A pseudonym."),
    Column("site", Name, nullable=False),
    Column("zone", Name, nullable=False, doc="The site's IANA zone."),
    Column("state", Name, nullable=False),
    Column("stage", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The last record, refusals included."),
    Column("revision", Integer, nullable=False, doc="The last record that changed the course."),
    Column("open", Boolean, nullable=False, doc="False in a closed state, which may be reopened."),
    Column("row", Text, nullable=False, doc="What the records add up to, as canonical JSON."),
    Column("waits", Name, doc="What its state waits for: hold or decision."),
    Column(
        "questions",
        Integer,
        nullable=False,
        server_default="0",
        doc="How many rules could not be weighed for want of data.",
    ),
    Column("conflicts", Name, doc="What speaks against its live bookings, words apart by spaces."),
    Column(
        "findings",
        Integer,
        nullable=False,
        server_default="0",
        doc="How many open findings somebody has to dispose of.",
    ),
    PrimaryKeyConstraint("tenant", "course", name=f"pk_{PREFIX}courses"),
    ForeignKeyConstraint(
        ["tenant", "digest"],
        [definitions.c.tenant, definitions.c.digest],
        name=f"fk_{PREFIX}courses_definitions",
    ),
    # Room on the page for the next version of the row, so that no index is touched by a step.
    postgresql_with={"fillfactor": "70"},
)
Index(
    ONE_OPEN,
    courses.c.tenant,
    courses.c.patient,
    courses.c.workflow,
    unique=True,
    postgresql_where=courses.c.open,
    sqlite_where=courses.c.open,
)

Index(
    f"ix_{PREFIX}courses_waits",
    courses.c.tenant,
    courses.c.waits,
    courses.c.course,
    courses.c.site,
    postgresql_where=courses.c.waits.is_not(None),
    sqlite_where=courses.c.waits.is_not(None),
)
Index(
    f"ix_{PREFIX}courses_questions",
    courses.c.tenant,
    courses.c.open,  # always true here: known, it draws a planner away from the primary key
    courses.c.course,
    courses.c.site,
    postgresql_where=and_(courses.c.open, courses.c.questions > 0),
    sqlite_where=and_(courses.c.open, courses.c.questions > 0),
)
Index(
    f"ix_{PREFIX}courses_conflicts",
    courses.c.tenant,
    courses.c.conflicts,
    courses.c.course,
    courses.c.site,
    postgresql_where=courses.c.conflicts.is_not(None),
    sqlite_where=courses.c.conflicts.is_not(None),
)
Index(
    f"ix_{PREFIX}courses_findings",
    courses.c.tenant,
    courses.c.findings,  # as above: the order of no other index
    courses.c.course,
    courses.c.site,
    postgresql_where=courses.c.findings > 0,
    sqlite_where=courses.c.findings > 0,
)
Index(f"ix_{PREFIX}courses_site", courses.c.tenant, courses.c.site, courses.c.course)

records = Table(
    f"{PREFIX}records",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="From 1, without a gap."),
    Column("event_id", Name, nullable=False, doc="The sender's, unique within the course."),
    Column("event", Name, nullable=False),
    Column("verdict", Name, nullable=False),
    Column("at", Instant, doc="When it happened, as the sender asserts; unknown for some."),
    Column("recorded_at", Instant, nullable=False, doc="The system's time of the decision."),
    Column("prev_hash", Name, nullable=False),
    Column("hash", Name, nullable=False, doc="SHA-256 of `body`, in hexadecimal."),
    Column("body", LargeBinary, nullable=False, doc="The bytes that were hashed."),
    PrimaryKeyConstraint("tenant", "course", "seq", name=f"pk_{PREFIX}records"),
    UniqueConstraint("tenant", "course", "event_id", name=f"uq_{PREFIX}records_event_id"),
)

readings = Table(
    f"{PREFIX}readings",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("input", Name, nullable=False),
    Column(
        "placed", Instant, nullable=False, doc="As `at`; the end of time where that is unknown."
    ),
    Column("seq", Integer, nullable=False, doc="The record that brought it."),
    Column("at", Instant, doc="When it was taken; unknown for some."),
    Column("on_date", Date, doc="The civil date of that at the site."),
    Column("value", Text, nullable=False, doc="JSON, in the unit that the input declares."),
    Column("over_microseconds", BigInteger, doc="The length of what it was taken over."),
    Column("flaw", Name, doc="Why it cannot be used."),
    Column("corrects", Integer, doc="The record that first brought what it replaces."),
    # The order in which they are asked for, so that no database can think of a worse one.
    PrimaryKeyConstraint("tenant", "course", "input", "placed", "seq", name=f"pk_{PREFIX}readings"),
    sqlite_with_rowid=False,
)
Index(
    f"ix_{PREFIX}readings_corrects",
    readings.c.tenant,
    readings.c.course,
    readings.c.input,
    readings.c.corrects,
    postgresql_where=readings.c.corrects.is_not(None),
    sqlite_where=readings.c.corrects.is_not(None),
)

timers = Table(
    f"{PREFIX}timers",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("due", Instant, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that armed it."),
    PrimaryKeyConstraint("tenant", "course", "name", name=f"pk_{PREFIX}timers"),
    sqlite_with_rowid=False,
)
Index(f"ix_{PREFIX}timers_due", timers.c.tenant, timers.c.due)

visits = Table(
    f"{PREFIX}visits",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("number", Integer, nullable=False, doc="Which of its series."),
    Column("earliest", Date, nullable=False, doc="A civil date at the site, like the next two."),
    Column("target", Date, nullable=False),
    Column("latest", Date, nullable=False),
    Column("not_before", Instant, doc="The end of a minimum gap that is counted in hours."),
    Column("site", Name, nullable=False, doc="The course's, which never changes."),
    PrimaryKeyConstraint("tenant", "course", "name", name=f"pk_{PREFIX}visits"),
    sqlite_with_rowid=False,
)
# In the orders in which worklists show them, and whole: what is not shown is not looked up.
Index(
    f"ix_{PREFIX}visits_earliest",
    *(visits.c[name] for name in ("tenant", "earliest", "course", "name")),
    *(visits.c[name] for name in ("target", "latest", "site", "number", "not_before")),
)
Index(
    f"ix_{PREFIX}visits_target",
    *(visits.c[name] for name in ("tenant", "target", "course", "name")),
    *(visits.c[name] for name in ("earliest", "latest", "site", "number", "not_before")),
)

bookings = Table(
    f"{PREFIX}bookings",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("name", Name, nullable=False, doc="The scheduling system's identifier."),
    Column("visit", Name, nullable=False),
    Column("number", Integer, doc="Which of the visit's series; unset where none was due."),
    Column("start", Instant, nullable=False),
    Column("on_date", Date, nullable=False, doc="The civil date of that at the site."),
    Column("minutes", Integer),
    Column("status", Name, nullable=False),
    Column("changes", Integer, nullable=False, doc="How often it was told of again, from 0."),
    Column("seq", Integer, nullable=False, doc="The record that last told of it."),
    PrimaryKeyConstraint("tenant", "course", "name", name=f"pk_{PREFIX}bookings"),
    sqlite_with_rowid=False,
)
Index(f"ix_{PREFIX}bookings_day", bookings.c.tenant, bookings.c.on_date)

messages = Table(
    f"{PREFIX}messages",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that says it."),
    Column("n", Integer, nullable=False, doc="Which of the record's messages, from 1."),
    Column("kind", Name, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("delivered_at", Instant, doc="Unset while it waits."),
    PrimaryKeyConstraint("tenant", "course", "seq", "n", name=f"pk_{PREFIX}messages"),
    sqlite_with_rowid=False,
)
Index(
    f"ix_{PREFIX}messages_waiting",
    messages.c.tenant,
    messages.c.recorded_at,
    postgresql_where=messages.c.delivered_at.is_(None),
    sqlite_where=messages.c.delivered_at.is_(None),
)

texts = Table(
    f"{PREFIX}texts",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record whose event had it."),
    Column("path", Name, nullable=False, doc="Its dotted place in the event."),
    Column("salt", Text, doc="Erased with the text: with it, a guess could be proved right."),
    Column("text", Text, doc="Unset once it was erased."),
    Column("sha256", Name, nullable=False, doc="Of salt and text; the record holds it too."),
    PrimaryKeyConstraint("tenant", "course", "seq", "path", name=f"pk_{PREFIX}texts"),
    CheckConstraint("(text IS NULL) = (salt IS NULL)", name=f"ck_{PREFIX}texts_erased"),
    sqlite_with_rowid=False,
)

sites = Table(
    f"{PREFIX}sites",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("site", Name, nullable=False),
    Column("calendar", Text, nullable=False, doc="Opening days, holidays and closures, as JSON."),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant", "site", name=f"pk_{PREFIX}sites"),
)

feed = Table(
    f"{PREFIX}feed",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("position", BigInteger, nullable=False, doc="From 1, without a gap, in commit order."),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("kind", Name, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant", "position", name=f"pk_{PREFIX}feed"),
    UniqueConstraint("tenant", "course", "seq", "n", name=f"uq_{PREFIX}feed_message"),
)

endpoints = Table(
    f"{PREFIX}endpoints",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("id", Name, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False, doc="A JSON array; empty for every kind."),
    Column("secrets", Text, nullable=False, doc="A JSON array: each secret, and until when."),
    Column("position", BigInteger, nullable=False, doc="Up to where of the feed it was queued."),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("disabled_why", Name),
    PrimaryKeyConstraint("tenant", "id", name=f"pk_{PREFIX}endpoints"),
)

deliveries = Table(
    f"{PREFIX}deliveries",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("endpoint", Name, nullable=False),
    Column("position", BigInteger, nullable=False, doc="Of the feed."),
    Column("course", Name, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, doc="Set for one of a course's, the first that is open: it is due."),
    Column("claimed_until", Instant, doc="Until when one worker has it in hand."),
    Column("answered", Name, doc="The last status, or why there was none."),
    Column("delivered_at", Instant),
    Column("dead_at", Instant, doc="When it was given up."),
    # Not in the order of endpoints: no database is to look for the first of a course in this one.
    PrimaryKeyConstraint("tenant", "position", "endpoint", name=f"pk_{PREFIX}deliveries"),
    ForeignKeyConstraint(
        ["tenant", "endpoint"],
        [endpoints.c.tenant, endpoints.c.id],
        name=f"fk_{PREFIX}deliveries_endpoints",
    ),
)
_due = deliveries.c.next_at.is_not(None)
_open = deliveries.c.delivered_at.is_(None) & deliveries.c.dead_at.is_(None)
Index(
    f"ix_{PREFIX}deliveries_open",
    *(deliveries.c[name] for name in ("tenant", "endpoint", "course", "position")),
    postgresql_where=_open,
    sqlite_where=_open,
)
Index(
    f"ix_{PREFIX}deliveries_due",
    *(deliveries.c[name] for name in ("tenant", "endpoint", "next_at", "position")),
    postgresql_where=_due,
    sqlite_where=_due,
)
Index(
    f"uq_{PREFIX}deliveries_due",  # so that no delivery of a course overtakes another
    *(deliveries.c[name] for name in ("tenant", "course", "endpoint")),
    unique=True,
    postgresql_where=_due,
    sqlite_where=_due,
)
Index(
    f"ix_{PREFIX}deliveries_delivered",
    *(deliveries.c[name] for name in ("tenant", "delivered_at")),
    postgresql_where=deliveries.c.delivered_at.is_not(None),
    sqlite_where=deliveries.c.delivered_at.is_not(None),
)
Index(
    f"ix_{PREFIX}deliveries_dead",
    *(deliveries.c[name] for name in ("tenant", "endpoint", "dead_at")),
    postgresql_where=deliveries.c.dead_at.is_not(None),
    sqlite_where=deliveries.c.dead_at.is_not(None),
)

tokens = Table(
    f"{PREFIX}tokens",
    metadata,
    Column("id", Name, nullable=False, doc="Public: it is part of the token, and is listed."),
    Column("tenant", Name, nullable=False),
    Column("name", Name, nullable=False, doc="Whose it is: a system or a pseudonym."),
    Column("sha256", Name, nullable=False, doc="Of the secret part, which nobody keeps."),
    Column("roles", Text, nullable=False, doc="A JSON array."),
    Column("actor_roles", Text, nullable=False, doc="A JSON array: what it may claim beside them."),
    Column("sites", Text, doc="A JSON array; unset for every site."),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Name, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", Name),
    PrimaryKeyConstraint("id", name=f"pk_{PREFIX}tokens"),
)
Index(f"ix_{PREFIX}tokens_tenant", tokens.c.tenant, tokens.c.created_at)

calendar_feeds = Table(
    f"{PREFIX}calendar_feeds",
    metadata,
    Column("id", Name, nullable=False),
    Column("tenant", Name, nullable=False),
    Column("sha256", Name, nullable=False, doc="Of the secret part of its URL."),
    Column("scope", Name, nullable=False, doc="site, role or course."),
    Column("subject", Name, nullable=False, doc="The name of that."),
    Column("sites", Text, doc="A JSON array: whose visits it may show; unset for every site."),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Name, nullable=False),
    Column("revoked_at", Instant),
    PrimaryKeyConstraint("id", name=f"pk_{PREFIX}calendar_feeds"),
)

access_log = Table(
    f"{PREFIX}access_log",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("at", Instant, nullable=False),
    Column("id", Name, nullable=False),
    Column("actor", Name, nullable=False, doc="A token, a subject, or nobody."),
    Column("action", Name, nullable=False),
    Column("outcome", Name, nullable=False),
    Column("about", Text, nullable=False, doc="A JSON object: ids and roles, no clinical content."),
    Column("position", BigInteger, doc="From 1, without a gap; unset from before the chain."),
    Column("prev_hash", Name, doc="The hash of the entry before it."),
    Column("hash", Name, doc="SHA-256 of what the entry says, its position and `prev_hash`."),
    PrimaryKeyConstraint("tenant", "at", "id", name=f"pk_{PREFIX}access_log"),
)
Index(
    f"uq_{PREFIX}access_log_position",  # so that nobody puts two entries behind one
    access_log.c.tenant,
    access_log.c.position,
    unique=True,
)
Index(
    f"ix_{PREFIX}access_log_actor",
    access_log.c.tenant,
    access_log.c.actor,
    access_log.c.action,
    access_log.c.at,
)

reviews = Table(
    f"{PREFIX}reviews",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that is to be looked at."),
    Column("queue", Name, nullable=False, doc="Why."),
    Column("site", Name, nullable=False, doc="The course's, which never changes."),
    Column("recorded_at", Instant, nullable=False, doc="The record's."),
    Column("open", Boolean, nullable=False, doc="Nobody has signed it off yet, or for good."),
    Column("outcome", Name, doc="Of the last sign-off."),
    Column("reviewed_by", Integer, doc="The record that signed it off last."),
    Column("reviewers", Text, nullable=False, doc="The actors of all, apart by spaces."),
    PrimaryKeyConstraint("tenant", "course", "seq", "queue", name=f"pk_{PREFIX}reviews"),
    sqlite_with_rowid=False,
)
"""A cache, as the row is: which records are in which queue of those that review."""
Index(
    f"ix_{PREFIX}reviews_open",
    *(reviews.c[name] for name in ("tenant", "queue", "recorded_at", "course", "seq", "site")),
    postgresql_where=reviews.c.open,
    sqlite_where=text("open = 1"),  # as it is asked: else SQLite does not see that it is this one
)

canaries = Table(
    f"{PREFIX}canaries",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("digest", Name, nullable=False, doc="Of the definition that was exercised."),
    Column("at", Instant, nullable=False),
    Column("workflow", Name, nullable=False),
    Column("sound", Boolean, nullable=False, doc="Everything acted as expected."),
    Column("flight", Text, nullable=False, doc="What came of each rule, as JSON."),
    PrimaryKeyConstraint("tenant", "digest", "at", name=f"pk_{PREFIX}canaries"),
    sqlite_with_rowid=False,
)

leaves = Table(
    f"{PREFIX}leaves",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("place", BigInteger, nullable=False, doc="From 0, without a gap, in commit order."),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that it seals."),
    Column("salt", LargeBinary, nullable=False, doc="Keeps the hash from being guessed."),
    Column("hash", LargeBinary, nullable=False, doc="Of salt and record, as the tree has it."),
    PrimaryKeyConstraint("tenant", "place", name=f"pk_{PREFIX}leaves"),
    UniqueConstraint("tenant", "course", "seq", name=f"uq_{PREFIX}leaves_seq"),
    sqlite_with_rowid=False,
)

nodes = Table(
    f"{PREFIX}nodes",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("level", Integer, nullable=False, doc="How often it halves down to a leaf."),
    Column("place", BigInteger, nullable=False, doc="Which of its level, from 0."),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "level", "place", name=f"pk_{PREFIX}nodes"),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    f"{PREFIX}checkpoints",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("number", Integer, nullable=False, doc="From 1, without a gap."),
    Column("at", Instant, nullable=False),
    Column("origin", Text, nullable=False, doc="Whose tree it is, as the note says."),
    Column("size", BigInteger, nullable=False, doc="How many leaves the tree had."),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False, doc="The note as it was signed."),
    Column(
        "signers", Text, nullable=False, doc="A JSON array: the verifier keys of who signed it."
    ),
    PrimaryKeyConstraint("tenant", "number", name=f"pk_{PREFIX}checkpoints"),
    sqlite_with_rowid=False,
)

cosignatures = Table(
    f"{PREFIX}cosignatures",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("number", Integer, nullable=False, doc="Of the checkpoint."),
    Column("key", Text, nullable=False, doc="The verifier key of the witness."),
    Column("line", Text, nullable=False, doc="What the witness added to the note."),
    Column("at", Instant, nullable=False, doc="When it was added here."),
    PrimaryKeyConstraint("tenant", "number", "key", name=f"pk_{PREFIX}cosignatures"),
    sqlite_with_rowid=False,
)

sealing = Table(
    f"{PREFIX}sealing",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("size", BigInteger, nullable=False, doc="How many leaves there are."),
    Column("position", BigInteger, nullable=False, doc="Up to where of the feed all is sealed."),
    Column("swept_course", Name, doc="Up to where what was there before is; unset once all is."),
    Column("swept_seq", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", name=f"pk_{PREFIX}sealing"),
    sqlite_with_rowid=False,
)
"""How far a tenant's tree has grown; what is lost of it is found again from the leaves."""
