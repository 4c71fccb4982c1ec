"""Courses: what they follow, their records, and what each record brought."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
)

from engine.store.tables.base import PREFIX, Instant, Name, metadata

ONE_OPEN = f"uq_{PREFIX}courses_open"
"""One open course per patient and workflow."""

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
    Column(
        "unsigned",
        Integer,
        nullable=False,
        server_default="0",
        doc="How many of its records wait for a signature.",
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
Index(
    f"ix_{PREFIX}courses_unsigned",
    courses.c.tenant,
    courses.c.unsigned,  # as above
    courses.c.course,
    courses.c.site,
    postgresql_where=courses.c.unsigned > 0,
    sqlite_where=courses.c.unsigned > 0,
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
