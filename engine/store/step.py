"""A whole decision as one statement, for a database behind a network.

The versioned update (or the first insert) of the course is a common table expression, and every
other row is inserted *from* it: where it moves nothing, nothing at all is written. The statement
depends on how many rows of each kind there are, so that a few dozen of them are built and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnClause,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql

from engine.ports import Write
from engine.store import parameters
from engine.store.parameters import Parameters
from engine.store.tables import courses, messages, readings, records, texts, timers, visits
from engine.store.writes import move, opening, upsert

KINDS = ("record", "reading", "message", "text", "armed", "disarmed", "due", "gone")
"""The rows that may follow from a decision, in the order of their counts."""


def filled(tenant: str, write: Write) -> tuple[Select[int], Parameters]:
    """The statement of a decision, which gives how many courses it moved, and its parameters."""
    armed, disarmed = parameters.timers(tenant, write) if write.timers else ((), ())
    due, gone = parameters.visits(tenant, write) if write.visits else ((), ())
    rows: tuple[Sequence[Parameters], ...] = (
        (parameters.record(tenant, write),),
        parameters.readings(tenant, write),
        parameters.messages(tenant, write),
        parameters.texts(tenant, write),
        armed,
        disarmed,
        due,
        gone,
    )
    asked = parameters.move(tenant, write) if write.before_seq else parameters.course(tenant, write)
    for kind, of_kind in zip(KINDS, rows, strict=True):
        for n, row in enumerate(of_kind):
            asked |= {f"{kind}_{n}_{name}": value for name, value in row.items()}
    return statement(not write.before_seq, *map(len, rows)), asked


@cache
def statement(
    new: bool,  # noqa: FBT001  # part of the key that it is kept by
    *counts: int,
) -> Select[int]:
    """The statement for a new or a known course with so many rows of each kind."""
    place = (courses.c.tenant, courses.c.course)
    moved = (opening(postgresql.insert) if new else move()).returning(*place).cte("moved")
    made = select(func.count()).select_from(moved)
    for kind, count in zip(KINDS, counts, strict=True):
        if count:
            made = made.add_cte(_part(kind, count, moved).cte(kind))
    return made


def _part(kind: str, count: int, moved: CTE) -> Insert | Delete:
    match kind:
        case "record":
            return _added(insert(records), kind, count, moved)
        case "reading":
            return _added(insert(readings), kind, count, moved)
        case "message":
            return _added(insert(messages), kind, count, moved, without="delivered_at")
        case "text":
            return _added(insert(texts), kind, count, moved)
        case "armed":
            return _added(upsert(postgresql.insert(timers)), kind, count, moved)
        case "due":
            return _added(upsert(postgresql.insert(visits)), kind, count, moved)
        case "disarmed":
            return _removed(timers, kind, count, moved)
        case _:
            return _removed(visits, kind, count, moved)


def _added(statement: Insert, kind: str, count: int, moved: CTE, *, without: str = "") -> Insert:
    columns = [column for column in statement.table.c if column.name != without]
    rows = [
        select(*(_value(column, f"{kind}_{n}", moved) for column in columns)).select_from(moved)
        for n in range(count)
    ]
    return statement.from_select([column.name for column in columns], union_all(*rows))


def _value(column: ColumnClause[Any], row: str, moved: CTE) -> ColumnElement[Any]:
    if column.name in moved.c:
        return moved.c[column.name]
    return bindparam(f"{row}_{column.name}", type_=column.type)


def _removed(table: Table, kind: str, count: int, moved: CTE) -> Delete:
    return delete(table).where(
        table.c.tenant == moved.c.tenant,
        table.c.course == moved.c.course,
        table.c.name.in_(
            [bindparam(f"{kind}_{n}_name", type_=table.c.name.type) for n in range(count)]
        ),
    )
