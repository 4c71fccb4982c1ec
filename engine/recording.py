"""What one decision writes: its record, the row after it, and what is kept beside the two.

Nothing is decided here any more, and nothing is stored yet. What is kept beside the record is what
`derivation` makes again of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.answer import Answer
from engine.core import row as course_row
from engine.core.calendar import Noting
from engine.core.definition import Kind
from engine.core.encoding import Json
from engine.core.entry import IMPOSSIBLE
from engine.core.event import BOOKINGS, Event, Review
from engine.core.finding import Missing
from engine.core.machine import Machine
from engine.core.outcome import Decision, Refused
from engine.core.queues import after_event, queued
from engine.core.quick import quick
from engine.core.record import GENESIS, Record, written
from engine.core.review import Item
from engine.core.scheduling import booked
from engine.core.sealing import SealedText
from engine.core.snapshot import Booking, Snapshot
from engine.core.stored import stored as row_bytes
from engine.core.view import Calendar, Reading
from engine.derivation import against, messages_of
from engine.formalities import Place
from engine.past import Past
from engine.ports import Transaction, Write
from engine.recent import Standing


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An event as it was decided, with the course before and after it.

    `standing` and `before` are `None` where the event opens the course. `calendar` has noted the
    civil dates that were asked for, `past` the readings that were looked back at; `lacks` is what
    requirements that were not yes lack, by guard, and `erased` are the texts that go.
    """

    machine: Machine
    standing: Standing | None
    before: Snapshot | None
    after: Snapshot
    event: Event
    decision: Json
    calendar: Noting
    readings: Sequence[Reading] = ()
    texts: Sequence[SealedText] = ()
    booking: tuple[str, Booking, date] | None = None
    lacks: Mapping[str, tuple[Missing, ...]] = field(default_factory=dict)
    past: Past | None = None
    erased: Sequence[Place] = ()


def recorded(decided: Decided, *, tenant: str, version: str) -> tuple[Record, Standing]:
    """The record of a decision, chained to the one before it, and the course as it is left."""
    machine, event, word = decided.machine, decided.event, decided.decision["verdict"]
    before, after, standing = decided.before, decided.after, decided.standing
    row = None if standing is None else standing.row
    changes = (
        course_row.first_changes(machine, after)
        if before is None
        else course_row.changes(before, after)
    )
    record = written(
        tenant=tenant,
        course=event.course,
        seq=after.seq,
        digest=machine.digest,
        prose_digest=machine.prose_digest,
        version=version,
        event=event.body,
        at=event.at,
        recorded_at=after.decided_at,
        civil=decided.calendar.noted(),
        states=(None if before is None else before.state, after.state),
        decision=decided.decision,
        word=word,
        changes=changes,
        prev_hash=GENESIS if row is None else row["head"],
    )
    new = course_row.patched(
        row,
        changes,
        course=event.course,
        seq=after.seq,
        still=course_row.is_still(event.name, word),
        head=record.hash,
        recorded_at=course_row.stamp(record),
    )
    stored, parts = row_bytes(new, {} if standing is None else standing.parts)
    held = {} if decided.past is None else decided.past.held(decided.readings)
    return record, Standing(new, stored, after, held, parts)


def write_of(
    decided: Decided, record: Record, row: bytes, *, calendar: Calendar, tx: Transaction
) -> Write:
    """All of it, to be stored at once; `row` is the course's after it.

    What speaks against a booking is found anew with each record, by the `calendar` of today; `tx`
    is asked for the review queues that the event is about.
    """
    machine, before, after = decided.machine, decided.before, decided.after
    state = machine.states[after.state]
    return Write(
        before_seq=0 if before is None else before.seq,
        record=record,
        row=row,
        workflow=machine.workflow.name,
        digest=machine.digest,
        patient=after.patient,
        site=after.site,
        zone=after.zone,
        state=after.state,
        stage=state.stage,
        revision=after.revision,
        open=not state.closed,
        waits=state.waits,
        questions=len(after.questions),
        findings=len(after.open_findings),
        unsigned=len(after.unsigned),
        reported=is_report(machine, decided.event),
        conflicts=against(machine, after, calendar),
        readings=decided.readings,
        timers=_difference(before.timers if before else {}, after.timers),
        visits=_difference(before.visits if before else {}, after.visits),
        booking=decided.booking,
        messages=messages_of(decided.event.name, decided.decision),
        texts=decided.texts,
        erased=decided.erased,
        reviews=_reviews(decided, record, tx),
    )


def answer_to(decided: Decided) -> Answer:
    """What the sender hears of it."""
    before, after = decided.before, decided.after
    return Answer(
        course=decided.event.course,
        event=decided.event.name,
        event_id=decided.event.id,
        seq=after.seq,
        revision=after.revision,
        verdict=decided.decision["verdict"],
        digest=decided.machine.digest,
        state_before=None if before is None else before.state,
        state=after.state,
        decision=decided.decision,
        visits=after.visits,
        lacking=decided.lacks,
        unusable=tuple(r for r in decided.readings if r.flaw == IMPOSSIBLE),
    )


def booking_of(
    before: Snapshot, event: Event, decision: Decision
) -> tuple[str, Booking, date] | None:
    """The booking that an event tells of, as it is now; its civil date is noted."""
    if event.scheduling is None or event.name not in BOOKINGS or isinstance(decision, Refused):
        return None
    found = booked(before, event)
    if found is None:
        return None
    return event.scheduling.booking or "", found, before.calendar.civil_date(found.start)


def is_report(machine: Machine, event: Event) -> bool:
    """Whether an event of the workflow states what happened."""
    declared = machine.events.get(event.name)
    return declared is not None and declared.kind is Kind.REPORT


def _reviews(decided: Decided, record: Record, tx: Transaction) -> tuple[Item, ...]:
    """The items of the review queues that a record brings, and those that it changes."""
    before, after, event = decided.before, decided.after, decided.event
    new = queued(record, event.body, decided.decision, retrospective=after.retrospective)
    gone = () if before is None else before.open_findings.keys() - after.open_findings.keys()
    if not gone and not isinstance(event.amendment, Review):
        return new
    named = {int(name) for name in gone}
    if isinstance(event.amendment, Review):
        named.add(event.amendment.record)
    held = [item for seq in sorted(named) for item in tx.reviews(event.course, seq)]
    return (*after_event(held, event, sorted(gone), seq=record.seq), *new)


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    if before is after:
        return {}
    found = {name: item for name, item in after.items() if before.get(name) != item}
    return found | {name: None for name in before if name not in after}
