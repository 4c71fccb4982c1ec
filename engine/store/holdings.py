"""What a tenant's database holds that is no single course's: held against itself, row by row.

A course is held against its records where it is verified; here is looked at what no course would
miss: rows of courses that have no records, the numbers of the feed, definitions that nobody uses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, func, or_, select

from engine.core.encoding import Json
from engine.core.history import Mismatch
from engine.log_entry import Logged
from engine.store.sql import SqlStore
from engine.store.tables import (
    access_log,
    bookings,
    canaries,
    courses,
    definitions,
    deliveries,
    feed,
    leaves,
    messages,
    prose,
    readings,
    records,
    reviews,
    sealing,
    texts,
    timers,
    tokens,
    visits,
)

OF_COURSES = (timers, visits, bookings, reviews, readings, messages, texts, feed)

NO_COURSE = "no course has it: neither a row nor a record is there of that name"
NO_DIGEST = "does not have its digest"
NOT_SAID = "is not what the definition says"
TWICE = "it is there twice"


def mismatches(store: SqlStore, tenant: str) -> list[Mismatch]:
    """The first thing that is wrong in each table, of one moment. Raises StoreUnavailable."""
    with store.connection(write=False) as connection:
        return [
            *_defined(connection, tenant),
            *_strays(connection, tenant),
            *_fed(connection, tenant),
            *_delivered(connection, tenant),
            *_flown(connection, tenant),
            *_let_in(connection, tenant),
            *_sealed(connection, tenant),
        ]


def strays(store: SqlStore, tenant: str) -> list[Mismatch]:
    """Every course that rows are kept of while neither its row nor a record is there, by table.

    Raises StoreUnavailable.
    """
    with store.connection(write=False) as connection:
        return [
            Mismatch(table=table.name, key={"course": course}, what=NO_COURSE)
            for table, query in _STRAY.items()
            for course in connection.scalars(query, {"its_tenant": tenant})
        ]


def _defined(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Whether each definition and each prose has its digest."""
    asked = {"its_tenant": tenant}
    seen = set[str]()
    for digest, data in connection.execute(_PROSE, asked):
        if digest in seen or _digest(data) != digest:
            yield Mismatch(
                table=prose.name, column=None if digest in seen else "prose",
                key={"digest": digest}, what=TWICE if digest in seen else NO_DIGEST,
            )  # fmt: skip
        seen.add(digest)
    known = set[str]()
    for digest, name, version, semantic, worded in connection.execute(_DEFINITIONS, asked):
        what, column = None, None
        if digest in known:
            what = TWICE
        elif _digest(semantic) != digest:
            what, column = NO_DIGEST, "semantic"
        elif worded not in seen:
            what, column = "names a prose that is not there", "prose_digest"
        else:
            said = json.loads(semantic)
            column = next(
                (c for c, v in (("name", name), ("version", version)) if said.get(c) != v), None
            )
            what = None if column is None else NOT_SAID
        if what is not None:
            key: dict[str, Json] = {"digest": digest}
            yield Mismatch(table=definitions.name, column=column, key=key, what=what)
        known.add(digest)


def _strays(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Rows of courses that are not there."""
    for table, query in _STRAY.items():
        found = connection.execute(query.limit(1), {"its_tenant": tenant}).first()
        if found is not None:
            yield Mismatch(table=table.name, key={"course": found.course}, what=NO_COURSE)


def _fed(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Whether the positions of the feed go from 1 on without a gap, each once."""
    asked = {"its_tenant": tenant}
    rows, places, last = connection.execute(_COUNTED, asked).one()
    if rows != places:
        yield Mismatch(table=feed.name, column="position", key={}, what="a position is there twice")
    elif places != (last or 0):
        gap: int = connection.scalar(_GAP, asked) or 0
        what = "a position is not there before it"
        yield Mismatch(table=feed.name, column="position", key={"position": gap}, what=what)


def _delivered(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Whether what is sent to endpoints is what the feed has at that position."""
    found = connection.execute(_DELIVERED, {"its_tenant": tenant}).first()
    if found is not None:
        key: dict[str, Json] = {"endpoint": found.endpoint, "position": found.position}
        what = "is not what the feed has at that position"
        yield Mismatch(table=deliveries.name, column="course", key=key, what=what)


def _flown(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Whether the columns of flights say what the flights say, of definitions that are there."""
    asked = {"its_tenant": tenant}
    known = {row.digest for row in connection.execute(_DEFINITIONS, asked)}
    for row in connection.execute(_FLIGHTS, asked):
        flight = _json(row.flight)
        key: dict[str, Json] = {"digest": row.digest}
        wrong = [n for n in ("digest", "workflow", "sound") if flight.get(n) != getattr(row, n)]
        if wrong:
            what = "is not what the flight says"
            yield Mismatch(table=canaries.name, column=wrong[0], key=key, what=what)
        elif row.digest not in known:
            what = "is of no definition that is stored"
            yield Mismatch(table=canaries.name, column="digest", key=key, what=what)


def _let_in(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Whether tokens are what the access log says that was created and revoked."""
    made, ended, seen = dict[str, Any](), dict[str, str](), set[str]()
    for entry in connection.execute(_OF_TOKENS, {"its_tenant": tenant}):
        about = _json(entry.about)
        name = str(about.get("token"))
        if entry.action == Logged.TOKEN_CREATED:
            made[name] = about | {"created_by": entry.actor}
        else:
            ended.setdefault(name, entry.actor)
    for row in connection.execute(_TOKENS, {"its_tenant": tenant}):
        said = made.get(row.id)
        key: dict[str, Json] = {"id": row.id}
        if said is None or row.id in seen:
            what = TWICE if row.id in seen else "the access log does not say that it was created"
            yield Mismatch(table=tokens.name, key=key, what=what)
            continue
        seen.add(row.id)
        found = {
            **{name: _list(getattr(row, name)) for name in ("roles", "actor_roles", "sites")},
            "created_by": row.created_by,
            "revoked_at": row.revoked_at is not None,
            "revoked_by": row.revoked_by,
        }
        ends = {"revoked_at": row.id in ended, "revoked_by": ended.get(row.id)}
        wrong = [name for name, value in found.items() if value != (said | ends).get(name)]
        if wrong:
            what = "is not what the access log says"
            yield Mismatch(table=tokens.name, column=wrong[0], key=key, what=what)
    for name in sorted(made.keys() - seen):
        what = "it is gone, and the access log says that it was created"
        yield Mismatch(table=tokens.name, key={"id": name}, what=what)


def _sealed(connection: Connection, tenant: str) -> Iterator[Mismatch]:
    """Whether the note of how far all is sealed leaves no record out for good."""
    asked = {"its_tenant": tenant}
    position = connection.scalar(_SEALED, asked)
    if position is None:
        return
    head: int = connection.scalar(_HEAD, asked) or 0
    if position > head:
        what = "is beyond the end of the feed: what comes there would not be sealed"
        yield Mismatch(table=sealing.name, column="position", key={}, what=what)
        return
    left = connection.execute(_LEFT_OUT, asked).first()
    if left is not None:
        key: dict[str, Json] = {"course": left.course, "seq": left.seq}
        what = "is beyond a record that was not sealed"
        yield Mismatch(table=sealing.name, column="position", key=key, what=what)


def _json(text: str) -> dict[str, Any]:
    """An object, or an empty one where a text is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _list(text: str | None) -> Json:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _digest(data: bytes | str) -> str:
    data = data.encode() if isinstance(data, str) else bytes(data)
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _here(table: Table) -> ColumnElement[bool]:
    return table.c.tenant == bindparam("its_tenant")


def _same(one: Table, other: Table, *names: str) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in ("tenant", *names)))


def _stray(table: Table) -> Select[Any]:
    rows = select(courses.c.course).where(_same(courses, table, "course")).exists()
    told = select(records.c.course).where(_same(records, table, "course")).exists()
    found = select(table.c.course).where(_here(table), ~rows, ~told)
    return found.distinct().order_by(table.c.course)


_PROSE = select(prose.c.digest, prose.c.prose).where(_here(prose)).order_by(prose.c.digest)
_DEFINITIONS = (
    select(*(definitions.c[n] for n in ("digest", "name", "version", "semantic", "prose_digest")))
    .where(_here(definitions))
    .order_by(definitions.c.digest)
)
_STRAY = {table: _stray(table) for table in OF_COURSES}
_COUNTED = select(
    func.count(), func.count(func.distinct(feed.c.position)), func.max(feed.c.position)
).where(_here(feed))
_before = feed.alias("before")
_GAP = select(func.min(feed.c.position)).where(
    _here(feed),
    feed.c.position != 1,
    ~select(_before.c.position)
    .where(_before.c.tenant == feed.c.tenant, _before.c.position == feed.c.position - 1)
    .exists(),
)
_DELIVERED = (
    select(deliveries.c.endpoint, deliveries.c.position)
    .select_from(deliveries.outerjoin(feed, _same(deliveries, feed, "position")))
    .where(
        _here(deliveries),
        or_(feed.c.course.is_(None), feed.c.course != deliveries.c.course),
    )
    .limit(1)
)
_FLIGHTS = select(*(canaries.c[n] for n in ("digest", "workflow", "sound", "flight"))).where(
    _here(canaries)
)
_SEEN = ("id", "roles", "actor_roles", "sites", "created_by", "revoked_at", "revoked_by")
_TOKENS = select(*(tokens.c[name] for name in _SEEN)).where(_here(tokens)).order_by(tokens.c.id)
_OF_TOKENS = (
    select(access_log.c.action, access_log.c.actor, access_log.c.about)
    .where(
        _here(access_log),
        access_log.c.action.in_([Logged.TOKEN_CREATED.value, Logged.TOKEN_REVOKED.value]),
    )
    .order_by(access_log.c.position)
)
_SEALED = select(sealing.c.position).where(_here(sealing), sealing.c.swept_course.is_(None))
_HEAD = select(func.coalesce(func.max(feed.c.position), 0)).where(_here(feed))
_LEFT_OUT = (
    select(feed.c.course, feed.c.seq)
    .select_from(
        feed.join(sealing, sealing.c.tenant == feed.c.tenant).outerjoin(
            leaves, _same(feed, leaves, "course", "seq")
        )
    )
    .where(
        _here(feed), sealing.c.swept_course.is_(None), feed.c.position <= sealing.c.position,
        leaves.c.place.is_(None),
    )
    .order_by(feed.c.position)
    .limit(1)
)  # fmt: skip
