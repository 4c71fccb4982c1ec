"""What is kept of a course beside its records: held against them, and written anew from them.

- Values are compared as the database has them: a time that is spelled otherwise sorts otherwise,
  and a row that cannot be read is one that differs.
- `readings` and `texts` only grow, and the feed was told already: none of them is written anew.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Executable,
    LargeBinary,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    not_,
    null,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.types import NullType

from engine.core.encoding import Json, instant_text
from engine.core.history import Mismatch
from engine.ports import Copies
from engine.store import parameters
from engine.store.parameters import Parameters
from engine.store.tables import (
    Instant,
    bookings,
    courses,
    feed,
    messages,
    readings,
    reviews,
    texts,
    timers,
    visits,
)

UNLIKE = "is not what the records add up to"
EXTRA = "no record says that it should be there"
TWICE = "it is there twice"
GONE = "it is gone"

COPIED = (courses, timers, visits, bookings, reviews, readings, messages)
"""Tables whose rows are what the records say, in the order in which they are looked at."""

WRITTEN_ANEW = (courses, timers, visits, bookings, reviews, messages)
"""Those of them that may be: readings only grow."""

KEPT_APART: Mapping[Table, frozenset[str]] = {
    messages: frozenset({"delivered_at"}),
    feed: frozenset({"position"}),
}
"""Columns that no record tells of."""

KNOWN_BY: Mapping[Table, tuple[str, ...]] = {feed: ("tenant", "course", "seq", "n")}
"""What a row is known by, where that is not its primary key."""

Row = tuple[Any, ...]


class Asking(Protocol):
    """Gives the rows of a statement for one course."""

    def __call__(self, statement: Executable, *, course: str) -> Sequence[Sequence[Any]]:
        """The rows, as the driver gives them."""


def rows_of(tenant: str, copies: Copies) -> dict[Table, list[Parameters]]:
    """The rows that a course has to have."""
    line, place = copies.line, {"tenant": tenant, "course": copies.line.course}
    row = {name: getattr(line, name) for name in line.__slots__}
    return {
        courses: [place | row | {"zone": copies.zone, "row": copies.row.decode()}],
        timers: [place | parameters.timer(*one) for one in copies.timers.items()],
        visits: [place | parameters.visit(*one, line.site) for one in copies.visits.items()],
        bookings: [place | parameters.booking(n, *one) for n, one in copies.bookings.items()],
        reviews: [place | parameters.review(item, line.site) for item in copies.reviews],
        readings: [place | parameters.reading(one) for one in copies.readings],
        messages: [
            {
                "tenant": tenant,
                "course": one.course,
                "seq": one.seq,
                "n": one.n,
                "kind": one.kind,
                "body": one.body,
                "recorded_at": one.recorded_at,
            }
            for one in copies.messages
        ],
    }


def mismatches(
    ask: Asking, dialect: Dialect, tenant: str, copies: Copies
) -> Iterator[Mismatch]:  # fmt: skip
    """What is stored of a course and is not so, in the order of tables and keys."""
    course, wanted = copies.line.course, rows_of(tenant, copies)
    for table in COPIED:
        found = ask(_stored(table, dialect.name), course=course)
        yield from _sheet(table, dialect).compared(wanted[table], found)
    noted, fed = ask(_NOTED, course=course), ask(_stored(feed, dialect.name), course=course)
    yield from _told(copies, noted, fed, dialect, wanted[messages])
    yield from _texts(copies, ask(_TEXTS, course=course), hidden=_hidden(ask, dialect, course))


class _Sheet:
    """A table, its rows as tuples of what the driver says and gets."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self.table = table
        self.columns = _columns(table)
        says = enumerate(_said(column, dialect) for column in self.columns)
        self._says = [(n, say) for n, say in says if say is not None]
        keys = {column.name for column in _keys(table)}
        self._key = [n for n, column in enumerate(self.columns) if column.name in keys]
        self._pick: Callable[[Sequence[Any]], Row] = itemgetter(*self._key)

    def wanted(self, rows: Iterable[Parameters]) -> dict[Row, Row]:
        """Rows by key."""
        names, made = [column.name for column in self.columns], []
        for row in rows:
            values = [row[name] for name in names]
            for n, say in self._says:
                if values[n] is not None:
                    values[n] = say(values[n])
            made.append(tuple(values))
        return {self.key(row): row for row in made}

    def key(self, row: Sequence[Any]) -> Row:
        return self._pick(row)

    def compared(
        self, rows: Iterable[Parameters], found: Iterable[Sequence[Any]]
    ) -> Iterator[Mismatch]:  # fmt: skip
        wanted, seen = self.wanted(rows), set[Row]()
        for stored in found:
            key = self.key(stored)
            want = wanted.get(key)
            if want is None:
                yield self._mismatch(stored, EXTRA)
            elif key in seen:
                yield self._mismatch(stored, TWICE)
            elif want != tuple(stored):
                names = [
                    column.name
                    for column, one, other in zip(self.columns, want, stored, strict=True)
                    if one != other
                ]
                yield self._mismatch(want, UNLIKE, names[0])
            seen.add(key)
        for key in wanted.keys() - seen if len(seen) < len(wanted) else ():
            yield self._mismatch(wanted[key], GONE)

    def _mismatch(self, row: Sequence[Any], what: str, column: str | None = None) -> Mismatch:
        named = {self.columns[n].name: _plain(row[n]) for n in self._key}
        named.pop("tenant")
        return Mismatch(table=self.table.name, key=named, what=what, column=column)


@lru_cache(maxsize=64)
def _sheet(table: Table, dialect: Dialect) -> _Sheet:
    return _Sheet(table, dialect)


def _told(
    copies: Copies, noted: Iterable[Sequence[Any]], fed: Sequence[Sequence[Any]], dialect: Dialect,
    rows: Iterable[Parameters],
) -> Iterator[Mismatch]:  # fmt: skip
    """Whether the feed tells of the messages that are noted as told, and of no others."""
    sheet, places = _sheet(feed, dialect), set[Row]()
    named = [column.name for column in sheet.columns]
    for row in fed:
        found = dict(zip(named, row, strict=True))
        places.add((found["seq"], found["n"]))
    yield from sheet.compared((row for row in rows if (row["seq"], row["n"]) in places), fed)
    for seq, n, is_noted in noted:
        if bool(is_noted) != ((seq, n) in places):
            what = "it is not so that the feed tells of it" if is_noted else "the feed tells of it"
            key: dict[str, Json] = {"course": copies.line.course, "seq": seq, "n": n}
            yield Mismatch(table=messages.name, column="delivered_at", key=key, what=what)


def _texts(
    copies: Copies, found: Iterable[Sequence[Any]], *, hidden: bool
) -> Iterator[Mismatch]:  # fmt: skip
    """Whether each free text is the one that the records hold the digest of, or was erased."""
    course, seen = copies.line.course, set[tuple[int, str]]()
    for seq, path, salt, words, sha256 in found:
        place = seq, path
        key: dict[str, Json] = {"course": course, "seq": seq, "path": path}
        what, column = None, None
        if place not in copies.texts:
            what = EXTRA
        elif place in seen:
            what = TWICE
        elif sha256 != copies.texts[place]:
            what, column = UNLIKE, "sha256"
        elif place in copies.erased:
            if salt is not None or words is not None:
                what, column = "was erased, and is there", "text"
        elif hidden:
            pass  # whoever may not see the words cannot tell whether they are those
        elif words is None or salt is None:
            what, column = "is gone, and no record erased it", "text"
        elif hashlib.sha256(f"{salt}{words}".encode()).hexdigest() != sha256:
            what, column = "does not have the digest that its record holds", "text"
        if what is not None:
            yield Mismatch(table=texts.name, column=column, key=key, what=what)
        seen.add(place)
    for seq, path in sorted(copies.texts.keys() - seen):
        named: dict[str, Json] = {"course": course, "seq": seq, "path": path}
        yield Mismatch(table=texts.name, key=named, what=GONE)


def _hidden(ask: Asking, dialect: Dialect, course: str) -> bool:
    """Whether we see the auditor's view of the texts, in which there are no words."""
    return dialect.name == "postgresql" and bool(ask(_VIEWED, course=course))


def _columns(table: Table) -> list[Column[Any]]:
    apart = KEPT_APART.get(table, frozenset())
    return [column for column in table.c if column.name not in apart]


def _keys(table: Table) -> list[Column[Any]]:
    named = KNOWN_BY.get(table)
    return [table.c[name] for name in named] if named else list(table.primary_key)


@cache
def _stored(table: Table, dialect: str) -> Select[Any]:
    """The rows of a course as the driver gives them, in the order of their keys."""
    return (
        select(*(_raw(column, dialect).label(column.name) for column in _columns(table)))
        .where(*_of_course(table))
        .order_by(*_keys(table))
    )


def _raw(column: Column[Any], dialect: str) -> Any:  # noqa: ANN401  # an expression of any type
    if dialect == "postgresql" and isinstance(column.type, Instant):
        # In UTC whatever the session is in: the end of time has no later zone.
        return type_coerce(func.timezone(literal_column("'UTC'"), column), NullType())
    return type_coerce(column, NullType())


def _said(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a value of a column is said to the driver; `None` for as it is."""
    if isinstance(column.type, Instant) and dialect.name == "postgresql":
        return _without_zone
    if isinstance(column.type, LargeBinary):
        return None  # a driver wraps it on the way in only
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _without_zone(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None)


def _plain(value: Any) -> Json:  # noqa: ANN401  # a value of any column
    if isinstance(value, datetime):
        return instant_text(value.replace(tzinfo=UTC))
    return value.isoformat() if isinstance(value, date) else value


def _of_course(table: Table) -> tuple[Any, Any]:
    return table.c.tenant == bindparam("tenant"), table.c.course == bindparam("course")


_NOTED = select(messages.c.seq, messages.c.n, messages.c.delivered_at.is_not(None)).where(
    *_of_course(messages)
)
_TEXTS = (
    select(*(texts.c[name] for name in ("seq", "path", "salt", "text", "sha256")))
    .where(*_of_course(texts))
    .order_by(texts.c.seq, texts.c.path)
)
_VIEWED = text(
    "SELECT 1 FROM pg_class WHERE oid = 'regimen_texts'::regclass AND relkind = 'v' "
    "AND :course = :course AND :tenant = :tenant"
)


def write_anew(connection: Connection, tenant: str, copies: Copies, at: datetime) -> list[str]:
    """Let the rows of a course be what its records add up to; the tables that were not so.

    What is missing is added, what differs is set right, and what no record tells of is deleted.
    A message is noted as told, at `at`, where the feed tells of it, and else as not told.
    """
    wanted, touched = rows_of(tenant, copies), list[str]()
    asked = {"tenant": tenant, "course": copies.line.course}
    for table in WRITTEN_ANEW:
        sheet = _sheet(table, connection.dialect)
        stored = defaultdict[Row, list[Row]](list)
        for row in connection.execute(_stored(table, connection.dialect.name), asked):
            stored[sheet.key(row)].append(tuple(row))
        right = sheet.wanted(wanted[table])
        named = dict(zip(right, wanted[table], strict=True))
        added = {key for key in right if len(stored.get(key, ())) != 1}
        for key, rows in stored.items():
            if key in right and len(rows) == 1 and rows[0] != right[key]:
                values = {name: named[key][name] for name in _others(table)}
                connection.execute(_set_right(table), values | _its(sheet, key))
                touched.append(table.name)
            elif key not in right or len(rows) > 1:
                connection.execute(_take_out(table), _its(sheet, key))
                touched.append(table.name)
        if added:
            connection.execute(insert(table), [named[key] for key in right if key in added])
            touched.append(table.name)
    its = {f"its_{name}": value for name, value in asked.items()}
    told = connection.execute(_TOLD, its | {"at": at}).rowcount
    if connection.execute(_NOT_TOLD, its).rowcount or told:
        touched.append(messages.name)
    return list(dict.fromkeys(touched))


def _its(sheet: _Sheet, key: Row) -> Parameters:
    names = [column.name for column in _keys(sheet.table)]
    return {f"its_{name}": value for name, value in zip(names, key, strict=True)}


def _where(table: Table) -> list[ColumnElement[bool]]:
    return [column == bindparam(f"its_{column.name}") for column in _keys(table)]


@cache
def _set_right(table: Table) -> Update:
    return update(table).where(*_where(table)).values({n: bindparam(n) for n in _others(table)})


def _others(table: Table) -> list[str]:
    keys = {column.name for column in _keys(table)}
    return [column.name for column in _columns(table) if column.name not in keys]


@cache
def _take_out(table: Table) -> Delete:
    return delete(table).where(*_where(table))


_fed = (
    select(literal_column("1"))
    .where(*(feed.c[name] == messages.c[name] for name in ("tenant", "course", "seq", "n")))
    .exists()
)
_OF_MESSAGES = [messages.c[name] == bindparam(f"its_{name}") for name in ("tenant", "course")]
_TOLD = (
    update(messages)
    .where(*_OF_MESSAGES, messages.c.delivered_at.is_(None), _fed)
    .values(delivered_at=bindparam("at", type_=Instant))
)
_NOT_TOLD = (
    update(messages)
    .where(*_OF_MESSAGES, messages.c.delivered_at.is_not(None), not_(_fed))
    .values(delivered_at=null())
)
