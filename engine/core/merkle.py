"""The tree over all records: one hash for any number of them, and short proofs that lead to it.

It is the Merkle tree of RFC 6962 and RFC 9162, with SHA-256, and its proofs are theirs. A leaf's
hash never is the hash of two others, since each kind begins with a byte of its own.

- A *complete* subtree has a power of two of leaves and never changes once it is there. It has a
  position: its level (0 is a leaf) and its number among those of its level, from 0.
- Everything is made from complete subtrees. Whoever keeps their hashes and can read one by its
  position needs a number of reads that grows with the logarithm of the size, for any proof.
- A proof is looked at whole: one hash too many, one too few, or one that has not 32 bytes, and it
  does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self, TypeAlias

LENGTH = 32
"""How many bytes a hash has."""

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

Position: TypeAlias = tuple[int, int]
"""The level of a complete subtree and its number within that."""

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree at a level and a number."""

Span: TypeAlias = tuple[int, int]
"""Leaves from the first up to, and without, the second."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a subtree, of those of its two halves."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree above the leaves, with its hash."""

    level: int
    index: int
    hash: bytes


class Tree:
    """A tree that grows. It holds no more than one hash for each binary digit of its size."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def of(cls, size: int, read: Read) -> Self:
        """The tree of a size whose complete subtrees can be read."""
        tree = cls()
        tree.size = size
        tree._peaks = [read(*position) for position in complete(0, size)]
        return tree

    def append(self, leaf: bytes) -> list[Node]:
        """Add the hash of a leaf; the subtrees above it that it completes, from below."""
        made = []
        level, index, top = 0, self.size, leaf
        while index & 1:
            top = node_hash(self._peaks.pop(), top)
            level, index = level + 1, index >> 1
            made.append(Node(level, index, top))
        self._peaks.append(top)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of all leaves so far."""
        return _folded(self._peaks)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over the hashes of leaves, read once."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def root(size: int, read: Read) -> bytes:
    """The root of the first leaves, as many as the size says."""
    return _hash((0, size), read)


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """What leads from a leaf to the root of a size, from below (RFC 9162, 2.1.3.1).

    Raises ValueError when there is no such leaf in a tree of that size.
    """
    return [_hash(span, read) for span in inclusion_spans(index, size)]


def consistency_proof(old: int, new: int, read: Read) -> list[bytes]:
    """What shows that a tree begins with a smaller one (RFC 9162, 2.1.4.1).

    Raises ValueError when the old size is larger than the new one, or below 0.
    """
    return [_hash(span, read) for span in consistency_spans(old, new)]


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The subtrees whose hashes are the inclusion proof of a leaf. Raises as `inclusion_proof`.

    >>> inclusion_spans(4, 7)
    [(5, 6), (6, 7), (0, 4)]
    """
    if not 0 <= index < size:
        raise ValueError(f"index: expected a leaf of a tree of {size}")
    spans = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The subtrees whose hashes are the consistency proof. Raises as `consistency_proof`.

    >>> consistency_spans(3, 7)
    [(2, 3), (3, 4), (0, 2), (4, 7)]
    """
    if not 0 <= old <= new:
        raise ValueError(f"old size: expected 0 to {new}")
    if old in {0, new}:
        return []
    spans = []
    start, end = 0, new
    while end != old:
        middle = start + _half(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    # A verifier has the root of the old tree: as long as that is a subtree, it is left out.
    return [*([(start, end)] if start else []), *spans[::-1]]


def complete(start: int, end: int) -> list[Position]:
    """The complete subtrees that a subtree is made of, from the left.

    >>> complete(4, 7)
    [(1, 2), (0, 6)]
    """
    positions = []
    while start < end:
        level = (end - start).bit_length() - 1
        positions.append((level, start >> level))
        start += 1 << level
    return positions


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether a leaf of that hash is at the index, in the tree of that size and root.

    By the steps of RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    at, last = index, size - 1
    so_far = leaf
    for one in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            so_far = node_hash(one, so_far)
            at, last = _risen(at, last)
        else:
            so_far = node_hash(so_far, one)
        at, last = at >> 1, last >> 1
    return last == 0 and so_far == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree of the new size and root begins with that of the old one.

    By the steps of RFC 9162, 2.1.4.2. The empty tree is the beginning of every tree.
    """
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY
    if old & (old - 1) == 0:
        proof = [old_root, *proof]
    if not proof:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    of_old = of_new = proof[0]
    for one in proof[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            of_old, of_new = node_hash(one, of_old), node_hash(one, of_new)
            at, last = _risen(at, last)
        else:
            of_new = node_hash(of_new, one)
        at, last = at >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root


def _hash(span: Span, read: Read) -> bytes:
    return _folded([read(*position) for position in complete(*span)])


def _folded(peaks: Sequence[bytes]) -> bytes:
    """The hash of complete subtrees beside each other, the largest first."""
    if not peaks:
        return EMPTY
    folded = peaks[-1]
    for left in peaks[-2::-1]:
        folded = node_hash(left, folded)
    return folded


def _half(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << ((size - 1).bit_length() - 1)


def _risen(at: int, last: int) -> tuple[int, int]:
    """Past the levels at which a subtree has nothing at its right."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _are_hashes(*found: bytes) -> bool:
    return all(len(one) == LENGTH for one in found)
