"""What an auditor asks of a course: is it whole, does it add up, would it be decided so again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.bundle.writing import Exporter
from engine.core.axes import Known, is_retrospective
from engine.core.encoding import Json, canonical, instant_from
from engine.core.event import ADOPTED, ENROLLED
from engine.core.finding import Missing
from engine.core.history import Fault, replay, verify
from engine.core.machine import Machine
from engine.core.marks import entered_late, marks
from engine.core.playback import Playback
from engine.core.queues import items_of
from engine.core.reconsideration import Raised, raised, unreconsidered
from engine.core.record import Record
from engine.core.redecision import (
    Difference,
    Relied,
    decide_again,
    lacking_then,
    relying,
)
from engine.core.row import booking_from, window_from
from engine.core.scheduling import LIVE
from engine.core.walk import Machines
from engine.errors import InvalidInput, NotFound
from engine.ports import Store, Transaction
from engine.registry import Registry
from engine.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """One tenant's courses, looked at and never changed."""

    store: Store
    registry: Registry
    tenant: str

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

        After the chain, the row and the tables of timers and visits are held against the replay.
        Raises NotFound.
        """
        return self.counted(course)[1]

    def counted(self, course: str) -> tuple[int, Fault | None]:
        """The same, with how many records the course has. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            records = self._records(tx, course)
            fault = verify(records, course=course, tenant=self.tenant)
            return len(records), fault or self._cache(tx, course, replay(records), records)

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

    def _cache(
        self,
        tx: Transaction,
        course: str,
        row: Mapping[str, Json] | None,
        records: Sequence[Record],
    ) -> Fault | None:
        """Whether row, timers, visits, bookings and queues say what the records add up to."""
        last = records[-1].seq
        if row is None or tx.row(course) != canonical(row):
            what = "the row is not what the records add up to"
            return Fault(seq=last, kind="row", what=what)
        timers, visits = tx.stored_caches(course)
        armed = {name: [item.due, item.seq] for name, item in timers.items()}
        if armed != {name: [instant_from(due), seq] for name, (due, seq) in row["timers"].items()}:
            return Fault(seq=last, kind="row", what="the timers are not those of the records")
        if visits != {name: window_from(items) for name, items in row["visits"].items()}:
            return Fault(seq=last, kind="row", what="the visits are not those of the records")
        live = {name: one for name, one in tx.bookings(course).items() if one.status in LIVE}
        told = row.get("bookings", {})
        if live != {name: booking_from(items) for name, items in told.items()}:
            return Fault(seq=last, kind="row", what="the bookings are not those of the records")
        items = {(item.seq, item.queue): item for item in tx.reviews(course)}
        if items != items_of(records):
            what = "the review queues do not hold what the records say"
            return Fault(seq=last, kind="row", what=what)
        return None


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
