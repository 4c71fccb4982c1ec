"""The map of course heads under a checkpoint: how far each course had come in the tree of records.

A proof that records are in a tree does not show that there are no more. So a checkpoint has a
second tree of RFC 6962, whose leaf i is of the course whose first record came as the i-th into the
tree: who is shown that leaf knows the last record of the course, and misses what was cut off.

- It is made of the leaves of the tree and of nothing else, so whoever has those can make it anew,
  for any size. That is how a course that is in it twice, or not at all, is found; who sees one
  course alone cannot tell that.
- A leaf begins with the salt of the course's last record, which travels with that record alone: its
  hash, in somebody else's proof, says nothing. The size of the tree is in it too, so that it is
  another one under each checkpoint, and nobody sees of a neighbour that nothing happened to it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from engine.core.ledger import Inclusion, sealed
from engine.core.merkle import LENGTH, Tree, inclusion_proof, leaf_hash, verify_inclusion
from engine.core.note import CourseMap


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseHead:
    """A course in a tree: the place of its first leaf, how many it has, and its last.

    `salt` and `leaf` are of the last: what it begins with, and its hash.
    """

    first: int
    records: int
    salt: bytes
    leaf: bytes

    def hash(self, size: int) -> bytes:
        """The hash of the leaf in the map of the tree of that size: its numbers have 8 bytes."""
        numbers = b"".join(n.to_bytes(8, "big") for n in (size, self.first, self.records))
        return leaf_hash(self.salt + numbers + self.leaf)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadProof:
    """Which course of the map it is, counted from 0, and the way to the root, in a tree of a size.

    It is that of the tree of records, by which the map goes.
    """

    size: int
    place: int
    path: tuple[bytes, ...]

    def holds(self, head: CourseHead, found: CourseMap) -> bool:
        """Whether the map has that head in this place."""
        leaf = head.hash(self.size)
        return verify_inclusion(leaf, self.place, found.courses, self.path, found.root)


def head_of(leaves: Sequence[Inclusion], record_hash: str) -> CourseHead:
    """The head of a course with these leaves in their order; the last record has that hash."""
    last = leaves[-1]
    return CourseHead(
        first=leaves[0].index,
        records=len(leaves),
        salt=last.salt,
        leaf=sealed(last.salt, record_hash),
    )


def map_of(size: int, heads: Iterable[CourseHead]) -> CourseMap:
    """The map of the tree of a size, of its heads in the order of their first leaves."""
    tree = Tree()
    for head in heads:
        tree.append(head.hash(size))
    return CourseMap(courses=tree.size, root=tree.root())


class HeadTree:
    """The map with all its nodes, 72 bytes for each course: proofs of many are made of it."""

    __slots__ = ("_firsts", "_levels", "_tree", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._tree = Tree()
        self._firsts = array("q")
        self._levels: list[bytearray] = [bytearray()]

    @classmethod
    def of(cls, size: int, heads: Iterable[CourseHead]) -> Self:
        """The map of the tree of that size, of its heads in the order of their first leaves."""
        made = cls(size)
        for head in heads:
            made._add(head)
        return made

    @property
    def map(self) -> CourseMap:
        return CourseMap(courses=self._tree.size, root=self._tree.root())

    def proof(self, first: int) -> HeadProof | None:
        """The proof of the course that began with a leaf; `None` where none did."""
        place = bisect_left(self._firsts, first)
        if place == len(self._firsts) or self._firsts[place] != first:
            return None
        path = inclusion_proof(place, self._tree.size, self._read)
        return HeadProof(size=self.size, place=place, path=tuple(path))

    def _add(self, head: CourseHead) -> None:
        leaf = head.hash(self.size)
        self._firsts.append(head.first)
        self._levels[0] += leaf
        for node in self._tree.append(leaf):
            if node.level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[node.level] += node.hash

    def _read(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][index * LENGTH : (index + 1) * LENGTH])
