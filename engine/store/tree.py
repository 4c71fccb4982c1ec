"""The tree of a tenant as it is stored: leaves, and the nodes above them.

- Subtrees of less than 16 leaves are not stored: their hashes are found from those of the leaves.
- What lies in the tree never changes, so it is read without a lock and without a hurry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    Table,
    and_,
    bindparam,
    func,
    select,
    text,
    tuple_,
)

from engine.core.heads import CourseHead
from engine.core.merkle import Position, Tree, complete, root_of
from engine.errors import LedgerDivergence
from engine.store.tables import leaves, nodes, records, sealing

FLOOR = 4
"""The lowest level whose hashes are stored."""

FEW = 64
"""Up to how many nodes are found at once, and not level by level."""

TOGETHER = 400
"""How many places are asked for in one statement."""

HEADS = 2000
"""How many heads of courses are read at once."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as stored."""

    place: int
    course: str
    seq: int
    salt: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A leaf and the bytes of its record; none where there is no such record."""

    leaf: Leaf
    body: bytes | None


class StoredTree:
    """One tenant's tree on a connection."""

    __slots__ = ("_connection", "_tenant")

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    def size(self) -> int:
        """How many leaves there are, up to the last one."""
        last = self._connection.scalar(_SIZE, {"its_tenant": self._tenant})
        return 0 if last is None else last + 1

    def noted(self) -> int | None:
        """How many leaves whoever seals noted that there are; `None` where nobody sealed yet."""
        return self._connection.scalar(_NOTED, {"its_tenant": self._tenant})

    def tree(self, size: int) -> Tree:
        """The tree of that size. Raises LedgerDivergence as `hashes` does."""
        found = self.hashes(complete(0, size))
        return Tree.of(size, lambda level, place: found[level, place])

    def hashes(self, wanted: Iterable[Position]) -> dict[Position, bytes]:
        """The hashes of complete subtrees. Raises LedgerDivergence where one is not there."""
        return _hashes(self._connection, self._tenant, wanted)

    def leaves_of(self, course: str, seqs: Sequence[int] | None = None) -> list[Leaf]:
        """The leaves of a course in the order of its records, or of some records only."""
        asked = _LEAVES.where(leaves.c.course == bindparam("course")).order_by(leaves.c.seq)
        parts: Iterable[Sequence[int] | None] = [None]
        if seqs is not None:
            asked = asked.where(leaves.c.seq.in_(bindparam("seqs", expanding=True)))
            parts = _parts(seqs)
        return [
            Leaf(*row)
            for part in parts
            for row in self._connection.execute(
                asked, {"its_tenant": self._tenant, "course": course, "seqs": part}
            )
        ]

    def leaves(self, first: int, end: int) -> list[Leaf]:
        """The leaves from a place up to, and without, another."""
        asked = {"its_tenant": self._tenant, "first": first, "end": end}
        return [Leaf(*row) for row in self._connection.execute(_RANGE, asked)]

    def with_records(self, after: int, limit: int) -> list[Found]:
        """Leaves beyond a place in order, with what is there of their records."""
        asked = {"its_tenant": self._tenant, "after": after, "limit": limit}
        rows = self._connection.execute(_WITH_RECORDS, asked)
        return [Found(leaf=Leaf(*row[:5]), body=row[5]) for row in rows]

    def heads(self, size: int) -> Iterator[CourseHead]:
        """How far each course had come in the tree of a size, in the order in which they began."""
        after = -1
        while True:
            asked = {"its_tenant": self._tenant, "after": after, "size": size, "limit": HEADS}
            rows = self._connection.execute(_HEADS, asked).all()
            for first, seq, salt, leaf in rows:
                yield CourseHead(first=first, records=seq, salt=bytes(salt), leaf=bytes(leaf))
            if len(rows) < HEADS:
                return
            after = rows[-1][0]

    def stored_nodes(self, wanted: Iterable[Position]) -> dict[Position, bytes]:
        """The stored hashes at positions, as far as they are there."""
        by_level = defaultdict[int, set[int]](set)
        for level, place in wanted:
            by_level[level].add(place)
        return {
            (level, row.place): bytes(row.hash)
            for level, places in by_level.items()
            for part in _parts(places)
            for row in self._connection.execute(
                _AT_NODES, {"its_tenant": self._tenant, "level": level, "places": part}
            )
        }

    def count_leaves(self) -> int:
        return self._counted(leaves)

    def count_nodes(self) -> int:
        return self._counted(nodes)

    def count_records(self) -> int:
        return self._counted(records)

    def _counted(self, table: Table) -> int:
        asked = select(func.count()).select_from(table).where(table.c.tenant == _ITS)
        return self._connection.scalar(asked, {"its_tenant": self._tenant}) or 0

    def unsealed(self) -> int:
        """How many records have no leaf."""
        return self._connection.scalar(_UNSEALED, {"its_tenant": self._tenant}) or 0


_ITS: BindParameter[str] = bindparam("its_tenant")
_LEAF = (leaves.c.place, leaves.c.course, leaves.c.seq, leaves.c.salt, leaves.c.hash)
_LEAVES = select(*_LEAF).where(leaves.c.tenant == _ITS)
_RANGE = _LEAVES.where(
    leaves.c.place >= bindparam("first"), leaves.c.place < bindparam("end")
).order_by(leaves.c.place)
_SIZE = select(func.max(leaves.c.place)).where(leaves.c.tenant == _ITS)
_NOTED = select(sealing.c.size).where(sealing.c.tenant == _ITS)
SAME = and_(
    records.c.tenant == leaves.c.tenant,
    records.c.course == leaves.c.course,
    records.c.seq == leaves.c.seq,
)
"""A record and its leaf."""

_WITH_RECORDS = (
    select(*_LEAF, records.c.body)
    .select_from(leaves.outerjoin(records, SAME))
    .where(leaves.c.tenant == _ITS, leaves.c.place > bindparam("after"))
    .order_by(leaves.c.place)
    .limit(bindparam("limit"))
)
_began, _last = leaves.alias("began"), leaves.alias("last")
_newest = (
    select(leaves.c.place)
    .where(
        leaves.c.tenant == _began.c.tenant,
        leaves.c.course == _began.c.course,
        # The sum keeps a planner from the primary key: it is to go back from the course's last.
        leaves.c.place + 0 < bindparam("size"),
    )
    .order_by(leaves.c.seq.desc())
    .limit(1)
    .correlate(_began)
    .scalar_subquery()
)
_HEADS = (
    select(_began.c.place, _last.c.seq, _last.c.salt, _last.c.hash)
    .select_from(
        _began.join(_last, and_(_last.c.tenant == _began.c.tenant, _last.c.place == _newest))
    )
    .where(
        _began.c.tenant == _ITS,
        _began.c.seq == text("1"),
        _began.c.place > bindparam("after"),
        _began.c.place < bindparam("size"),
    )
    .order_by(_began.c.place)
    .limit(bindparam("limit"))
)
_UNSEALED = (
    select(func.count())
    .select_from(records.outerjoin(leaves, SAME))
    .where(records.c.tenant == _ITS, leaves.c.place.is_(None))
)
_AT_LEAVES = select(leaves.c.place, leaves.c.hash).where(
    leaves.c.tenant == _ITS, leaves.c.place.in_(bindparam("places", expanding=True))
)
_AT_NODES = select(nodes.c.place, nodes.c.hash).where(
    nodes.c.tenant == _ITS,
    nodes.c.level == bindparam("level", type_=Integer),
    nodes.c.place.in_(bindparam("places", expanding=True)),
)
_AT_POSITIONS = select(nodes.c.level, nodes.c.place, nodes.c.hash).where(
    nodes.c.tenant == _ITS,
    tuple_(nodes.c.level, nodes.c.place).in_(bindparam("positions", expanding=True)),
)
_LOST = "a part of the tree is not there"


def _hashes(
    connection: Connection, tenant: str, wanted: Iterable[Position]
) -> dict[Position, bytes]:
    by_level = defaultdict[int, set[int]](set)
    for level, place in wanted:
        by_level[level].add(place)
    low = {level: places for level, places in by_level.items() if level < FLOOR}
    below = {p for level, places in low.items() for one in places for p in _below(level, one)}
    found = {
        (0, place): one for place, one in _places(connection, tenant, _AT_LEAVES, {}, below).items()
    }
    for level, places in low.items():
        for place in places:
            found[level, place] = root_of(found[0, leaf] for leaf in _below(level, place))
    high = {level: places for level, places in by_level.items() if level >= FLOOR}
    if sum(map(len, high.values())) <= FEW:
        return found | _few(connection, tenant, high)
    for level, places in high.items():
        read = _places(connection, tenant, _AT_NODES, {"level": level}, places)
        found.update({(level, place): one for place, one in read.items()})
    return found


def _few(
    connection: Connection, tenant: str, wanted: Mapping[int, set[int]]
) -> dict[Position, bytes]:
    """The hashes of a proof in one statement."""
    positions = [(level, place) for level in sorted(wanted) for place in sorted(wanted[level])]
    asked = {"its_tenant": tenant, "positions": positions}
    rows = connection.execute(_AT_POSITIONS, asked).all() if positions else []
    found = {(level, place): bytes(one) for level, place, one in rows}
    for level, place in positions:
        if (level, place) not in found:
            raise LedgerDivergence(place << level, _LOST)
    return found


def _below(level: int, place: int) -> range:
    return range(place << level, (place + 1) << level)


def _places(
    connection: Connection, tenant: str, asked: Any, more: Mapping[str, int], places: set[int]  # noqa: ANN401  # a statement
) -> dict[int, bytes]:  # fmt: skip
    found: dict[int, bytes] = {}
    for part in _parts(places):
        rows = connection.execute(asked, {"its_tenant": tenant, "places": part, **more})
        found.update({place: bytes(one) for place, one in rows})
    if lost := places - found.keys():
        first = min(lost) << more.get("level", 0)
        raise LedgerDivergence(first, _LOST)
    return found


def _parts(found: Iterable[int]) -> Iterator[list[int]]:
    """In order, no more at once than go into one statement."""
    ordered = sorted(set(found))
    for start in range(0, len(ordered), TOGETHER):
        yield ordered[start : start + TOGETHER]
