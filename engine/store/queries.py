"""What is asked, built once: SQLAlchemy compiles each a single time and keeps it.

Every one names a tenant. `FOR UPDATE` compiles to nothing on SQLite, where a writer is alone.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.sql.expression import CompoundSelect

from engine.core.event import SIGNED
from engine.ports import Search
from engine.store.tables import (
    Instant,
    bookings,
    courses,
    definitions,
    feed,
    messages,
    prose,
    readings,
    records,
    reviews,
    texts,
    timers,
    visits,
)

TENANT: ColumnElement[str] = bindparam("tenant")
COURSE: ColumnElement[str] = bindparam("course")
LIMIT: ColumnElement[int] = bindparam("limit")


def _of_course(table: Table) -> ColumnElement[bool]:
    return and_(table.c.tenant == TENANT, table.c.course == COURSE)


def _without(table: Table, *names: str) -> list[Column[Any]]:
    return [column for column in table.c if column.name not in {"tenant", *names}]


_known = and_(
    records.c.tenant == courses.c.tenant,
    records.c.course == courses.c.course,
    records.c.event_id == bindparam("event_id"),
)
HEAD = (
    select(courses.c.row, *_without(records))
    .select_from(courses.outerjoin(records, _known))
    .where(_of_course(courses))
)
"""The course's row and the record that has the event id already: one round trip."""

LOCKED_HEAD = HEAD.with_for_update(of=courses)

ROW = select(courses.c.row).where(_of_course(courses))

RECORDS = (
    select(*_without(records))
    .where(_of_course(records), records.c.seq > bindparam("after"))
    .order_by(records.c.seq)
    .limit(LIMIT)
)
SIGNATURES = (
    select(*_without(records))
    .where(_of_course(records), records.c.event == SIGNED)
    .order_by(records.c.seq)
)
AMENDMENTS = (
    select(*_without(records))
    .where(_of_course(records), records.c.event.in_(bindparam("events", expanding=True)))
    .order_by(records.c.seq)
)
RECORD = select(*_without(records)).where(_of_course(records), records.c.seq == bindparam("seq"))

REVIEWS = (
    select(*_without(reviews, "course", "site"))
    .where(_of_course(reviews))
    .order_by(reviews.c.seq, reviews.c.queue)
)
REVIEWS_OF = REVIEWS.where(reviews.c.seq == bindparam("seq"))

TEXTS = select(texts.c.path, texts.c.salt, texts.c.text).where(
    _of_course(texts), texts.c.seq == bindparam("seq")
)

KEPT_TEXTS = (
    select(texts.c.seq, texts.c.path)
    .where(_of_course(texts), texts.c.text.is_not(None))
    .order_by(texts.c.seq, texts.c.path)
)

COURSES = (
    select(*_without(courses, "zone", "row"))
    .where(courses.c.tenant == TENANT, courses.c.course > bindparam("after"))
    .order_by(courses.c.course)
    .limit(LIMIT)
)

ANOTHER_OPEN = select(courses.c.course).where(
    courses.c.tenant == TENANT,
    courses.c.patient == bindparam("patient"),
    courses.c.workflow == bindparam("workflow"),
    courses.c.open,
    courses.c.course != COURSE,
)

LAST_SEQ = select(func.coalesce(func.max(records.c.seq), 0)).where(_of_course(records))


def search(wanted: Search) -> Select[*tuple[Any, ...]]:
    """The courses that are looked for: only what is asked stands in the statement."""
    found = COURSES
    for name in ("site", "workflow", "state", "stage", "waits"):
        if getattr(wanted, name) is not None:
            found = found.where(courses.c[name] == bindparam(name))
    if wanted.sites is not None:
        found = found.where(courses.c.site.in_(bindparam("sites", expanding=True)))
    if wanted.open is not None:
        found = found.where(courses.c.open if wanted.open else not_(courses.c.open))
    if wanted.changed_after is not None:
        changed = select(feed.c.course).where(
            feed.c.tenant == TENANT, feed.c.position > bindparam("changed_after")
        )
        found = found.where(courses.c.course.in_(changed))
    if wanted.day is not None:
        day: ColumnElement[date] = bindparam("day")
        open_then = select(visits.c.course).where(
            visits.c.tenant == TENANT, visits.c.earliest <= day, visits.c.latest >= day
        )
        booked_then = select(bookings.c.course).where(
            bookings.c.tenant == TENANT, bookings.c.on_date == day
        )
        found = found.where(courses.c.course.in_(union(open_then, booked_then)))
    return found


_named = [
    select(table.c.course)
    .distinct()
    .where(table.c.tenant == TENANT, table.c.course > bindparam("after"))
    .order_by(table.c.course)
    .limit(LIMIT)
    .subquery()
    for table in (courses, records)
]
RECORDED = union(*(select(names.c.course) for names in _named)).order_by("course").limit(LIMIT)
"""What has a row or a record. Each half stops early: both are kept in this order."""

_page = RECORDED.subquery()
_last = (
    select(records.c.recorded_at)
    .where(records.c.tenant == TENANT, records.c.course == _page.c.course)
    .order_by(records.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
LATEST = select(_page.c.course, _last).order_by(_page.c.course)
"""The same, with when the last record of each was made."""

STANDING = select(courses.c.seq).where(_of_course(courses))
"""Where a course stands, to say why a write came too late."""
KNOWN = select(records.c.seq).where(
    _of_course(records), records.c.event_id == bindparam("event_id")
)

DUE_TIMERS = (
    select(timers.c.course, timers.c.name, timers.c.due, timers.c.seq)
    .where(timers.c.tenant == TENANT, timers.c.due <= bindparam("now", type_=Instant))
    .order_by(timers.c.due, timers.c.course, timers.c.name)
    .limit(LIMIT)
)
TIMERS = select(timers.c.name, timers.c.due, timers.c.seq).where(_of_course(timers))

VISITS = select(
    visits.c.name,
    visits.c.number,
    visits.c.earliest,
    visits.c.target,
    visits.c.latest,
    visits.c.not_before,
).where(_of_course(visits))

BOOKINGS = select(
    bookings.c.name,
    bookings.c.visit,
    bookings.c.number,
    bookings.c.start,
    bookings.c.minutes,
    bookings.c.status,
    bookings.c.changes,
).where(_of_course(bookings))

WAITING = (
    select(*_without(messages, "delivered_at"))
    .where(messages.c.tenant == TENANT, messages.c.delivered_at.is_(None))
    .order_by(messages.c.recorded_at, messages.c.course, messages.c.seq, messages.c.n)
    .limit(LIMIT)
)

_DEFINITIONS = (
    select(*_without(definitions), prose.c.prose)
    .join_from(
        definitions,
        prose,
        and_(
            prose.c.tenant == definitions.c.tenant,
            prose.c.digest == definitions.c.prose_digest,
        ),
    )
    .where(definitions.c.tenant == TENANT)
)
DEFINITION = _DEFINITIONS.where(definitions.c.digest == bindparam("digest"))
DEFINITIONS = _DEFINITIONS.order_by(definitions.c.name, definitions.c.version, definitions.c.digest)

DEFINED = select(definitions.c.digest).where(
    definitions.c.tenant == TENANT, definitions.c.digest == bindparam("digest")
)

PROSE = select(prose.c.prose).where(prose.c.tenant == TENANT, prose.c.digest == bindparam("digest"))


def due_visits(*, at_one_site: bool) -> Select[*tuple[Any, ...]]:
    """The visits whose window opens by a date, with what their course says of the place."""
    return _DUE_VISITS.where(courses.c.site == bindparam("site") if at_one_site else true())


_DUE_VISITS = (
    select(
        visits.c.course,
        courses.c.site,
        courses.c.zone,
        courses.c.state,
        visits.c.name,
        visits.c.number,
        visits.c.earliest,
        visits.c.target,
        visits.c.latest,
        visits.c.not_before,
    )
    .join_from(
        visits,
        courses,
        and_(courses.c.tenant == visits.c.tenant, courses.c.course == visits.c.course),
    )
    .where(visits.c.tenant == TENANT, visits.c.earliest <= bindparam("until"))
    .order_by(visits.c.earliest, visits.c.course, visits.c.name)
)


@cache
def readings_of(number: int) -> CompoundSelect[*tuple[Any, ...]]:
    """The readings of so many inputs, each from an instant of its own on, in no order.

    Those without a time come too. What was corrected is left out even when its correction lies
    before that instant.
    """
    return union_all(*(_readings(n) for n in range(number)))


def _readings(n: int) -> Select[*tuple[Any, ...]]:
    later = readings.alias("later")
    # A value, since PostgreSQL would turn a NOT EXISTS into a join over every correction.
    correction = (
        select(func.max(later.c.seq))
        .where(
            later.c.tenant == readings.c.tenant,
            later.c.course == readings.c.course,
            later.c.input == readings.c.input,
            later.c.corrects == func.coalesce(readings.c.corrects, readings.c.seq),
        )
        .scalar_subquery()
    )
    return select(*_without(readings, "course", "placed")).where(
        _of_course(readings),
        readings.c.input == bindparam(f"input_{n}"),
        readings.c.placed >= bindparam(f"since_{n}", type_=Instant),
        func.coalesce(correction, literal_column("0")) <= readings.c.seq,
    )
