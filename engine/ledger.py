"""The ledger of a tenant: all its records in one tree, sealed in the order of their commits.

- Sealing follows the feed, in transactions of its own: whoever writes records never waits for it,
  and it may be stopped between any two statements. However many seal at once, each record has one
  leaf.
- A checkpoint says how large the tree was and what its root, and is signed where there is a key.
- Proofs are made from what is stored, with few reads, however large the tree is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from engine import keys
from engine.core.heads import HeadTree, map_of
from engine.core.ledger import SALT, Checkpoint, Inclusion, sealed
from engine.core.merkle import (
    Position,
    Span,
    complete,
    consistency_proof,
    consistency_spans,
    inclusion_proof,
    inclusion_spans,
    verify_consistency,
)
from engine.core.note import Head, KeyKind, Note, SigningKey, VerifierKey, checked
from engine.errors import InvalidInput, LedgerDivergence, NotFound
from engine.feed import Feed
from engine.ports import Clock
from engine.store.checkpoints import SqlCheckpoints
from engine.store.ledger import SqlLedger
from engine.store.tree import Leaf, StoredTree

AT_ONCE = 500
"""How many records are sealed in one transaction; a writer of SQLite waits for no more."""

UNNAMED = "unnamed.invalid"
"""Whose tree it is where no key has a name for it; no such domain will ever be there."""


class Ledger:
    """The ledger of one tenant.

    `signers` sign its checkpoints, all under one name; `salts` gives so many bytes of chance.
    """

    def __init__(
        self,
        *,
        store: SqlLedger,
        checkpoints: SqlCheckpoints,
        feed: Feed,
        clock: Clock,
        salts: Callable[[int], bytes],
        signers: Sequence[SigningKey] = (),
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._feed = feed
        self._clock = clock
        self._salts = salts
        self._signers = tuple(signers)
        self.tenant = feed.tenant

    @property
    def origin(self) -> str:
        """Whose tree it is, as its checkpoints say."""
        name = self._signers[0].name if self._signers else UNNAMED
        return f"{name}/{self.tenant}"

    @property
    def signers(self) -> tuple[SigningKey, ...]:
        """Who signs: the keys under the name of this tree. Raises InvalidInput for two names."""
        if len({key.name for key in self._signers}) > 1:
            raise InvalidInput(
                keys.VARIABLE, "keys of one name: the name stays when a key is changed"
            )
        if any(key.kind is not KeyKind.LOG for key in self._signers):
            raise InvalidInput(keys.VARIABLE, "a key of a ledger, not of a witness")
        return tuple(keys.named(key, self.origin) for key in self._signers)

    def seal(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Seal what is committed and not sealed yet; how many records were.

        Raises StoreUnavailable, and LedgerDivergence when the tree was damaged.
        """
        came = 0
        while not stop():
            placed = self._feed.sequence()
            came += self._seal(stop)
            if not placed:
                break
        return came

    def sweep(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Look through all records for some that were never sealed, and seal them.

        The feed speaks of every record that this engine writes; one before it spoke of refusals
        may have run on. Raises as `seal` does.
        """
        self._store.sweep_again(self.tenant)
        return self.seal(stop)

    def size(self) -> int:
        """How many leaves the tree has."""
        with self._store.reading(self.tenant) as tree:
            return tree.size()

    def root(self, size: int) -> bytes:
        """The root of the tree of so many leaves. Raises InvalidInput for more than there are."""
        with self._store.reading(self.tenant) as tree:
            return tree.tree(_sized(tree, size)).root()

    def checkpoint(self) -> Checkpoint:
        """Seal what is new, and say how large the tree is and what its root; sign it by every key.

        It says too how far each course has come: see `core.heads`.

        Where nothing changed, the last one stands. Raises as `seal` does, LedgerDivergence also
        when the tree does not begin with that of the checkpoint before, which is then not signed;
        InvalidInput for keys that cannot sign.
        """
        signers = self.signers
        self.seal()
        while (made := self._checkpoint(signers)) is None:
            pass  # somebody else wrote one, and of a larger tree perhaps
        return made

    def last(self) -> Checkpoint | None:
        """The newest checkpoint, with the lines of its witnesses."""
        return self._checkpoints.last(self.tenant)

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every checkpoint, in order."""
        number = 0
        while found := self._checkpoints.after(self.tenant, number):
            yield from found
            number = found[-1].number

    def verifiers(self) -> list[VerifierKey]:
        """Who signed checkpoints so far, and who signs now."""
        mine = [key.verifier for key in self.signers]
        return list(dict.fromkeys([*self._checkpoints.keys(self.tenant), *mine]))

    def witnessed(self, note: Note, witnesses: Iterable[VerifierKey]) -> int:
        """Keep the lines that witnesses added to a checkpoint of this tree; how many were new.

        Raises InvalidInput when it is none of this tree, a line does not hold, or a key is no
        witness's: the ledger's own signature is there already, and says nothing of anybody else.
        """
        witnesses = tuple(witnesses)
        if any(key.kind is not KeyKind.WITNESS for key in witnesses):
            raise InvalidInput("--key", "the key of a witness, not of a ledger")
        found = next((one for one in self.checkpoints() if one.note.text == note.text), None)
        if found is None:
            raise InvalidInput("FILE", "a checkpoint of this ledger")
        seen = checked(note, witnesses, keys.verify)
        if seen.false or not seen.held:
            raise InvalidInput("FILE", "a line of the witness that holds")
        return self._checkpoints.cosign(self.tenant, found.number, seen.held, self._clock.now())

    def proofs(
        self, course: str, seqs: Sequence[int] | None = None, size: int | None = None
    ) -> list[Inclusion]:
        """Proofs that records of a course (else all that are sealed) are in the tree of a size.

        Without a size it is that of now. Records that are not in it are left out. Raises NotFound
        when none is, InvalidInput for a size that the tree has not, and LedgerDivergence.
        """
        with self._store.reading(self.tenant) as tree:
            size = _sized(tree, size)
            found = [leaf for leaf in tree.leaves_of(course, seqs) if leaf.place < size]
            if not found:
                raise NotFound(course)
            return _included(tree, found, size)

    def every_proof(self, size: int | None = None, first: int = 0) -> Iterator[Inclusion]:
        """The proofs of all records in a tree of a size, from a leaf on, in order of the leaves.

        In one pass, with little in memory. Raises as `proofs` does.
        """
        with self._store.reading(self.tenant) as tree:
            size = _sized(tree, size)
            for start in range(first, size, AT_ONCE):
                found = tree.leaves(start, min(start + AT_ONCE, size))
                yield from _included(tree, found, size)

    def heads(self, size: int | None = None) -> HeadTree:
        """How far each course had come in the tree of a size, else that of now, with its proofs.

        Raises InvalidInput for a size that the tree has not.
        """
        with self._store.reading(self.tenant) as tree:
            size = _sized(tree, size)
            return HeadTree.of(size, tree.heads(size))

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the tree of a size (else that of now) begins with an older one.

        Raises InvalidInput for a size that the tree has not, and LedgerDivergence.
        """
        with self._store.reading(self.tenant) as tree:
            new = _sized(tree, new)
            if not 0 <= old <= new:
                raise InvalidInput("old size", f"0 to {new}")
            found = tree.hashes(_positions(consistency_spans(old, new)))
            return consistency_proof(old, new, lambda *position: found[position])

    def _checkpoint(self, signers: Sequence[SigningKey]) -> Checkpoint | None:
        """The next one; `None` where another was written while it was made."""
        before = self._checkpoints.last(self.tenant)
        self._require_origin(before, signers)
        with self._store.reading(self.tenant) as tree:
            size = tree.size()
            root = tree.tree(size).root()
            if before is not None:
                _require_grown(tree, before.head, size, root)
            courses = map_of(size, tree.heads(size))
        verifiers = tuple(key.verifier for key in signers)
        head = Head(origin=self.origin, size=size, root=root, extension=(courses.line(),))
        if before is not None and before.head == head and before.keys == verifiers:
            return before
        text = head.text()
        signed = Note(text=text).with_signatures(*(keys.signature(key, text) for key in signers))
        after = 0 if before is None else before.number
        now = self._clock.now()
        return self._checkpoints.add(self.tenant, head, signed, verifiers, now, after=after)

    def _seal(self, stop: Callable[[], bool]) -> int:
        came = 0
        while not stop():
            batch = self._store.next(self.tenant, AT_ONCE)
            if batch.is_empty:
                break
            leaves, made = [], []
            for place, (course, seq, record_hash) in enumerate(batch.records, batch.before.size):
                salt = self._salts(SALT)
                leaf = Leaf(place, course, seq, salt, sealed(salt, record_hash))
                leaves.append(leaf)
                made += batch.tree.append(leaf.hash)
            # Where somebody else was faster, what is next is something else.
            came += len(leaves) if self._store.append(self.tenant, batch, leaves, made) else 0
        return came

    def _require_origin(self, before: Checkpoint | None, signers: Sequence[SigningKey]) -> None:
        """A tree keeps its name, once it has one: who follows it knows it by that."""
        if before is None or before.head.origin == self.origin:
            return
        if before.signed and signers:
            expected = f"a key of the name before, {before.head.origin.removesuffix(self._tail)}"
            raise InvalidInput(keys.VARIABLE, expected)
        if before.signed:
            raise InvalidInput(
                keys.VARIABLE, "the key that signed before, or another one of its name"
            )

    @property
    def _tail(self) -> str:
        return f"/{self.tenant}"


def _sized(tree: StoredTree, size: int | None) -> int:
    there = tree.size()
    if size is None:
        return there
    if not 0 <= size <= there:
        raise InvalidInput("size", f"0 to {there}, which the ledger has")
    return size


def _included(tree: StoredTree, leaves: Sequence[Leaf], size: int) -> list[Inclusion]:
    spans = {span for leaf in leaves for span in inclusion_spans(leaf.place, size)}
    found = tree.hashes(_positions(spans))
    return [
        Inclusion(
            course=leaf.course,
            seq=leaf.seq,
            index=leaf.place,
            salt=bytes(leaf.salt),
            proof=tuple(inclusion_proof(leaf.place, size, lambda *position: found[position])),
        )
        for leaf in leaves
    ]


def _positions(spans: Iterable[Span]) -> set[Position]:
    return {position for span in spans for position in complete(*span)}


def _require_grown(tree: StoredTree, before: Head, size: int, root: bytes) -> None:
    """Raises LedgerDivergence unless the tree begins with the one of a checkpoint."""
    if before.size > size:
        raise LedgerDivergence(size, f"the last checkpoint has {before.size} leaves")
    found = tree.hashes(_positions(consistency_spans(before.size, size)))
    proof = consistency_proof(before.size, size, lambda *position: found[position])
    if not verify_consistency(before.size, size, before.root, root, proof):
        raise LedgerDivergence(before.size, "it does not begin as the last checkpoint says")
