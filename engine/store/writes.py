"""What is written, built once for each database: only the meaning of `insert` differs.

A row that is there already must be no error where a host's PostgreSQL transaction could die of it:
courses, definitions and prose are inserted unless they are there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnClause,
    ColumnElement,
    Delete,
    Insert,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    not_,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.tables import (
    Name,
    bookings,
    courses,
    definitions,
    messages,
    prose,
    readings,
    records,
    reviews,
    texts,
    timers,
    visits,
)

Dialectal: TypeAlias = Callable[[Table], sqlite.Insert] | Callable[[Table], postgresql.Insert]

ONE: ColumnElement[int] = literal_column("1")
OF_A_QUEUE = ("tenant", "course", "seq", "queue")
"""What an item of a review queue is known by."""
OF_ITS_RECORD = ("site", "recorded_at")
"""What never changes of it."""
MOVED = (
    *("digest", "state", "stage", "seq", "revision", "open", "row"),
    *("waits", "questions", "findings", "unsigned", "conflicts"),
)
"""What a record may change of the course's row: whose course it is, and where, stays."""


def bound(column: ColumnClause[Any], before: str = "") -> BindParameter[Any]:
    """The parameter for a column. A name goes without its collation: the column has it."""
    kind = Text() if column.type is Name else column.type
    return bindparam(f"{before}{column.name}", type_=kind)


def opening(dialectal: Dialectal) -> Insert:
    """The first insert of a course. It adds none where one is, or where no definition is stored."""
    return _added_if(dialectal, courses, _stored(definitions))


def move() -> Update:
    """The versioned update. It moves nothing when the decision was made on another version.

    A known event id and a second open course are looked for here, since they would be errors later.
    """
    r = records.alias("k")  # a short name, to stay under psycopg's limit with rows of every kind
    known = select(ONE).where(
        r.c.tenant == courses.c.tenant,
        r.c.course == courses.c.course,
        r.c.event_id == bindparam("event_id"),
    )
    return (
        update(courses)
        .where(
            courses.c.tenant == bindparam("its_tenant"),
            courses.c.course == bindparam("its_course"),
            courses.c.seq == bindparam("before_seq"),
            not_(known.exists()),
            or_(courses.c.open, not_(bindparam("its_open", type_=Boolean)), not_(another())),
        )
        .values({name: bound(courses.c[name]) for name in MOVED})
    )


def another() -> ColumnElement[bool]:
    """Whether the patient has another open course of the workflow."""
    other = courses.alias("o")
    return (
        select(ONE)
        .where(
            other.c.tenant == bindparam("its_tenant"),
            other.c.patient == bindparam("its_patient"),
            other.c.workflow == bindparam("its_workflow"),
            other.c.course != bindparam("its_course"),
            other.c.open,
        )
        .exists()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """The statements that write, for one database."""

    open: Insert
    move: Update
    record: Insert
    readings: Insert
    messages: Insert
    texts: Insert
    erase: Update
    arm: Insert
    disarm: Delete
    schedule: Insert
    unschedule: Delete
    book: Insert
    queue: Insert
    define: Insert
    describe: Insert
    deliver: Update


def writes(dialectal: Dialectal) -> Writes:
    """The statements, with the `insert` of a dialect."""
    return Writes(
        open=opening(dialectal),
        move=move(),
        record=insert(records),
        readings=insert(readings),
        messages=insert(messages),
        texts=insert(texts),
        erase=update(texts)
        .where(
            *(texts.c[name] == bindparam(f"its_{name}") for name in ("tenant", "course")),
            *(texts.c[name] == bindparam(f"its_{name}") for name in ("seq", "path")),
        )
        .values(salt=null(), text=null()),
        arm=upsert(dialectal(timers)),
        disarm=_gone(timers),
        schedule=upsert(dialectal(visits)),
        unschedule=_gone(visits),
        book=upsert(dialectal(bookings)),
        queue=upsert(dialectal(reviews), OF_A_QUEUE, OF_ITS_RECORD),
        define=_unless_there(dialectal, definitions),
        describe=_unless_there(dialectal, prose),
        deliver=update(messages)
        .where(
            *(messages.c[name] == bindparam(f"its_{name}") for name in ("tenant", "course")),
            *(messages.c[name] == bindparam(f"its_{name}") for name in ("seq", "n")),
            messages.c.delivered_at.is_(None),
        )
        .values(delivered_at=bindparam("at", type_=messages.c.delivered_at.type)),
    )


def upsert(
    added: sqlite.Insert | postgresql.Insert,
    key: tuple[str, ...] = ("tenant", "course", "name"),
    stays: tuple[str, ...] = (),
) -> sqlite.Insert | postgresql.Insert:
    """An insert of rows of a course, named as a rule, that takes the place of what is there."""
    return added.on_conflict_do_update(
        index_elements=key,
        set_={c.name: added.excluded[c.name] for c in added.table.c if c.name not in key + stays},
    )


def _gone(table: Table) -> Delete:
    return delete(table).where(
        and_(*(table.c[name] == bindparam(name) for name in ("tenant", "course", "name")))
    )


def _unless_there(dialectal: Dialectal, table: Table) -> Insert:
    """Looked for first: on SQLite the guard against REPLACE refuses every key that is there."""
    return _added_if(dialectal, table, not_(_stored(table)))


def _stored(table: Table) -> ColumnElement[bool]:
    return (
        select(ONE)
        .where(table.c.tenant == bindparam("tenant"), table.c.digest == bindparam("digest"))
        .exists()
    )


def _added_if(dialectal: Dialectal, table: Table, condition: ColumnElement[bool]) -> Insert:
    row = select(*(bound(column) for column in table.c)).where(condition)
    return dialectal(table).from_select([c.name for c in table.c], row).on_conflict_do_nothing()
