"""What an auditor asks of a course: is it whole, does it add up, would it be decided so again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.bundle.writing import Exporter
from engine.core.axes import Known, is_retrospective
from engine.core.encoding import Json
from engine.core.event import ADOPTED, ENROLLED
from engine.core.finding import Missing
from engine.core.history import Chain, Fault, Mismatch, replay
from engine.core.machine import Machine
from engine.core.marks import entered_late, marks
from engine.core.playback import Playback
from engine.core.reconsideration import Raised, raised, unreconsidered
from engine.core.record import Record, hash_of
from engine.core.redecision import (
    Difference,
    Relied,
    decide_again,
    lacking_then,
    relying,
)
from engine.core.walk import Machines
from engine.derivation import Derivation
from engine.errors import DefinitionError, InvalidInput, NotFound, UnknownWorkflow
from engine.ports import Calendars, Copies, Store, Transaction
from engine.registry import Registry
from engine.zones import Zones

ALL_GONE = "every record of the course is gone"

_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, InvalidInput)
"""What reading records comes to that are not as they should be."""

NOT_TOLD = "What is believed now cannot be told: `verify` says what is wrong with the course."
"""What is said where `Auditor.believed_variables` gives `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A course that was looked at: how many records, the last one's hash, and the first fault."""

    records: int
    head: str
    fault: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """One tenant's courses, looked at and never changed; each definition once."""

    store: Store
    registry: Registry
    tenant: str
    calendars: Calendars = field(default_factory=Zones)
    _held: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    def courses(self) -> Iterator[str]:
        """Everything that has a row or a record, by name."""
        after = ""
        while True:
            with self.store.transaction(self.tenant, write=False) as tx:
                page = tx.recorded(after)
            yield from page
            if not page:
                return
            after = page[-1]

    def verify(self, course: str) -> Fault | None:
        """The first bad record and what is wrong with it; `None` when the course is whole.

        After the chain, everything that is kept of the course beside its records is held against
        what they add up to, and the definitions against their digests. Raises NotFound.
        """
        return self.look(course).fault

    def look(self, course: str) -> Looked:
        """How many records a course has, the hash of the last one, and the first fault.

        Raises NotFound for what has neither a record nor a row.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            return self.derived(tx, course)[0]

    def replay(self, course: str) -> dict[str, Json]:
        """The row that the records add up to. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return replay(self._records(tx, course)) or {}

    def decide_again(self, course: str) -> list[Difference]:
        """Every difference between the recorded decisions and those of the stored definition.

        Raises NotFound, and UnknownWorkflow when a definition is not stored.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)
            return list(decide_again(records, lambda digest: self.registry.machine(digest, tx)))

    def lacking(self, course: str) -> dict[int, dict[str, tuple[Missing, ...]]]:
        """What the requirements that were not yes lacked, by record and guard. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)
            return dict(lacking_then(records, lambda digest: self.registry.machine(digest, tx)))

    def relied_on(self, course: str, seq: int, input_name: str) -> list[Relied]:
        """The later decisions that could see the reading which a record brought, right or wrong.

        They are flagged, never rewritten. Raises NotFound, and InvalidInput when the record brought
        no such reading.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)

            def machines(digest: str) -> Machine:
                return self.registry.machine(digest, tx)

            _require_reading(records, machines, seq, input_name)
            return list(relying(records, machines, seq, input_name))

    def playback(self, course: str) -> Playback:
        """The course step by step, in each sense of a replay. Raises NotFound.

        Civil times that no record keeps, since nobody looked at them then, are those of today's
        zone data. Raises UnknownWorkflow when a definition is not stored.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)
            digests = dict.fromkeys(json.loads(r.body)["workflow"] for r in records)
            machines = {digest: self.registry.machine(digest, tx) for digest in digests}
        return Playback(course, records, machines.__getitem__, Zones().of)

    def believed_variables(self, course: str) -> Mapping[str, Any] | None:
        """What a course remembers that would be another with what is believed by now, by variable.

        A value that was corrected or came late changes no variable that was made of it: whoever
        disposes of a finding has to know that. `None` where it cannot be told, since the records do
        not add up: `verify` says why. Raises NotFound.
        """
        try:
            return self.playback(course).believed_variables()
        except (UnknownWorkflow, DefinitionError, *_UNREADABLE):
            return None

    def readings(
        self,
        course: str,
        *,
        happened_by: datetime | None = None,
        recorded_by: datetime | None = None,
    ) -> dict[str, list[Known]]:
        """The readings on both time axes, by input: those that had happened, as was known by then.

        Raises NotFound.
        """
        return self.playback(course).readings(happened_by=happened_by, recorded_by=recorded_by)

    def findings(self, course: str) -> list[Raised]:
        """The findings that corrections and late entries raised, with what became of each.

        Raises NotFound.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            return raised(self._records(tx, course))

    def unreconsidered(self, course: str) -> list[int]:
        """The corrections and late entries of which nobody recorded what they change.

        Raises NotFound.

        An engine of before made them, or the records before them did not add up.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)
            return unreconsidered(records, lambda digest: self.registry.machine(digest, tx))

    def late_entries(self, course: str) -> dict[int, int | None]:
        """What was entered late, each with the record that says why, if any. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)
        said, retrospective = marks(records), is_retrospective(records[0])
        late = [r.seq for r in records if entered_late(r, retrospective=retrospective)]
        return {seq: said[seq].late_reason if seq in said else None for seq in late}

    def export(self, course: str) -> bytes:
        """A course in the older form of a bundle, one JSON document. Raises NotFound."""
        return Exporter(store=self.store, tenant=self.tenant, version="").document(course)

    def _records(self, tx: Transaction, course: str) -> list[Record]:
        records = list(tx.records(course))
        if not records:
            raise NotFound(course)
        return records

    def derived(self, tx: Transaction, course: str) -> tuple[Looked, Copies | None]:
        """The same in a transaction, with what has to be kept beside the records.

        That is `None` where they are not whole. Raises NotFound.
        """
        chain = Chain(course, self.tenant)
        made = Derivation(tx, course, lambda digest: self.registry.machine(digest, tx))
        fault, seq, head = None, 0, ""
        for record in tx.records(course):
            seq, head = record.seq, record.hash
            if fault is None:
                fault = chain.fault(record) or self._taken(tx, made, record, chain.body)
        if not seq:
            if tx.row(course) is None:
                raise NotFound(course)
            fault = Fault(seq=1, kind="gap", what=ALL_GONE)
        copies = None if fault is not None else made.copies(self.calendars)
        found = None if copies is None else tx.mismatch(copies)
        if found is not None:
            fault = Fault(seq=seq, kind="row", what=str(found), mismatch=found)
        return Looked(records=seq, head=head, fault=fault), copies

    def _taken(
        self, tx: Transaction, made: Derivation, record: Record, body: Mapping[str, Json]
    ) -> Fault | None:
        """What is wrong with what a record goes by and says, now that its bytes are right."""
        for name in ("workflow", "prose"):
            digest = body[name]
            if digest in self._held:
                continue
            wrong = _definition(tx, digest, is_prose=name == "prose")
            if wrong is not None:
                what = str(wrong)
                return Fault(seq=record.seq, kind="definition", what=what, mismatch=wrong)
            self._held.add(digest)
        try:
            made.take(record, body)
        except (UnknownWorkflow, DefinitionError) as wrong:
            return Fault(seq=record.seq, kind="definition", what=str(wrong))
        except _UNREADABLE as wrong:
            what = f"nothing can be made of what it says ({type(wrong).__name__})"
            return Fault(seq=record.seq, kind="content", what=what)
        return None


def _definition(tx: Transaction, digest: str, *, is_prose: bool) -> Mismatch | None:
    """What is wrong with a definition or its prose that a record names, if anything."""
    table = "regimen_prose" if is_prose else "regimen_definitions"

    def wrong(what: str, column: str | None = None) -> Mismatch:
        return Mismatch(table=table, key={"digest": digest}, what=what, column=column)

    if is_prose:
        prose = tx.prose(digest)
        if prose is None:
            return wrong("it is gone, and records name it")
        return None if _digest(prose) == digest else wrong("does not have its digest", "prose")
    found = tx.definition(digest)
    if found is None:
        return wrong("it is gone, or its prose is, and records name it")
    if _digest(found.semantic) != digest:
        return wrong("does not have its digest", "semantic")
    said = json.loads(found.semantic)
    for column in ("name", "version"):
        if said.get(column) != getattr(found, column):
            return wrong("is not what the definition says", column)
    return None


def _digest(data: bytes) -> str:
    return f"sha256:{hash_of(bytes(data))}"


def _require_reading(
    records: Sequence[Record], machines: Machines, seq: int, input_name: str
) -> None:
    """Raises InvalidInput when no such record brought a reading of the input."""
    body = next((json.loads(r.body) for r in records if r.seq == seq), None)
    if body is None:
        raise InvalidInput("record", f"a record of the course, 1 to {records[-1].seq}")
    brought: set[str] = set()
    if body["event"]["event"] not in (ENROLLED, ADOPTED):
        event = machines(body["workflow"]).forms.reread(body["event"])
        brought = {reading.input for reading in event.readings}
        if event.correction is not None:
            brought.add(event.correction.input)
    if input_name not in brought:
        named = ", ".join(sorted(brought)) or "none, since that record brought no reading"
        raise InvalidInput("input", f"one that record {seq} brought: {named}", found=input_name)
