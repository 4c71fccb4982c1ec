"""A recorded course, record after record, as another definition sees it.

One class for each policy of `what_if`, which says what each of them answers.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import cache

from engine.core.contrast import Aspect, Case, Contrast, Divergence, decided_alike, outcome_of
from engine.core.decision import decide
from engine.core.definition import Kind
from engine.core.encoding import Json
from engine.core.enrolment import opened
from engine.core.envelope import parse_enrolment, timer_event
from engine.core.event import Event
from engine.core.evolution import evolve
from engine.core.history import folded
from engine.core.lookback import readings_for
from engine.core.machine import Machine
from engine.core.outcome import Decision, Refused
from engine.core.projection import (
    Extended,
    Gathered,
    Values,
    projected,
    readable,
    told_of,
    waiting_now,
)
from engine.core.quick import replaced
from engine.core.record import Record
from engine.core.row import changes, first_changes
from engine.core.sight import facts, is_late, latest_time
from engine.core.snapshot import Snapshot
from engine.core.supposition import Supposition, Unjudged, Why
from engine.core.view import Calendar
from engine.errors import InvalidInput

Machines = Callable[[str], Machine]
"""Gives a compiled definition by the digest of the one that a record was decided by."""

Zones = Callable[[str], Calendar]
"""Gives civil time in a zone."""

TIMERS_AT_ONCE = 1000
"""More timers than a sound definition lets come between two events."""


class Following(ABC):
    """A course between two records, as it was recorded and as the other definition sees it."""

    def __init__(self, recorded: Machines, other: Machines, zones: Zones) -> None:
        self._recorded, self._other, self._zones = cache(recorded), cache(other), cache(zones)
        self.contrast = Contrast()
        self.gathered = Gathered()
        self.values = Values()
        self.course = self.digest = ""
        self.row: dict[str, Json] = {}
        self.round = 1  # in which the record was sent
        self.standing: Snapshot | None = None
        self.records = self.judged = 0
        self.divergences: list[Divergence] = []
        self.unjudged: list[Unjudged] = []
        self.decided: list[Decision] = []  # of the last record: its timers first, then its own

    def supposition(self) -> Supposition:
        if not self.records:
            raise ValueError("expected the records of a course, found none")
        return Supposition(
            course=self.course,
            digest=self.digest,
            records=self.records,
            judged=self.judged,
            divergences=tuple(self.divergences),
            unjudged=tuple(self.unjudged),
        )

    def take(self, record: Record) -> None:
        """One more record."""
        body = json.loads(record.body.decode())
        digest = body["workflow"]
        case = Case(record, body, self._recorded(digest), self._other(digest))
        self.records += 1
        self.decided.clear()
        if self.records == 1:
            self.course, self.digest = record.course, digest
            self.row = self.values.row = folded(None, record, body)
            self._open(case)
        elif self.standing is None:
            self._cannot(case, Why.NOT_OPENED, "the other definition could not open the course")
        else:
            self.round = self.row["round"]
            self.row = self.values.row = folded(self.row, record, body)
            self._judge(case, self.standing)

    @abstractmethod
    def _judge(self, case: Case, standing: Snapshot) -> None:
        """Hold a record against the other definition."""

    def _open(self, case: Case) -> None:
        try:
            event, enrolment = parse_enrolment(case.body["event"], sealed=True)
            calendar = Extended(case.body["civil"], self._zones(enrolment.zone))
            after = opened(case.other, event, enrolment, calendar, case.record.recorded_at)
        except InvalidInput as wrong:
            self._cannot(case, Why.UNREADABLE, str(wrong))
            return
        self.judged += 1
        self.standing = after
        told = case.body["changes"]
        if {**first_changes(case.other, after), "digest": "", "prose": ""} != {
            **told, "digest": "", "prose": ""
        }:  # fmt: skip
            self._note(case, event, None, after)

    def _note(
        self,
        case: Case,
        event: Event,
        decision: Decision | None,
        after: Snapshot,
        *,
        parted: bool = False,
    ) -> None:
        found = self.contrast.divergence(case, event, decision, self.values, after, parted=parted)
        if found is not None:
            self.divergences.append(found)

    def _cannot(self, case: Case, why: Why, what: str) -> None:
        record = case.record
        self.unjudged.append(Unjudged(seq=record.seq, event=record.event, why=why, what=what))

    def _decided(self, machine: Machine, before: Snapshot, event: Event) -> Decision:
        decision = decide(machine, before, event)
        self.decided.append(decision)
        return decision

    def _read(self, case: Case) -> Event | None:
        """The event as the other definition reads it; `None`, and noted, where it cannot."""
        try:
            return case.other.forms.reread(readable(case.other, case.body["event"]))
        except InvalidInput as wrong:
            self._cannot(case, Why.UNREADABLE, str(wrong))
            return None

    def _facing(self, case: Case, standing: Snapshot, event: Event) -> Snapshot:
        return standing.facing(
            calendar=Extended(case.body["civil"], self._zones(standing.zone)),
            decided_at=case.record.recorded_at,
            another_open=bool(case.body["decision"].get("another_open")),
            readings=readings_for(case.other, standing.latest, event, self.gathered.load),
        )

    def _observed(self, case: Case, event: Event | None) -> Event:
        """The event with no more than the readings that it brought, in the other's units."""
        if event is not None:
            return event
        was = case.recorded.forms.reread(case.body["event"])
        return told_of(case.recorded, case.other, was)


class FollowingRecorded(Following):
    """From the course as it was recorded, each time."""

    lost: str | None = None
    """The state in which the course is, and which the other definition does not have."""

    def _judge(self, case: Case, standing: Snapshot) -> None:
        event = self._read(case)
        if event is not None and self.lost is not None:
            self._cannot(case, Why.NO_SUCH_STATE, f"it has no state {self.lost!r}")
        elif event is not None and not _waits_for(standing, event):
            self._cannot(case, Why.TIMER_NOT_WAITING, f"no timer {event.timer} for this instant")
        elif event is not None:
            before = self._facing(case, standing, event)
            try:
                decision = self._decided(case.other, before, event)
            except InvalidInput as wrong:
                self._cannot(case, Why.UNREADABLE, str(wrong))
            else:
                self._weigh(case, before, event, decision)
                return
        seen = self._observed(case, event)
        self._go_on(case, self._facing(case, standing, seen), seen, standing)

    def _weigh(self, case: Case, before: Snapshot, event: Event, decision: Decision) -> None:
        self.judged += 1
        after = evolve(case.other, before, event, decision)
        if decided_alike(case.body["decision"], decision) and (
            changes(before, after) == case.body["changes"]
        ):
            if not isinstance(decision, Refused):
                self.gathered.add(decision.readings)
            self.standing = after
            return
        self._go_on(case, before, event, after)
        # What waits is derived from the course as recorded; what is remembered is the decision's.
        shown = replaced(self.standing or after, variables=after.variables)
        self._note(case, event, decision, shown)

    def _go_on(self, case: Case, before: Snapshot, event: Event, own: Snapshot) -> None:
        """From what was recorded; `own` is what the other definition would have made of it."""
        if case.refused:
            signed = self.values.common()["signed"]  # a signature is used up all the same
            self.standing = replaced(before, seq=case.record.seq, signed=signed)
            return
        try:
            added = facts(before, event)
        except InvalidInput:  # it corrects what the other definition does not know of
            added = ()
        self.gathered.add(added)
        latest = self.gathered.latest(forgets=case.other.forgets_errors)
        recorded_at = case.record.recorded_at
        try:
            as_recorded = projected(
                case.recorded, case.other, self.values, own, latest, recorded_at
            )
        except LookupError:
            self.lost = self.row["state"]
            self.standing = replaced(own, latest=latest)
            return
        self.lost = None
        if _waits_alike(case, before, event, as_recorded):
            self.standing = replaced(
                as_recorded, timers=before.timers, visits=before.visits, civil=before.civil
            )
            return
        self.standing = waiting_now(
            case.other,
            as_recorded,
            at=event.at if event.is_clinical else as_recorded.last_at,
            readings=before.readings.adding(added, None),
            calendar=before.calendar,
            late=is_late(before, event),
        )


class Stopping(FollowingRecorded):
    """Until the first difference."""

    def take(self, record: Record) -> None:
        if self.divergences:
            self.records += 1
            self.decided.clear()
        else:
            super().take(record)


class FollowingNew(Following):
    """The course that the other definition would have made of the same events."""

    parted = False
    """Whether the course is not the recorded one any more."""

    def _judge(self, case: Case, standing: Snapshot) -> None:
        event = self._read(case)
        seen = self._observed(case, event)
        own = event.timer if event is not None else None
        found = self._timers(case, standing, case.record.at, own)
        if found is None:
            return
        standing, met = found
        if standing.seq != case.record.seq - 1:
            standing = replaced(standing, seq=case.record.seq - 1)
        before = self._facing(case, standing, seen)
        if event is None:
            self._know(case, before, seen)
        elif own is not None and not met:
            self._cannot(case, Why.TIMER_NOT_WAITING, f"no timer {own} for this instant")
            self.standing = replaced(standing, seq=case.record.seq)
            self.parted = True
        elif self._of_the_recorded_way(case, standing):
            what = f"foreseen in {case.body['state'][0]}, and not in {standing.state}"
            self._cannot(case, Why.OTHER_WAY, what)
            self._know(case, before, seen)
        else:
            self._decide(case, before, event)

    def _decide(self, case: Case, before: Snapshot, event: Event) -> None:
        try:
            decision = self._decided(case.other, before, event)
        except InvalidInput as wrong:
            self._cannot(case, Why.UNREADABLE, str(wrong))
            self._know(case, before, event)
            return
        self.judged += 1
        after = evolve(case.other, before, event, decision)
        if not isinstance(decision, Refused):
            self.gathered.add(decision.readings)
        self.standing = after
        alike = decided_alike(case.body["decision"], decision)
        if alike and not self.parted and changes(before, after) == case.body["changes"]:
            return
        self._note(case, event, decision, after, parted=self.parted)
        self.parted = self.contrast.apart() or (after.state, after.round) != (
            self.row["state"], self.row["round"]
        )  # fmt: skip

    def _timers(
        self, case: Case, standing: Snapshot, until: datetime | None, own: str | None
    ) -> tuple[Snapshot, bool] | None:
        """The course after its timers that are due, and whether the record's own one is next.

        `None` where they do not end.
        """
        for _ in range(TIMERS_AT_ONCE):
            waiting = [(armed.due, name) for name, armed in standing.timers.items()]
            if until is None or not waiting or min(waiting)[0] > until:
                return standing, False
            due, name = min(waiting)
            if (name, due) == (own, until):
                return standing, True
            standing = self._rings(case, standing, name, due)
        self._cannot(case, Why.ENDLESS, f"more than {TIMERS_AT_ONCE} timers would come first")
        self.standing = None
        return None

    def _rings(self, case: Case, standing: Snapshot, name: str, due: datetime) -> Snapshot:
        """The course after a timer that the record does not have."""
        machine, seq = case.other, case.record.seq - 1
        event = timer_event(
            machine.workflow, standing.course, name, machine.timers[name],
            due=due, armed_seq=standing.timers[name].seq,
        )  # fmt: skip
        before = replaced(standing, seq=seq).facing(
            calendar=self._zones(standing.zone),
            decided_at=max(due, standing.decided_at),
            readings=readings_for(machine, standing.latest, event, self.gathered.load),
        )
        decision = self._decided(machine, before, event)
        self.parted = True
        self.divergences.append(
            Divergence(
                seq=seq,
                event=event.name,
                at=due,
                recorded=None,
                again=outcome_of(decision),
                aspects=(Aspect.DECISION,),
                advice_gained=() if isinstance(decision, Refused) else decision.advice,
            )
        )
        after = evolve(machine, before, event, decision)
        if isinstance(decision, Refused):  # it must not come again for the same instant
            return replaced(after, timers={n: a for n, a in after.timers.items() if n != name})
        return after

    def _of_the_recorded_way(self, case: Case, standing: Snapshot) -> bool:
        was = case.body["state"][0]
        if (standing.state, standing.round) == (was, self.round):
            return False
        name = case.record.event
        return _foreseen(case.other, name, was) and not _foreseen(case.other, name, standing.state)

    def _know(self, case: Case, before: Snapshot, event: Event) -> None:
        """Go on with no more than what a report observed."""
        seq = case.record.seq
        declared = case.recorded.events.get(case.record.event)
        self.parted = True
        if case.refused or declared is None or declared.kind is not Kind.REPORT:
            self.standing = replaced(before, seq=seq)
            return
        self.gathered.add(facts(before, event))
        latest = self.gathered.latest(forgets=case.other.forgets_errors)
        self.standing = replaced(before, seq=seq, latest=latest, last_at=latest_time(before, event))


def _waits_alike(case: Case, before: Snapshot, event: Event, after: Snapshot) -> bool:
    """Whether the same timers and visits wait, since all that they follow from is as it was."""
    return (
        event.timer is None
        and (after.digest, after.state, after.round) == (before.digest, before.state, before.round)
        and case.other.steady(after.state)
        and after.variables == before.variables
        and "civil" not in case.body["changes"]
        and not after.arranged
        and not before.arranged
    )


def _waits_for(standing: Snapshot, event: Event) -> bool:
    """Whether an event is of no timer, or of one that waits for its instant."""
    if event.timer is None:
        return True
    armed = standing.timers.get(event.timer)
    return armed is not None and armed.due == event.at


def _foreseen(machine: Machine, event: str, state: str) -> bool:
    """Whether an event leads somewhere from a state, other than into a deviation."""
    return any(not step.transition.deviation for step in machine.steps(event, state))
