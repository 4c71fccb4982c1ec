"""What is kept of courses beside their records, written anew from them where it is not so."""

from __future__ import annotations

from dataclasses import dataclass

from engine.audit import Auditor
from engine.core.history import Fault
from engine.ports import Clock
from engine.store.sql import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What became of a course: which tables were not so, and what is wrong with it still.

    Records that are not whole are the one reason why nothing was written; readings, texts and
    definitions only grow, and what is wrong with those stays.
    """

    course: str
    tables: tuple[str, ...]
    left: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilder:
    """Writes rows of one tenant's courses anew. `auditor` looks at the same database."""

    store: SqlStore
    auditor: Auditor
    clock: Clock

    def rebuild(self, course: str) -> Rebuilt:
        """Let a course's rows be what its records add up to, all of them or none.

        The course is locked meanwhile. Raises NotFound, and StoreUnavailable where it stays locked.
        """
        with self.store.transaction(self.auditor.tenant) as tx:
            tx.head(course, "")
            looked, copies = self.auditor.derived(tx, course)
            if looked.fault is None or copies is None:
                return Rebuilt(course=course, tables=(), left=looked.fault)
            tables = tx.write_anew(copies, self.clock.now())
            left = tx.mismatch(copies)
            fault = None
            if left is not None:
                fault = Fault(seq=looked.records, kind="row", what=str(left), mismatch=left)
            return Rebuilt(course=course, tables=tuple(tables), left=fault)
