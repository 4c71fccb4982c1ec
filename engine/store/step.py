"""A whole decision as one statement, for a database behind a network.

- The versioned update (or the first insert) of the course is a common table expression, and every
  other row is inserted *from* it: where it moves nothing, nothing at all is written.
- However many readings, messages or timers there are, they travel as one parameter for each kind,
  so that there are few statements, which the server prepares once, and which stay short enough
  (4096 characters) for psycopg to keep them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    JSON,
    Delete,
    Insert,
    Select,
    Table,
    Text,
    TextualSelect,
    any_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql

from engine.ports import Write
from engine.store import parameters
from engine.store.parameters import Parameters
from engine.store.tables import (
    bookings,
    courses,
    messages,
    readings,
    records,
    reviews,
    texts,
    timers,
    visits,
)
from engine.store.writes import OF_A_QUEUE, OF_ITS_RECORD, bound, move, opening, upsert


def filled(tenant: str, write: Write) -> tuple[Select[int], Parameters]:
    """The statement of a decision, which gives how many courses it moved, and its parameters."""
    asked = parameters.move(tenant, write) if write.before_seq else parameters.course(tenant, write)
    asked |= {f"r_{name}": value for name, value in parameters.record(tenant, write).items()}
    many: dict[str, Sequence[Parameters]] = {}
    if write.readings:
        many["readings"] = parameters.readings(tenant, write)
    if write.messages:
        many["messages"] = parameters.messages(tenant, write)
    if write.texts:
        many["texts"] = parameters.texts(tenant, write)
    if write.reviews:
        many["queued"] = parameters.reviews(tenant, write)
    if write.erased:
        many["erased"] = [{"seq": seq, "path": path} for seq, path in write.erased]
    if write.timers:
        many["armed"], many["disarmed"] = parameters.timers(tenant, write)
    if write.visits:
        many["due"], many["gone"] = parameters.visits(tenant, write)
    if write.booking is not None:
        many["booked"] = parameters.bookings(tenant, write)
    kinds = tuple(kind for kind, rows in many.items() if rows)
    for kind in kinds:
        asked[kind] = (
            [row["name"] for row in many[kind]]
            if kind in _REMOVED
            else json.dumps(many[kind], default=_plain)
        )
    return statement(not write.before_seq, *kinds), asked


@cache
def statement(
    new: bool,  # noqa: FBT001  # part of the key that it is kept by
    *kinds: str,
) -> Select[int]:
    """The statement for a new or a known course with rows of these kinds."""
    place = (courses.c.tenant, courses.c.course)
    # Names of few letters, to stay under psycopg's limit with rows of every kind.
    moved = (opening(postgresql.insert) if new else move()).returning(*place).cte("m")
    made = select(func.count()).select_from(moved).add_cte(_record(moved).cte("r"))
    for kind in kinds:
        part: Delete | Insert | TextualSelect
        if kind == "erased":
            part = _erased()
        elif kind in _REMOVED:
            part = _removed(_REMOVED[kind], kind, moved)
        else:
            part = _added(_ADDED[kind], kind, moved)
        made = made.add_cte(part.cte(f"{kind[:2]}_"))
    return made


def _record(moved: CTE) -> Insert:
    values = [
        moved.c[c.name] if c.name in moved.c else bound(c, "r_").label(f"v{n}")
        for n, c in enumerate(records.c)
    ]
    return insert(records).from_select(
        [c.name for c in records.c], select(*values).select_from(moved)
    )


def _added(adding: Insert, kind: str, moved: CTE) -> Insert:
    """Rows from a JSON array, whose values the server reads by the types of the table."""
    names = [c.name for c in adding.table.c if c.name not in {"tenant", "course", "delivered_at"}]
    rows = func.json_populate_recordset(
        literal_column(f"NULL::{adding.table.name}"), cast(bindparam(kind, type_=Text), JSON)
    ).table_valued(*names, name="s")
    return adding.from_select(
        ["tenant", "course", *names],
        select(moved.c.tenant, moved.c.course, *rows.c).select_from(moved.join(rows, true())),
    )


def _removed(table: Table, kind: str, moved: CTE) -> Delete:
    return delete(table).where(
        table.c.tenant == moved.c.tenant,
        table.c.course == moved.c.course,
        table.c.name == any_(bindparam(kind, type_=postgresql.ARRAY(Text))),
    )


def _erased() -> TextualSelect:
    """Texts and their salts, by record and place.

    Spelled out: SQLAlchemy would set what has the name of any parameter of the whole.
    """
    said = (
        "UPDATE regimen_texts t SET salt = NULL, text = NULL "
        "FROM m, json_populate_recordset(NULL::regimen_texts, CAST(:erased AS JSON)) s "
        "WHERE t.tenant = m.tenant AND t.course = m.course AND t.seq = s.seq AND t.path = s.path "
        "RETURNING t.seq"
    )
    return text(said).bindparams(bindparam("erased", type_=Text)).columns(texts.c.seq)


def _plain(value: Any) -> str:  # noqa: ANN401  # what JSON has no word for
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} is no value of a row")


_ADDED = {
    "readings": insert(readings),
    "messages": insert(messages),
    "texts": insert(texts),
    "armed": upsert(postgresql.insert(timers)),
    "due": upsert(postgresql.insert(visits)),
    "booked": upsert(postgresql.insert(bookings)),
    "queued": upsert(postgresql.insert(reviews), OF_A_QUEUE, OF_ITS_RECORD),
}
_REMOVED = {"disarmed": timers, "gone": visits}
