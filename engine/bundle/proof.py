"""What holds a bundle to its log: the checkpoint's signature, and each record's way to its root."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.bundle.form import DamagedBundle
from engine.bundle.reading import Bundle, Sealed
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

    @property
    def asks(self) -> bool:
        """Whether there is anything that the file must be held against."""
        return self.held is not None or bool(self.keys)

    def again(self) -> Proof:
        """The same for another file."""
        return Proof(held=self.held, keys=self.keys)

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
        if self.asks and not bundle.leaves:
            return Fault(seq=1, kind="unsealed", what="the file holds no proof of it")
        return None

    def whole(self, found: Sealed | None) -> None:
        """Raises DamagedBundle unless a bundle of a whole tenant has every leaf of the tree."""
        if found is not None and self.sealed != found.head.size:
            missing = found.head.size - self.sealed
            raise DamagedBundle("tenant", f"every record of the tree, but {missing} are not there")


def _continued(held: Head, found: Sealed) -> None:
    head = found.head
    if held.origin != head.origin:
        raise DamagedBundle("checkpoint", f"one of {held.origin}", found=head.origin)
    if held.size > head.size:
        expected = f"one of at least the {held.size} leaves that yours has"
        raise DamagedBundle("checkpoint", expected, found=str(head.size))
    path = () if held.size == head.size else found.continues.get(held.size)
    if path is None or not verify_consistency(held.size, head.size, held.root, head.root, path):
        raise DamagedBundle("checkpoint", f"the proof that it continues yours of {held.size}")


def _verify(public: bytes, message: bytes, signature: bytes) -> bool:
    return signed(public, signature, message)
