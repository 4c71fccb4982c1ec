"""A bundle is written: as a stream of lines, so that its size does not matter.

- What is read is of one moment. The checkpoint is older than that, so every leaf of its tree is
  there; a record that it does not hold yet goes without a proof, and says so by that.
- Of a leaf the salt travels with its own record alone. The other hashes of a proof are of salted
  leaves: they say nothing of whose they are.
- Free texts stay where they can be erased; the records hold their salted hashes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from engine.bundle.form import (
    FORMAT,
    KIND,
    ONE_DOCUMENT,
    Asked,
    definition_json,
    heads_json,
    leaf_json,
)
from engine.core.encoding import Json, canonical
from engine.core.heads import HeadTree
from engine.core.ledger import Checkpoint, Inclusion
from engine.core.note import Head
from engine.errors import InvalidInput, NotFound
from engine.ports import Store, Transaction


class Tree(Protocol):
    """The ledger, as far as a bundle needs it."""

    def last(self) -> Checkpoint | None:
        """The newest checkpoint."""

    def proofs(self, course: str, seqs: None = None, size: int | None = None) -> list[Inclusion]:
        """Proofs of the records of a course in the tree of a size. Raises NotFound for none."""

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the tree of a size begins with an older one."""

    def heads(self, size: int | None = None) -> HeadTree:
        """How far each course had come in the tree of a size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What went into a bundle: `unsealed` records are newer than its checkpoint."""

    courses: int
    records: int
    unsealed: int
    size: int | None


@dataclass(slots=True, kw_only=True)
class Exporter:
    """Writes bundles of one tenant. `step` is told of each course that was written, of how many."""

    store: Store
    tenant: str
    version: str
    tree: Tree | None = None
    step: Callable[[int], None] = lambda _: None
    written: Written | None = None

    def lines(self, asked: Asked, held: Head | None = None) -> Iterator[bytes]:
        """The lines of a bundle; `held` is the checkpoint that its reader has.

        Raises NotFound for a course that is not there, and InvalidInput where the ledger does not
        go as far as what is held.
        """
        checkpoint = None if self.tree is None else self.tree.last()
        sealed = self._checkpoint(checkpoint, held)
        digest, count = sha256(), 0
        with self.store.transaction(self.tenant, write=False) as tx:
            for part in self._parts(tx, asked, checkpoint, sealed, self._heads(checkpoint, held)):
                line = canonical(part) + b"\n"
                digest.update(line)
                count += 1
                yield line
        end = {"lines": count, "digest": "sha256:" + digest.hexdigest()}
        yield canonical({"end": end}) + b"\n"

    def document(self, course: str) -> bytes:
        """The older form: one JSON document of one course, without proofs. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            records = list(tx.records(course))
            if not records:
                raise NotFound(course)
            digests = dict.fromkeys(json.loads(record.body)["workflow"] for record in records)
            found = [tx.definition(digest) for digest in digests]
        return canonical(
            {
                "format": ONE_DOCUMENT,
                "kind": KIND,
                "tenant": self.tenant,
                "course": course,
                "records": [{"hash": r.hash, "body": r.body.decode()} for r in records],
                "definitions": [definition_json(one) for one in found if one is not None],
            }
        )

    def _parts(
        self,
        tx: Transaction,
        asked: Asked,
        checkpoint: Checkpoint | None,
        sealed: Json,
        heads: Sequence[HeadTree],
    ) -> Iterator[Json]:
        courses = records = unsealed = 0
        digests: dict[str, None] = {}
        for course in _chosen(tx, asked):
            courses, records = courses + 1, records + tx.last_seq(course)
            digests |= dict.fromkeys(_digests(tx, course))
        found = [tx.definition(digest) for digest in sorted(digests)]
        definitions = [one for one in found if one is not None]  # `verify` says which is missing
        yield {
            "kind": KIND,
            "format": FORMAT,
            "tenant": self.tenant,
            "asked": asked.json(),
            "engine": self.version,
            "courses": courses,
            "records": records,
            "definitions": [one.digest for one in definitions],
        }
        yield from ({"definition": definition_json(one)} for one in definitions)
        if sealed is not None:
            yield {"checkpoint": sealed}
        for course in _chosen(tx, asked):
            leaves = self._leaves(course, checkpoint)
            said: dict[str, Json] = {"course": course, "records": tx.last_seq(course)}
            if leaves and heads:
                first = leaves[min(leaves)].index
                proofs = (one.proof(first) for one in heads)
                said["heads"] = heads_json(one for one in proofs if one is not None)
            yield {"course": said}
            for record in tx.records(course):
                said = {"body": record.body.decode(), "hash": record.hash}
                leaf = leaves.get(record.seq)
                if leaf is None:
                    unsealed += 1
                else:
                    said["leaf"] = leaf_json(leaf)
                yield {"record": said}
            self.step(courses)
        size = None if checkpoint is None else checkpoint.head.size
        self.written = Written(courses=courses, records=records, unsealed=unsealed, size=size)

    def _leaves(self, course: str, checkpoint: Checkpoint | None) -> dict[int, Inclusion]:
        if self.tree is None or checkpoint is None:
            return {}
        try:
            found = self.tree.proofs(course, size=checkpoint.head.size)
        except NotFound:  # all its records are newer than the checkpoint
            return {}
        return {one.seq: one for one in found}

    def _heads(self, checkpoint: Checkpoint | None, held: Head | None) -> list[HeadTree]:
        """How far courses had come, as far as the checkpoints say so that it is held against."""
        if self.tree is None or checkpoint is None:
            return []
        said = (checkpoint.head, held)
        sizes = {one.size for one in said if one is not None and one.courses is not None}
        return [self.tree.heads(size) for size in sorted(sizes)]

    def _checkpoint(self, checkpoint: Checkpoint | None, held: Head | None) -> Json:
        if checkpoint is None or self.tree is None:
            if held is not None:
                raise InvalidInput("--checkpoint", "nothing, since no checkpoint was made yet")
            return None
        sealed: dict[str, Json] = {
            "note": checkpoint.note.encode().decode(),
            "keys": [key.text() for key in checkpoint.keys],
        }
        if held is not None:
            if held.origin != checkpoint.head.origin:
                expected = f"a checkpoint of {checkpoint.head.origin}"
                raise InvalidInput("--checkpoint", expected, found=held.origin)
            if held.size > checkpoint.head.size:
                expected = f"a checkpoint of at most {checkpoint.head.size} leaves"
                raise InvalidInput("--checkpoint", expected, found=f"one of {held.size}")
            path = self.tree.consistency(held.size, checkpoint.head.size)
            sealed["consistency"] = [{"size": held.size, "path": [one.hex() for one in path]}]
        return sealed


def _chosen(tx: Transaction, asked: Asked) -> Iterator[str]:
    """The courses that were asked for, by name. Raises NotFound for one that is not there."""
    if asked.courses:
        for course in asked.courses:
            if not tx.last_seq(course):
                raise NotFound(course)
            yield course
        return
    after = ""
    while page := tx.latest(after):
        for course, recorded_at in page:
            # Whole courses: without what came before, nobody can say why something was decided.
            if asked.since is None or (recorded_at is not None and recorded_at >= asked.since):
                yield course
        after = page[-1][0]


def _digests(tx: Transaction, course: str) -> Iterator[str]:
    """The definitions that the records of a course name: the first, and the last, all its life."""
    for seq in (1, tx.last_seq(course)):
        record = tx.record(course, seq)
        if record is not None:
            try:
                yield json.loads(record.body)["workflow"]
            except (KeyError, TypeError, ValueError):  # changed in the database: `verify` says so
                continue
