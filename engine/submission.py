"""One event, from the door to the disk, inside one transaction.

Timers that are due before the event are decided first, each a record, so that no answer depends on
how far a worker lags. What is decided is written at once, with everything that follows from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from engine.admissibility import require_apt, require_in_time, require_permitted, staleness
from engine.answer import Answer, again
from engine.core import row as course_row
from engine.core.calendar import Noting
from engine.core.decision import decide
from engine.core.encoding import Json, instant_from
from engine.core.enrolment import opened
from engine.core.envelope import parse_enrolment, reconsidered_event, timer_event
from engine.core.event import ADOPTED, ENROLLED, Event
from engine.core.evolution import evolve
from engine.core.lookback import readings_for
from engine.core.machine import Machine
from engine.core.outcome import Decision, Refused, lacking
from engine.core.reconsideration import (
    is_ahead,
    late_entry,
    may_inform,
    reconsider,
    tells,
    unreconsidered,
)
from engine.core.record import Record, decision_json
from engine.core.review import Seen
from engine.core.row import snapshot_of
from engine.core.sealing import same_body, seal
from engine.core.snapshot import Snapshot
from engine.core.wire import IDENTIFIER, word
from engine.errors import Conflict, IdempotencyConflict, InvalidInput, NotFound
from engine.formalities import Place, erasable, require_signable, require_signed_words
from engine.logs import log
from engine.past import Past
from engine.ports import Calendars, Clock, Transaction
from engine.recent import Left, Recent, Standing
from engine.recording import Decided, answer_to, booking_of, is_report, recorded, write_of
from engine.registry import Registry
from engine.watching import Unwatched, Watch

TIMERS_AT_ONCE = 1000
"""How many timers of one course are decided in one transaction; a worker goes on with the rest."""


_SHAPE = "an identifier of 1 to 64 letters, digits and . _ : -"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a service decides with: its tenant, the workflows, time, salt and its own version.

    `skew` is how far an event's time may lead the system's clock, `fresh` how long ago a signer may
    have proved who they are. `watch` looks on.
    """

    tenant: str
    registry: Registry
    clock: Clock
    calendars: Calendars
    salt: Callable[[], str]
    version: str
    skew: timedelta = timedelta(minutes=5)
    fresh: timedelta = timedelta(minutes=5)
    recent: Recent = field(default_factory=Recent, compare=False)
    watch: Watch = field(default_factory=Unwatched, compare=False)


class Desk:
    """Takes events inside one transaction. `answers` are all that it gave, timers' included.

    Once the transaction is committed, say so: others then go on from where it left the courses.
    """

    __slots__ = ("_left", "answers", "setting", "tx")

    def __init__(self, *, setting: Setting, tx: Transaction) -> None:
        self.setting = setting
        self.tx = tx
        self.answers: list[Answer] = []
        self._left = Left(setting.recent)

    def submit(self, body: object, *, seen: Seen | None = None) -> Answer:
        """Decide an event; of a sign-off, `seen` is what is known to whoever makes it."""
        if not isinstance(body, dict):
            raise InvalidInput("event", "a JSON object")
        if body.get("event") in (ENROLLED, ADOPTED):
            return self._opened(body)
        course, event_id = _name(body, "course"), _name(body, "id")
        head = self.tx.head(course, event_id)
        if head is None:
            raise NotFound(course)
        standing = self._left.of(head.row)
        row = standing.row
        machine = self.setting.registry.machine(row["digest"], self.tx)
        if head.known is not None:
            return self._again(head.known, body, row)
        event = machine.forms.parse(body)
        require_permitted(machine, event)
        now = self.now(row)
        require_in_time(event, now, skew=self.setting.skew, retrospective=row["retrospective"])
        erased = self._formally(event, standing, machine, now)
        if event.at is not None:
            standing = self.timers(machine, standing, until=event.at, now=now)
        try:
            if (stale := staleness(machine, event, row, standing.row)) is not None:
                raise stale
            require_apt(self.tx, event, standing.row, seen)
        except Conflict:
            # Who waited for the row got it as it is now, with the records of before.
            head = self.tx.head(course, event_id)
            if head is not None and head.known is not None:
                return self._again(head.known, body, standing.row)
            raise
        first = len(self.answers)
        self._decided(machine, standing, event, now, erased=erased)
        answer, last = self.answers[first], self.answers[-1]
        # What follows a correction or late entry is recorded with it: a later request may expect
        # the course then.
        return answer if last is answer else replace(answer, revision=last.revision)

    def _opened(self, body: Mapping[str, Any]) -> Answer:
        event, enrolment = parse_enrolment(body)
        now = self.setting.clock.now()
        head = self.tx.head(event.course, event.id)
        if head is not None:
            if head.known is not None:
                return self._again(head.known, body, json.loads(head.row))
            raise Conflict(event.course, why="the course exists already")
        machine = self.setting.registry.machine(
            self.setting.registry.digest(enrolment.workflow, enrolment.site), self.tx
        )
        require_in_time(event, now, skew=self.setting.skew, retrospective=enrolment.retrospective)
        calendar = Noting(self.setting.calendars.of(enrolment.zone))
        event, texts = seal(event, self.setting.salt)
        after = opened(machine, event, enrolment, calendar, now)
        self._store(
            Decided(
                machine=machine,
                standing=None,
                before=None,
                after=after,
                event=event,
                decision={"verdict": "accepted"},
                calendar=calendar,
                texts=texts,
            )
        )
        return self.answers[-1]

    def _decided(
        self,
        machine: Machine,
        standing: Standing,
        event: Event,
        now: datetime,
        *,
        erased: Sequence[Place] = (),
        noting: Noting | None = None,
    ) -> Standing:
        calendar = noting or Noting(self.setting.calendars.of(standing.row["zone"]))
        event, texts = seal(event, self.setting.salt)
        past = self.past(machine, standing)
        before = self.snapshot(machine, standing, past, event, calendar, now)
        decision = decide(machine, before, event)
        after = evolve(machine, before, event, decision)
        if self._opens_beside_another(machine, before, after, event):
            # What happened is recorded all the same: the course stays closed.
            calendar = Noting(self.setting.calendars.of(standing.row["zone"]))
            before = before.facing(
                calendar=calendar, decided_at=now, readings=before.readings, another_open=True
            )
            decision = decide(machine, before, event)
            after = evolve(machine, before, event, decision)
        left, record = self._store(
            Decided(
                machine=machine,
                standing=standing,
                before=before,
                after=after,
                event=event,
                decision=decision_json(decision),
                calendar=calendar,
                readings=() if isinstance(decision, Refused) else decision.readings,
                texts=texts,
                booking=booking_of(before, event, decision),
                lacks=lacking(decision),
                past=past,
                erased=() if isinstance(decision, Refused) else erased,
            )
        )
        if event.correction is not None or self._informs_earlier(
            before, event, decision, instant_from(standing.row["recorded_at"])
        ):
            told = islice(self.tx.records(record.course), record.seq - 1)
            return self._reconsidered(machine, left, event, [*told, record], now)
        return left

    def _informs_earlier(
        self, before: Snapshot, event: Event, decision: Decision, recorded_at: datetime
    ) -> bool:
        """Whether an event is a late entry that decisions before it would have looked at.

        Refusals do not move the course, so that its latest time is none of theirs. They are looked
        at from the end, as far as records can be of a later time: no event leads the clock by more
        than the skew, and before what told a value in time itself there is none.
        """
        at = event.at
        if at is None or not may_inform(event, decision, retrospective=before.retrospective):
            return False
        if decision.late or at >= recorded_at:
            return decision.late
        seq = before.seq
        while seq > 1 and (record := self.tx.record(event.course, seq)) is not None:
            if is_ahead(record, at):
                return True
            if record.recorded_at + self.setting.skew <= at or tells(record):
                return False
            seq = (late_entry(record) or seq) - 1
        return False

    def reconsider(self, course: str) -> None:
        """Record what corrections and late entries change of which nobody has recorded it yet."""
        head = self.tx.head(course, "")
        if head is None:
            raise NotFound(course)
        standing = self._left.of(head.row)
        machine = self._machine(standing.row["digest"])
        now, records = self.now(standing.row), list(self.tx.records(course))
        for seq in unreconsidered(records, self._machine):
            about = machine.forms.reread(json.loads(records[seq - 1].body)["event"])
            standing = self._reconsidered(machine, standing, about, records[:seq], now)

    def _reconsidered(
        self,
        machine: Machine,
        standing: Standing,
        about: Event,
        records: Sequence[Record],
        now: datetime,
    ) -> Standing:
        """Record which decisions a correction or late entry, the last of the records, changes."""
        noting = Noting(self.setting.calendars.of(standing.row["zone"]))
        try:
            data = reconsider(records, self._machine, noting)
        except (LookupError, ValueError, InvalidInput):
            # The records before it do not add up, which `verify` tells. A correction is recorded
            # all the same, and is listed among those that were not weighed.
            what = "late_entry" if about.correction is None else "correction"
            log.warning(f"{what}_not_weighed", course=about.course, seq=len(records))
            return standing
        event = reconsidered_event(about, len(records), data, records[-1].recorded_at)
        return self._decided(machine, standing, event, now, noting=noting)

    def _machine(self, digest: str) -> Machine:
        return self.setting.registry.machine(digest, self.tx)

    def _opens_beside_another(
        self, machine: Machine, before: Snapshot, after: Snapshot, event: Event
    ) -> bool:
        """Whether a report would open a closed course of a patient who has another open one."""
        if machine.states[after.state].closed or not machine.states[before.state].closed:
            return False
        if not is_report(machine, event):
            return False
        return self.tx.another_open(event.course, before.patient, machine.workflow.name)

    def _store(self, decided: Decided) -> tuple[Standing, Record]:
        setting = self.setting
        record, left = recorded(decided, tenant=setting.tenant, version=setting.version)
        calendar = setting.calendars.of(decided.after.zone)
        self.tx.append(write_of(decided, record, left.stored, calendar=calendar, tx=self.tx))
        self._left.keep(left, instead=decided.standing)
        self.answers.append(answer_to(decided))
        return left, record

    def _again(self, known: Record, body: Mapping[str, Any], row: Mapping[str, Json]) -> Answer:
        recorded = json.loads(known.body)["event"]
        if not same_body(body, recorded, self.tx.texts(known.course, known.seq)):
            raise IdempotencyConflict(known.course, known.event_id)
        return again(known, row)

    def committed(self) -> None:
        """What was decided here is stored now."""
        self._left.committed()

    def due(self, course: str, now: datetime) -> None:
        """Decide the timers of a course that are due at an instant; of very many, the first."""
        head = self.tx.head(course, "")
        if head is None:
            raise NotFound(course)
        standing = self._left.of(head.row)
        machine = self.setting.registry.machine(standing.row["digest"], self.tx)
        self._fire(machine, standing, until=now, now=self.now(standing.row))

    def timers(
        self,
        machine: Machine,
        standing: Standing,
        *,
        until: datetime,
        now: datetime,
    ) -> Standing:
        """Decide the timers that are due, in due order, each a record; the course after them."""
        standing, more = self._fire(machine, standing, until=until, now=now)
        if more:
            raise Conflict(
                standing.row["course"],
                why=f"more than {TIMERS_AT_ONCE} timers are due: let a worker decide them first",
            )
        return standing

    def _fire(
        self, machine: Machine, standing: Standing, *, until: datetime, now: datetime
    ) -> tuple[Standing, bool]:
        """The course after the timers that are due, and whether there are more of them."""
        for fired in range(TIMERS_AT_ONCE + 1):
            row = standing.row
            waiting = [(instant_from(due), name, seq) for name, (due, seq) in row["timers"].items()]
            due, name, seq = min(waiting, default=(until, "", 0))
            if not name or due > until:
                break
            if fired == TIMERS_AT_ONCE:
                return standing, True
            event = timer_event(
                machine.workflow, row["course"], name, machine.timers[name], due=due, armed_seq=seq
            )
            standing = self._decided(machine, standing, event, now)
        return standing, False

    def snapshot(  # noqa: PLR0917  # what a decision is made from
        self,
        machine: Machine,
        standing: Standing,
        past: Past,
        event: Event,
        calendar: Noting,
        now: datetime,
    ) -> Snapshot:
        """What is known of the course when the event is decided."""
        known = standing.snapshot
        if known is None:
            known = snapshot_of(machine, standing.row, calendar=calendar, decided_at=now)
        readings = readings_for(machine, known.latest, event, past.readings)
        return known.facing(calendar=calendar, decided_at=now, readings=readings)

    def past(self, machine: Machine, standing: Standing) -> Past:
        """The readings of the course that a decision may look back at."""
        return Past(machine, self.tx, standing.row["course"], standing.held)

    def now(self, row: Mapping[str, Json]) -> datetime:
        """The system's time, never before the course's last record."""
        return max(self.setting.clock.now(), instant_from(row["recorded_at"]))

    def _formally(
        self, event: Event, standing: Standing, machine: Machine, now: datetime
    ) -> tuple[Place, ...]:
        """What is looked up in the log of a signature or an erasure; the texts to erase."""
        fresh, skew = self.setting.fresh, self.setting.skew
        if event.signing is not None:
            require_signable(self.tx, event, now, fresh=fresh, skew=skew)
        elif event.custody is not None:
            return erasable(self.tx, event)
        elif event.texts and event.id in standing.row.get("signed", ()):
            signed = course_row.sections(machine, standing.row)["signed"]
            require_signed_words(self.tx, event, signed[event.id])
        return ()


def _name(body: Mapping[str, Any], member: str) -> str:
    # Looked at before anything is asked: not every database can be asked for every text.
    return word(body.get(member), member, IDENTIFIER, _SHAPE)
