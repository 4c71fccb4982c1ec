"""The ledger held against its records, and against checkpoints that somebody kept elsewhere.

Everything is computed anew: each leaf from its salt and the bytes of its record, each node and each
root from the leaves. What is found wrong has a place: the first leaf that it concerns, and the
record where that is known.

- A record that was edited or deleted does not have the hash of its leaf any more.
- Who changed the leaf too, and all that is above it, has another root: a checkpoint tells that.
- A checkpoint tells that something before it is different, and not which leaf. The one before it
  that agrees says from where on; so hold many.
- How far each course had come is computed for the checkpoints that are held and for the newest,
  since each costs a look at every course.
- Whoever owns the database can rebuild it whole. Only a checkpoint that is held elsewhere tells
  that, and nothing tells about what came after the last one that is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from engine import keys
from engine.core.heads import map_of
from engine.core.ledger import Checkpoint, sealed
from engine.core.merkle import Node, Tree
from engine.core.note import Head, Note, VerifierKey, checked
from engine.core.record import hash_of
from engine.errors import LedgerDivergence
from engine.store.checkpoints import SqlCheckpoints
from engine.store.ledger import SqlLedger
from engine.store.tree import FLOOR, Found, StoredTree

AT_ONCE = 1024
"""How many leaves are in memory at once."""

MOST = 100
"""How many flaws are told; the first ones."""


class Kind(StrEnum):
    """What is wrong."""

    EDITED = "edited"
    """The record is not the one that was sealed, or its leaf is not."""
    DELETED = "deleted"
    """A record that was sealed is gone, or a leaf is."""
    REORDERED = "reordered"
    """The leaves of a course do not follow its records."""
    DOUBLED = "doubled"
    """A leaf or a record is there twice, or a record is sealed twice."""
    NODE = "node"
    """What is stored above the leaves is not what they add up to."""
    TRUNCATED = "truncated"
    """There are fewer leaves than a checkpoint says."""
    FORKED = "forked"
    """The leaves have another root than a checkpoint says: at least one of them is another."""
    HEADS = "heads"
    """A checkpoint says other than the leaves how far each course had come."""
    CHECKPOINT = "checkpoint"
    """A stored checkpoint is gone, or none."""
    SIGNATURE = "signature"
    """A checkpoint is not signed by who is said to have signed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong: at which leaf first, and which record that is, where it is known.

    `through` is the last leaf that it may be, where that is not the first.
    """

    kind: Kind
    what: str
    index: int
    through: int | None = None
    course: str | None = None
    seq: int | None = None

    def __str__(self) -> str:
        place = f"leaf {self.index}"
        if self.through is not None:
            place = f"leaves {self.index} to {self.through}"
        record = "" if self.course is None else f", course {self.course}, record {self.seq}"
        return f"{place}{record}: {self.kind}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found: how many records are sealed and how many not, and every flaw in order.

    `agreed` is the size up to which a checkpoint that was held vouches for the leaves.
    """

    size: int
    unsealed: int
    checkpoints: int
    agreed: int
    flaws: tuple[Flaw, ...]


def inspected(
    ledger: SqlLedger,
    checkpoints: SqlCheckpoints,
    tenant: str,
    held: Sequence[Note] = (),
    trusted: Sequence[VerifierKey] = (),
) -> Inspection:
    """A tenant's ledger held against its records, its checkpoints, and those that are held.

    Where keys are `trusted`, a checkpoint that is held must be signed by one of them; and what is
    stored is looked at likewise, and says then from where on something is different.
    Raises InvalidInput when a note that is held is no checkpoint.
    """
    flaws, stored = _stored(checkpoints, tenant)
    said = []
    for one in stored:
        name = f"checkpoint {one.number}"
        seen = checked(one.note, trusted, keys.verify)
        said.append(_Said(one.head, name, held=False, trusted=bool(seen.held)))
        if seen.false:
            what = f"{name} has a signature that does not hold"
            flaws.append(Flaw(kind=Kind.SIGNATURE, what=what, index=one.head.size))
    texts = {one.note.text for one in stored}
    origins = {one.head.origin for one in stored}
    for note in held:
        head, name = Head.parse(note.text), "the checkpoint that you hold"
        if origins and head.origin not in origins:
            # Held against leaves that it never spoke of, it would say that these were forked.
            what = f"{name} is of {head.origin}, and this ledger is {' and '.join(sorted(origins))}"
            flaws.append(Flaw(kind=Kind.CHECKPOINT, what=what, index=head.size))
            continue
        seen = checked(note, trusted, keys.verify)
        good = not trusted or (bool(seen.held) and not seen.false)
        said.append(_Said(head, name, held=True, trusted=good))
        if not good:
            what = f"{name} is not signed by the key that you named"
            flaws.append(Flaw(kind=Kind.SIGNATURE, what=what, index=head.size))
        if note.text not in texts:
            what = f"{name} is not among those of the ledger"
            flaws.append(Flaw(kind=Kind.CHECKPOINT, what=what, index=head.size))
    with ledger.reading(tenant) as tree:
        walk = _Walk(tree, said)
        flaws += walk.flaws()
        unsealed = tree.unsealed()
        flaws += _counted(tree, walk.size, unsealed)
        flaws += _mapped(tree, [one for one in said if one.held] + said[: len(stored)][-1:])
    order = list(Kind)
    flaws.sort(key=lambda flaw: (flaw.index, order.index(flaw.kind)))
    return Inspection(
        size=walk.size,
        unsealed=unsealed,
        checkpoints=len(stored),
        agreed=walk.agreed,
        flaws=tuple(flaws[:MOST]),
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What a checkpoint says, and how it is called; whether it is believed that it was signed."""

    head: Head
    name: str
    held: bool
    trusted: bool


class _Walk:
    """All leaves once, from the first to the last."""

    def __init__(self, stored: StoredTree, said: Sequence[_Said]) -> None:
        self._stored = stored
        self._tree = Tree()
        self._courses: dict[str, int] = {}
        self._skipped = defaultdict[str, list[range]](list)
        by_size = sorted(said, key=lambda one: one.head.size)
        self._said = {size: list(ones) for size, ones in groupby(by_size, lambda s: s.head.size)}
        self._vouched = 0
        self._broken = False
        self.agreed = 0
        self.size = 0

    def flaws(self) -> Iterator[Flaw]:
        yield from self._at(0)
        after = -1
        while found := self._stored.with_records(after, AT_ONCE):
            made: list[Node] = []
            for one in found:
                yield from self._leaf(one, made)
            yield from self._nodes(made)
            after = found[-1].leaf.place
        for size in sorted(size for size in self._said if size > self.size):
            for said in self._said[size]:
                what = f"{said.name} has {size} leaves, and there are {self.size}"
                yield Flaw(kind=Kind.TRUNCATED, what=what, index=self.size, through=size - 1)

    def _leaf(self, found: Found, made: list[Node]) -> Iterator[Flaw]:
        leaf = found.leaf

        def flaw(kind: Kind, what: str, index: int = leaf.place) -> Flaw:
            return Flaw(kind=kind, what=what, index=index, course=leaf.course, seq=leaf.seq)

        if leaf.place < self.size:
            yield flaw(Kind.DOUBLED, "the leaf, or its record, is there twice")
            return
        if leaf.place > self.size:
            through = leaf.place - 1
            what = "leaves are gone"
            yield Flaw(kind=Kind.DELETED, what=what, index=self.size, through=through)
            # What comes after them cannot be held against a root any more.
            self._broken = True
        if found.body is None:
            yield flaw(Kind.DELETED, "the record is gone")
        elif sealed(bytes(leaf.salt), hash_of(bytes(found.body))) != bytes(leaf.hash):
            yield flaw(Kind.EDITED, "the record and its salt do not have the hash of the leaf")
        yield from self._order(found, flaw)
        if not self._broken:
            made += self._tree.append(bytes(leaf.hash))
        self.size = leaf.place + 1
        yield from self._at(self.size)

    def _order(self, found: Found, flaw: Callable[[Kind, str], Flaw]) -> Iterator[Flaw]:
        """Whether the leaves of a course follow its records, each once."""
        course, seq = found.leaf.course, found.leaf.seq
        before = self._courses.get(course, 0)
        if seq == before + 1:
            self._courses[course] = seq
            return
        if seq > before:
            self._skipped[course].append(range(before + 1, seq))
            self._courses[course] = seq
        elif not any(seq in skipped for skipped in self._skipped[course]):
            yield flaw(Kind.DOUBLED, "it is sealed a second time")
            return
        if not self._broken:
            yield flaw(Kind.REORDERED, f"after record {before} of its course")

    def _at(self, size: int) -> Iterator[Flaw]:
        """Whether the root is what the checkpoints of that size say."""
        for one in () if self._broken else self._said.get(size, ()):
            if self._tree.root() == one.head.root:
                self._vouched = size if one.trusted else self._vouched
                self.agreed = size if one.held and one.trusted else self.agreed
                continue
            what = f"{one.name} has another root: what is there is not what it was made of"
            first = min(self._vouched, max(size - 1, 0))
            yield Flaw(kind=Kind.FORKED, what=what, index=first, through=max(size - 1, 0))

    def _nodes(self, made: Sequence[Node]) -> Iterator[Flaw]:
        """Whether what is stored above the leaves is what they add up to."""
        wanted = [node for node in made if node.level >= FLOOR]
        stored = self._stored.stored_nodes((node.level, node.index) for node in wanted)
        for node in wanted:
            there = stored.get((node.level, node.index))
            if there != node.hash:
                first, count = node.index << node.level, 1 << node.level
                what = "is gone" if there is None else "is not what the leaves add up to"
                yield Flaw(
                    kind=Kind.NODE,
                    what=f"the node at level {node.level}, place {node.index}, {what}",
                    index=first,
                    through=first + count - 1,
                )


def _mapped(tree: StoredTree, said: Iterable[_Said]) -> Iterator[Flaw]:
    """Whether checkpoints say how far each course had come, and leave out none and none twice."""
    there = tree.size()
    for head, name in {one.head: one.name for one in said}.items():
        if head.courses is None or head.size > there:
            continue
        if map_of(head.size, tree.heads(head.size)) != head.courses:
            what = f"{name} says other than the leaves how far each course had come"
            yield Flaw(kind=Kind.HEADS, what=what, index=head.size)


def _counted(tree: StoredTree, size: int, unsealed: int) -> Iterator[Flaw]:
    """Whether there is as much as there should be: what is twice may hide from a walk."""
    last = max(size - 1, 0)
    for what, found, expected in (
        ("leaves", tree.count_leaves(), size),
        ("records", tree.count_records(), size + unsealed),
        ("nodes", tree.count_nodes(), sum(size >> n for n in range(FLOOR, size.bit_length()))),
    ):
        if found != expected:
            kind = Kind.DOUBLED if found > expected else Kind.DELETED
            text = f"there are {found} {what} where {expected} are accounted for"
            yield Flaw(kind=kind, what=text, index=0, through=last)
    noted = tree.noted()
    if noted is not None and noted != size:
        what = f"it is noted that there are {noted} leaves, and there are {size}"
        kind = Kind.TRUNCATED if noted > size else Kind.DOUBLED
        yield Flaw(kind=kind, what=what, index=min(size, noted))


def _stored(checkpoints: SqlCheckpoints, tenant: str) -> tuple[list[Flaw], list[Checkpoint]]:
    """The stored checkpoints, in order, as far as they are any."""
    flaws: list[Flaw] = []
    found: list[Checkpoint] = []
    number = 0
    while more := checkpoints.readable(tenant, number):
        for n, one in more:
            last = found[-1].head if found else None
            before = 0 if last is None else last.size
            if n != number + 1:
                what = f"checkpoint {number + 1} is gone"
                flaws.append(Flaw(kind=Kind.CHECKPOINT, what=what, index=before))
            number = n
            if isinstance(one, LedgerDivergence):
                flaws.append(Flaw(kind=Kind.CHECKPOINT, what=one.what, index=one.index))
                continue
            if one.head.size < before:
                what = f"checkpoint {n} has fewer leaves than the one before it"
                flaws.append(Flaw(kind=Kind.CHECKPOINT, what=what, index=one.head.size))
            if last is not None and last.courses is not None and one.head.courses is None:
                what = f"checkpoint {n} does not say how far each course had come"
                flaws.append(Flaw(kind=Kind.CHECKPOINT, what=what, index=one.head.size))
            found.append(one)
    return flaws, found
