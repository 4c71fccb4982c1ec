"""What holds a bundle to its log: the checkpoint's signature, and each record's way to its root."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.bundle.form import DamagedBundle
from engine.bundle.reading import Bundle, BundleFile, Sealed
from engine.core.heads import head_of
from engine.core.history import Fault
from engine.core.merkle import verify_consistency
from engine.core.note import Head, VerifierKey, checked
from engine.standalone.regimen_verify import signed


@dataclass(slots=True, kw_only=True)
class Proof:
    """Checks what a bundle says of its tree, against what its reader holds.

    `held` is a checkpoint of before, `keys` are those that must have signed. Whoever holds neither
    learns whether the file agrees with itself.
    """

    held: Head | None = None
    keys: tuple[VerifierKey, ...] = ()
    sealed: int = field(default=0, init=False)
    """How many records were found in the tree so far."""
    since_held: int = field(default=0, init=False)
    """How many of them were sealed after the checkpoint that is held."""
    _begun: dict[int, dict[int, int]] = field(
        default_factory=lambda: defaultdict(dict), init=False, repr=False
    )
    """In the map of a tree of a size: the first leaf of the course in each place so far."""

    @property
    def asks(self) -> bool:
        """Whether there is anything that the file must be held against."""
        return self.held is not None or bool(self.keys)

    def again(self) -> Proof:
        """The same for another file."""
        return Proof(held=self.held, keys=self.keys)

    def courses(self, file: BundleFile) -> Iterator[tuple[Bundle, Fault | None]]:
        """Each course of a file, and what is wrong with it first.

        Raises DamagedBundle for what is no single course's fault; what was yielded before it is not
        to be relied on then.
        """
        looked = bad = False
        for course in file.courses():
            if not looked:
                self.checkpoint(file.tenant, file.checkpoint)
                looked = True
            fault = course.verify() or self.records(course, file.checkpoint)
            bad = bad or fault is not None
            yield course, fault
        if not looked:
            self.checkpoint(file.tenant, file.checkpoint)
        if file.whole_tenant and not bad:
            self.whole(file.checkpoint)

    def checkpoint(self, tenant: str, found: Sealed | None) -> None:
        """Raises DamagedBundle unless the checkpoint is signed, and continues what is held."""
        if found is None:
            if self.asks:
                raise DamagedBundle("checkpoint", "one, but the file has none")
            return
        if not found.head.origin.endswith(f"/{tenant}"):
            raise DamagedBundle("checkpoint", f"that of tenant {tenant}", found=found.head.origin)
        wanted = self.keys or found.keys
        held = {key for key, _ in checked(found.note, wanted, _verify).held}
        for key in wanted:
            if key not in held:
                raise DamagedBundle("checkpoint", f"a signature of {key.name} that holds")
        if self.held is not None:
            _continued(self.held, found)

    def records(self, bundle: Bundle, found: Sealed | None) -> Fault | None:
        """The first record of a course that is not in the tree, as it must be."""
        before, unsealed = -1, 0
        for record, leaf in zip(bundle.records, bundle.leaves, strict=False):
            if found is None or leaf is None:
                unsealed += 1
                if self.asks:
                    return Fault(seq=record.seq, kind="unsealed", what="no checkpoint holds it yet")
                continue
            if unsealed:
                what = "it is sealed, and one before it is not"
                return Fault(seq=record.seq, kind="proof", what=what)
            if leaf.index <= before:
                return Fault(seq=record.seq, kind="proof", what="its leaf is out of order")
            if not leaf.holds(record.hash, found.head.size, found.head.root):
                return Fault(seq=record.seq, kind="proof", what="it is not that leaf of the tree")
            before = leaf.index
            self.sealed += 1
            self.since_held += self.held is not None and leaf.index >= self.held.size
        if self.asks and not bundle.leaves:
            return Fault(seq=1, kind="unsealed", what="the file holds no proof of it")
        return self._head(bundle, found)

    def left_out(self, found: Sealed | None) -> int | None:
        """How many records that were sealed since the checkpoint that is held are not in the file.

        Each is of a course that is not in it, where all of the file's courses are whole. `None`
        where that cannot be told: nothing is held, or nothing was sealed since.
        """
        if found is None or self.held is None or found.head.size <= self.held.size:
            return None
        return found.head.size - self.held.size - self.since_held

    def _head(self, bundle: Bundle, found: Sealed | None) -> Fault | None:
        """What is missing at the end of a course, or too much, by a checkpoint that tells."""
        for head in self._heads(found):
            leaves = [one for one in bundle.leaves if one is not None and one.index < head.size]
            if head.courses is None or not leaves:
                continue
            proof = bundle.heads.get(head.size)
            come = head_of(leaves, bundle.records[len(leaves) - 1].hash)
            if proof is None or not proof.holds(come, head.courses):
                what = f"it is not shown to be the last of its course in the tree of {head.size}"
                return Fault(seq=len(leaves), kind="head", what=what)
            self._begun[head.size][proof.place] = leaves[0].index
        return None

    def _heads(self, found: Sealed | None) -> list[Head]:
        """The checkpoints that may tell how far courses had come."""
        return [one for one in (self.held, None if found is None else found.head) if one]

    def whole(self, found: Sealed | None) -> None:
        """Raises DamagedBundle unless a bundle of a whole tenant has every leaf of the tree.

        Its courses must be those of the map too, each once, in the order in which they began.
        """
        if found is not None and self.sealed != found.head.size:
            missing = found.head.size - self.sealed
            raise DamagedBundle("tenant", f"every record of the tree, but {missing} are not there")
        for head in self._heads(found):
            begun = self._begun[head.size]
            firsts = [begun[place] for place in sorted(begun)]
            if head.courses is not None and (
                len(firsts) != head.courses.courses or firsts != sorted(set(firsts))
            ):
                expected = f"each course once, as they began, in the map of the tree of {head.size}"
                raise DamagedBundle("tenant", expected)


def _continued(held: Head, found: Sealed) -> None:
    head = found.head
    if held.origin != head.origin:
        raise DamagedBundle("checkpoint", f"one of {held.origin}", found=head.origin)
    if held.size > head.size:
        expected = f"one of at least the {held.size} leaves that yours has"
        raise DamagedBundle("checkpoint", expected, found=str(head.size))
    if held.courses is not None and head.courses is None:
        raise DamagedBundle("checkpoint", "how far each course had come, which yours says")
    path = () if held.size == head.size else found.continues.get(held.size)
    if path is None or not verify_consistency(held.size, head.size, held.root, head.root, path):
        raise DamagedBundle("checkpoint", f"the proof that it continues yours of {held.size}")


def _verify(public: bytes, message: bytes, signature: bytes) -> bool:
    return signed(public, signature, message)
