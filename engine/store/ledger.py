"""The ledger in the database: what is to be sealed, and how far that has come.

Whoever adds leaves says which size they found. The row of `sealing` moves from there on, or nothing
is added: two who add at once find out there, and no record is sealed twice.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from engine.core.merkle import Node, Tree
from engine.errors import LedgerDivergence
from engine.store.sql import SqlStore
from engine.store.tables import feed, leaves, nodes, records, sealing
from engine.store.tree import FLOOR, SAME, Leaf, StoredTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a tenant's tree has grown.

    `swept` is the last record of those from before that was looked at; `None` once all were.
    """

    size: int = 0
    position: int = 0
    swept: tuple[str, int] | None = ("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records to seal next, in order: course, number and hash; and where that leads."""

    before: Progress
    after: Progress
    records: Sequence[tuple[str, int, str]]
    tree: Tree

    @property
    def is_empty(self) -> bool:
        return self.before == self.after


class SqlLedger:
    """The ledgers of a store's tenants."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def next(self, tenant: str, limit: int) -> Batch:
        """What is to be sealed next, of not many more than so many records."""
        with self._store.connection(write=False) as connection:
            before = _progress(connection, tenant)
            if before is not None:
                return _batch(connection, tenant, before, limit)
        self._begin(tenant)
        return self.next(tenant, limit)

    def append(self, tenant: str, batch: Batch, salted: Sequence[Leaf], made: list[Node]) -> bool:
        """Add leaves, and the nodes above them; false where somebody else has added some.

        Raises LedgerDivergence where a leaf is there that should not be.
        """
        before, after = batch.before, batch.after
        try:
            with self._store.connection() as connection:
                asked = {**_where(tenant, before), **_how_far(after)}
                moved = connection.execute(_MOVE, asked)
                if moved.rowcount != 1:
                    return False
                if salted:
                    connection.execute(insert(leaves), [_leaf_row(tenant, one) for one in salted])
                kept = [_node_row(tenant, one) for one in made if one.level >= FLOOR]
                if kept:
                    connection.execute(insert(nodes), kept)
        except IntegrityError as error:
            raise LedgerDivergence(before.size, "the tree has more leaves than it says") from error
        return True

    def sweep_again(self, tenant: str) -> None:
        """Look at all records anew when next asked, before the feed is followed on."""
        with self._store.connection() as connection:
            connection.execute(_AGAIN, {"its_tenant": tenant, "swept_course": ""})

    @contextmanager
    def reading(self, tenant: str) -> Iterator[StoredTree]:
        """A tenant's tree as it is at one moment."""
        with self._store.connection(write=False) as connection:
            yield StoredTree(connection, tenant)

    def _begin(self, tenant: str) -> None:
        """Note that nothing is sealed yet; where something is, the note was lost."""
        with self._store.connection() as connection:
            if _progress(connection, tenant) is None:
                found = Progress(size=StoredTree(connection, tenant).size())
                connection.execute(
                    self._store.dialect.insert(sealing).on_conflict_do_nothing(),
                    {"tenant": tenant, **_how_far(found)},
                )


_ITS: BindParameter[str] = bindparam("its_tenant")
_PROGRESS = select(
    sealing.c.size, sealing.c.position, sealing.c.swept_course, sealing.c.swept_seq
).where(sealing.c.tenant == _ITS)
_MOVE = (
    update(sealing)
    .where(
        sealing.c.tenant == _ITS,
        sealing.c.size == bindparam("its_size"),
        sealing.c.position == bindparam("its_position"),
        sealing.c.swept_course.is_not_distinct_from(bindparam("its_swept_course")),
        sealing.c.swept_seq == bindparam("its_swept_seq"),
    )
    .values({name: bindparam(name) for name in ("size", "position", "swept_course", "swept_seq")})
)

_AGAIN = (
    update(sealing)
    .where(sealing.c.tenant == _ITS)
    .values(swept_course=bindparam("swept_course"), swept_seq=0)
)

_SWEEP = (
    select(records.c.course, records.c.seq, records.c.hash, leaves.c.place)
    .select_from(records.outerjoin(leaves, SAME))
    .where(
        records.c.tenant == _ITS,
        tuple_(records.c.course, records.c.seq) > tuple_(bindparam("course"), bindparam("seq")),
    )
    .order_by(records.c.course, records.c.seq)
    .limit(bindparam("limit"))
)
_ENTRIES = (
    select(feed.c.position, feed.c.course, feed.c.seq)
    .where(feed.c.tenant == _ITS, feed.c.position > bindparam("after"))
    .order_by(feed.c.position)
    .limit(bindparam("limit"))
)
_window = (
    select(feed.c.course, func.max(feed.c.seq).label("top"))
    .where(
        feed.c.tenant == _ITS,
        feed.c.position > bindparam("after"),
        feed.c.position <= bindparam("through"),
    )
    .group_by(feed.c.course)
    .subquery()
)
_up_to = (
    select(func.coalesce(func.max(leaves.c.seq), 0))
    .where(leaves.c.tenant == _ITS, leaves.c.course == _window.c.course)
    .scalar_subquery()
)
_FRESH = (
    select(records.c.course, records.c.seq, records.c.hash)
    .select_from(_window.join(records, records.c.course == _window.c.course))
    .where(records.c.tenant == _ITS, records.c.seq <= _window.c.top, records.c.seq > _up_to)
    .order_by(records.c.course, records.c.seq)
)


def _progress(connection: Connection, tenant: str) -> Progress | None:
    found = connection.execute(_PROGRESS, {"its_tenant": tenant}).first()
    if found is None:
        return None
    size, position, course, seq = found
    swept = None if course is None else (course, seq)
    return Progress(size=size, position=position, swept=swept)


def _how_far(progress: Progress) -> dict[str, Any]:
    course, seq = progress.swept or (None, 0)
    return {
        "size": progress.size,
        "position": progress.position,
        "swept_course": course,
        "swept_seq": seq,
    }


def _where(tenant: str, progress: Progress) -> dict[str, Any]:
    asked = {f"its_{name}": one for name, one in _how_far(progress).items()}
    return {"its_tenant": tenant, **asked}


def _batch(connection: Connection, tenant: str, before: Progress, limit: int) -> Batch:
    if before.swept is not None:
        after, found = _sweep(connection, tenant, before, limit)
    else:
        after, found = _follow(connection, tenant, before, limit)
    after = replace(after, size=before.size + len(found))
    tree = StoredTree(connection, tenant).tree(before.size) if found else Tree()
    return Batch(before=before, after=after, records=found, tree=tree)


def _sweep(
    connection: Connection, tenant: str, before: Progress, limit: int
) -> tuple[Progress, list[tuple[str, int, str]]]:
    """Records of before, course by course."""
    course, seq = before.swept or ("", 0)
    asked = {"its_tenant": tenant, "course": course, "seq": seq, "limit": limit}
    rows = connection.execute(_SWEEP, asked).all()
    found = [(row.course, row.seq, row.hash) for row in rows if row.place is None]
    swept = (rows[-1].course, rows[-1].seq) if len(rows) == limit else None
    return replace(before, swept=swept), found


def _follow(
    connection: Connection, tenant: str, before: Progress, limit: int
) -> tuple[Progress, list[tuple[str, int, str]]]:
    """Records in the order in which the feed speaks of them, each after those before it."""
    asked: dict[str, Any] = {"its_tenant": tenant, "after": before.position}
    entries = connection.execute(_ENTRIES, {**asked, "limit": limit}).all()
    if not entries:
        return before, []
    through = entries[-1].position
    waiting = defaultdict[str, deque[tuple[str, int, str]]](deque)
    for row in connection.execute(_FRESH, {**asked, "through": through}):
        waiting[row.course].append((row.course, row.seq, row.hash))
    found = []
    for entry in entries:
        mine = waiting[entry.course]
        while mine and mine[0][1] <= entry.seq:
            found.append(mine.popleft())
    return replace(before, position=through), found


def _leaf_row(tenant: str, leaf: Leaf) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "place": leaf.place,
        "course": leaf.course,
        "seq": leaf.seq,
        "salt": leaf.salt,
        "hash": leaf.hash,
    }


def _node_row(tenant: str, node: Node) -> dict[str, Any]:
    return {"tenant": tenant, "level": node.level, "place": node.index, "hash": node.hash}
