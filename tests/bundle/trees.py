"""A ledger in memory, over the records of a store: what a bundle's proofs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from engine import keys
from engine.core.heads import CourseHead, HeadTree
from engine.core.ledger import Checkpoint, Inclusion, sealed
from engine.core.merkle import Tree, consistency_proof, inclusion_proof
from engine.core.note import Head, KeyKind, Note, SigningKey
from engine.errors import NotFound
from engine.ports import Store

NAME = "clinic.example/ledger"


def key(tenant: str, n: int = 1, kind: KeyKind = KeyKind.LOG) -> SigningKey:
    """The key of a tenant's tree, or a witness's."""
    name = f"{NAME}/{tenant}" if kind is KeyKind.LOG else "witness.example"
    return keys.new_key(name, kind, bytes([n]) * 32)


class MemoryTree:
    """Seals records course by course, in turns, so that neighbours are of other courses."""

    def __init__(self, store: Store, tenant: str, signer: SigningKey | None = None) -> None:
        self.store, self.tenant = store, tenant
        self.signer = signer or key(tenant)
        self.leaves: list[tuple[str, int, bytes, str]] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.tree = Tree()
        self.made: list[Checkpoint] = []
        self.mapped = True

    def seal(self, limit: int | None = None) -> Checkpoint:
        """Seal what is not sealed yet, at most so many records, and make a checkpoint."""
        for course, seq, hashed in self._unsealed()[:limit]:
            salt = sha256(f"{course}/{seq}".encode()).digest()[:16]
            leaf = sealed(salt, hashed)
            self.nodes[0, self.tree.size] = leaf
            self.leaves.append((course, seq, salt, hashed))
            for node in self.tree.append(leaf):
                self.nodes[node.level, node.index] = node.hash
        lines = (self.heads().map.line(),) if self.mapped else ()
        head = Head(
            origin=f"{NAME}/{self.tenant}", size=self.tree.size, root=self.tree.root(),
            extension=lines,
        )  # fmt: skip
        return self.signs(head)

    def signs(self, head: Head) -> Checkpoint:
        """A checkpoint that says this, whether or not it is so."""
        note = Note(text=head.text()).with_signatures(keys.signature(self.signer, head.text()))
        found = Checkpoint(
            number=len(self.made) + 1, at=datetime(2026, 3, 2, tzinfo=UTC), head=head, note=note,
            keys=(self.signer.verifier,),
        )  # fmt: skip
        self.made.append(found)
        return found

    def last(self) -> Checkpoint | None:
        return self.made[-1] if self.made else None

    def proofs(
        self, course: str, seqs: Sequence[int] | None = None, size: int | None = None
    ) -> list[Inclusion]:
        size = self.tree.size if size is None else size
        found = [
            Inclusion(
                course=whose, seq=seq, index=n, salt=salt,
                proof=tuple(inclusion_proof(n, size, self._read)),
            )
            for n, (whose, seq, salt, _) in enumerate(self.leaves[:size])
            if whose == course and (seqs is None or seq in seqs)
        ]  # fmt: skip
        if not found:
            raise NotFound(course)
        return found

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        return consistency_proof(old, self.tree.size if new is None else new, self._read)

    def heads(self, size: int | None = None) -> HeadTree:
        size = self.tree.size if size is None else size
        return HeadTree.of(size, self.heads_at(size))

    def heads_at(self, size: int) -> list[CourseHead]:
        """How far each course had come in the tree of a size."""
        found: dict[str, CourseHead] = {}
        for n, (course, seq, salt, _) in enumerate(self.leaves[:size]):
            first = found[course].first if course in found else n
            leaf = self.nodes[0, n]
            found[course] = CourseHead(first=first, records=seq, salt=salt, leaf=leaf)
        return list(found.values())

    def _read(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def _unsealed(self) -> list[tuple[str, int, str]]:
        there = {(course, seq) for course, seq, _, _ in self.leaves}
        found = []
        with self.store.transaction(self.tenant, write=False) as tx:
            for course in tx.recorded():
                found += [(r.seq, course, r.hash) for r in tx.records(course)]
        return [(c, n, h) for n, c, h in sorted(found) if (c, n) not in there]
