"""The use cases. Reads, asks the core, writes: nothing about treatment is decided here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from engine.answer import Answer
from engine.core.axes import is_retrospective, known_by
from engine.core.calendar import Noting
from engine.core.encoding import Json, instant_text
from engine.core.inquiry import Option, what_next
from engine.core.inquiry import blank as _blank
from engine.core.machine import Machine
from engine.core.marks import Marks, marks
from engine.core.record import Record
from engine.core.redecision import standing
from engine.core.review import Seen
from engine.core.snapshot import Snapshot
from engine.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegimenError,
    StoreUnavailable,
)
from engine.logs import log
from engine.ports import CourseLine, DueVisit, Search, Store, Transaction, Write
from engine.submission import Desk, Setting
from engine.watching import Watch, use_case

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A course as it stands: its row, its compiled workflow, and what could come next."""

    row: Mapping[str, Json]
    machine: Machine
    snapshot: Snapshot
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A course's row, and its compiled workflow."""

    row: Mapping[str, Json]
    machine: Machine

    @property
    def site(self) -> str:
        return str(self.row["site"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A stored workflow, compiled; `enrolling` when its name stands for it."""

    digest: str
    machine: Machine
    enrolling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Some records in order, and the last one of the moment that they are shown of.

    `marks` are what had been said of records by that moment, by number; of those of which anything
    was. `retrospective` says that the course is told after the fact.
    """

    records: tuple[Record, ...]
    until: int
    marks: Mapping[int, Marks] = field(default_factory=dict)
    retrospective: bool = False


class Service:
    """One tenant's courses in one store.

    `attempts` is how often a writer that lost a race tries. On a host's own transaction (`on`)
    nothing is retried: the host does that with the whole of its transaction.
    """

    def __init__(self, store: Store, setting: Setting, *, attempts: int = 5) -> None:
        self.store = store
        self.setting = setting
        self._attempts = attempts

    def on(self, store: Store) -> Service:
        """The same service on a host's transaction: joined, never committed, never retried."""
        return Service(store, self.setting, attempts=1)

    # --- writing ------------------------------------------------------------------------------

    @use_case
    def submit(self, body: object, *, seen: Seen | None = None) -> Answer:
        """Decide an event and record the decision; the same event again gets the same answer.

        With `seen` a sign-off is recorded only where nobody signed the record off since. A refusal
        is an answer, not an error. Raises InvalidInput (naming the field), NotFound, NotPermitted,
        IdempotencyConflict when the id was used for another body, Conflict when the expected
        revision is stale or other writers kept moving the course, StoreUnavailable.
        Timers that were due before a stale request are recorded with it.
        """
        # Most events meet no other. One that lost a race waits in line.
        alone = partial(self._one, body, seen, alone=True)
        return self._retried(partial(self._one, body, seen), first=alone)

    @use_case
    def submit_many(self, bodies: Iterable[object]) -> list[Answer | RegimenError]:
        """Decide events in one transaction, in order; what is malformed gets its error instead.

        All decisions commit together. Raises Conflict and StoreUnavailable for the whole of it.
        """
        sent = list(bodies)
        return self._retried(lambda: self._many(sent))

    @use_case
    def dry_run(self, body: object) -> Answer:
        """The answer that an event would get now; nothing is written.

        Another open course of the patient is looked for where a report would reopen this one.
        Where a course would begin, or reopen by request, only writing shows that there is another.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            return Desk(setting=self.setting, tx=_Kept(tx)).submit(body)

    def reconsider(self, course: str) -> int:
        """Weigh again what corrections change of which nobody recorded it; how many there were.

        A correction is weighed with it: these were recorded by an engine that did not. Raises
        NotFound.
        """
        with self.store.transaction(self.tenant) as tx:
            desk = Desk(setting=self.setting, tx=tx)
            desk.reconsider(course)
        _done(desk)
        return len(desk.answers)

    def tick(self, *, limit: int = 100) -> int:
        """Let the timers that are due come back as events; how many did, none when all have.

        However many workers race, each timer has exactly one effect: its event has a derived id,
        and the course's row decides who is first. `limit` is how many timers are looked at at once.
        """
        now = self.setting.clock.now()
        tried: dict[str, None] = {}
        asked = limit
        while True:
            with self.store.transaction(self.tenant, write=False) as tx:
                due = tx.due_timers(now, asked)
            courses = dict.fromkeys(one.course for one in due if one.course not in tried)
            fired = sum(self._fired(course, now) for course in courses)
            if fired or len(due) < asked:
                return fired
            # None of these can be decided: those that wait behind them must not wait for ever.
            tried |= courses
            asked += limit

    # --- asking -------------------------------------------------------------------------------

    @use_case
    def status(self, course: str, *, at: datetime | None = None) -> Status:
        """Where a course stands and what could come next, at a time (else now)."""
        when = at or self.setting.clock.now()
        with self.store.transaction(self.tenant, write=False) as tx:
            stored = tx.row(course)
            if stored is None:
                raise NotFound(course)
            standing = self.setting.recent.of(stored)
            row = standing.row
            machine = self.setting.registry.machine(row["digest"], tx)
            now = Noting(self.setting.calendars.of(row["zone"]))
            blank = _blank(machine, course, next(iter(machine.events)), when)
            desk = Desk(setting=self.setting, tx=tx)
            past = desk.past(machine, standing)
            snapshot = desk.snapshot(machine, standing, past, blank, now, when)
            options = what_next(machine, snapshot, lambda name: _blank(machine, course, name, when))
            return Status(row=row, machine=machine, snapshot=snapshot, options=options)

    @use_case
    def standing(
        self,
        course: str,
        *,
        at: datetime,
        recorded_by: datetime | None = None,
        happened_by: datetime | None = None,
    ) -> tuple[Status, int]:
        """Where a course stood at an instant, as the system knew it then, from how many records.

        Those count that were recorded by then; of a retrospective course, which is told after the
        fact, those up to the first that happened later. Where `recorded_by` or `happened_by` is
        given, these count instead. Raises NotFound, and InvalidInput when there was none yet.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            records = list(tx.records(course))
            if not records:
                raise NotFound(course)
            first = records[0]
            begun = first.recorded_at
            if recorded_by is None and happened_by is None:
                if is_retrospective(first):
                    happened_by, begun = at, first.at or begun
                else:
                    recorded_by = at
            told = known_by(records, recorded_by=recorded_by, happened_by=happened_by)
            found = standing(
                told,
                lambda digest: self.setting.registry.machine(digest, tx),
                lambda machine: _blank(machine, course, next(iter(machine.events)), at),
                lambda zone: Noting(self.setting.calendars.of(zone)),
            )
        if found is None:
            since = instant_text(begun)
            raise InvalidInput("at", f"an instant from {since} on, when the course became known")
        row, machine, snapshot = found
        options = what_next(machine, snapshot, lambda name: _blank(machine, course, name, at))
        status = Status(row=row, machine=machine, snapshot=snapshot, options=options)
        return status, len(told)

    @use_case
    def records(self, course: str, after: int = 0) -> list[Record]:
        """The records of a course. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            found = list(tx.records(course, after))
            if not found and tx.row(course) is None:
                raise NotFound(course)
            return found

    @use_case
    def place(self, course: str) -> Place:
        """Where a course is treated, and by which compiled workflow. Raises NotFound."""
        with self.store.transaction(self.tenant, write=False) as tx:
            stored = tx.row(course)
            if stored is None:
                raise NotFound(course)
            row = self.setting.recent.of(stored).row
            return Place(row=row, machine=self.setting.registry.machine(row["digest"], tx))

    def expected(self, course: str, event_id: str) -> int | None:
        """The revision that a recorded event said it expects, if there is one of that id."""
        with self.store.transaction(self.tenant, write=False) as tx:
            head = tx.head(course, event_id)
        if head is None or head.known is None:
            return None
        found: int | None = json.loads(head.known.body)["event"].get("expected_revision")
        return found

    @use_case
    def page(
        self, course: str, *, after: int = 0, until: int | None = None, limit: int = 100
    ) -> RecordPage:
        """Records after one and up to another, at most so many. Raises NotFound.

        Without `until`, up to the last there is: given again with the next page, the pages show
        the log of one moment, since it only grows.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            last = tx.last_seq(course)
            if not last:
                raise NotFound(course)
            end = last if until is None else min(until, last)
            found = islice(tx.records(course, after), min(limit, max(end - after, 0)))
            said = marks(one for one in tx.amendments(course) if one.seq <= end)
            first = next(iter(tx.records(course)))
            return RecordPage(
                records=tuple(found),
                until=end,
                marks=said,
                retrospective=is_retrospective(first),
            )

    @use_case
    def search(self, wanted: Search, *, after: str = "", limit: int = 100) -> Sequence[CourseLine]:
        """The courses that are looked for, by name."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return tx.search(wanted, after, limit)

    @use_case
    def workflows(self) -> Sequence[Known]:
        """Every stored workflow, by name and version."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return [self._known(one.digest, tx) for one in tx.definitions()]

    @use_case
    def workflow(self, name: str) -> Known:
        """The workflow that a name, `name@version` or digest stands for.

        Raises UnknownWorkflow when it stands for none, or is not stored.
        """
        with self.store.transaction(self.tenant, write=False) as tx:
            return self._known(self.setting.registry.digest(name, ""), tx)

    def courses(self) -> Iterator[CourseLine]:
        """Every course of the tenant, by name."""
        after = ""
        while True:
            with self.store.transaction(self.tenant, write=False) as tx:
                page = tx.courses(after)
            yield from page
            if not page:
                return
            after = page[-1].course

    def due(self, *, until: date, site: str | None = None) -> Sequence[DueVisit]:
        """The visits whose window has opened or opens by a date."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return tx.visits(until, site)

    # --- how ------------------------------------------------------------------------------------

    @property
    def tenant(self) -> str:
        return self.setting.tenant

    @property
    def watch(self) -> Watch:
        return self.setting.watch

    def _known(self, digest: str, tx: Transaction) -> Known:
        registry = self.setting.registry
        machine = registry.machine(digest, tx)
        return Known(
            digest=digest,
            machine=machine,
            enrolling=registry.stands_for(machine.workflow.name, digest),
        )

    def _one(self, body: object, seen: Seen | None, *, alone: bool = False) -> Answer:
        with self.store.transaction(self.tenant, alone=alone) as tx:
            desk = Desk(setting=self.setting, tx=tx)
            answer: Answer | Conflict
            try:
                answer = desk.submit(body, seen=seen)
            except Conflict as stale:
                if stale.expected is None or not desk.answers:
                    raise
                # The timers that were due fired all the same: else nobody could read what they
                # made of the course, and be in time, before a worker runs.
                answer = stale
        _done(desk)
        if isinstance(answer, Conflict):
            raise answer
        return answer

    def _many(self, bodies: Sequence[object]) -> list[Answer | RegimenError]:
        answers: list[Answer | RegimenError] = []
        with self.store.transaction(self.tenant) as tx:
            desk = Desk(setting=self.setting, tx=tx)
            for body in bodies:
                try:
                    answers.append(desk.submit(body))
                except (InvalidInput, NotFound, NotPermitted, IdempotencyConflict) as wrong:
                    answers.append(wrong)
                except Conflict as lost:
                    if lost.retriable:
                        raise
                    answers.append(lost)
        _done(desk)
        return answers

    def _fired(self, course: str, now: datetime) -> int:
        """How many timers fired; a course that cannot be decided must not stop the others."""
        try:
            return self._retried(partial(self._fire, course, now))
        except StoreUnavailable:
            raise
        except Exception as wrong:  # noqa: BLE001  # a damaged row, or a definition of a newer engine
            log.error("timers_failed", course=course, error=type(wrong).__name__)
            return 0

    def _fire(self, course: str, now: datetime) -> int:
        with self.store.transaction(self.tenant) as tx:
            desk = Desk(setting=self.setting, tx=tx)
            desk.due(course, now)
        _done(desk)
        return len(desk.answers)

    def _retried(self, work: Callable[[], _T], *, first: Callable[[], _T] | None = None) -> _T:
        attempt = first or work
        for left in range(self._attempts - 1, 0, -1):
            try:
                return attempt()
            except Conflict as lost:
                if not lost.retriable:
                    raise
                log.debug("race_lost", course=lost.course, attempts_left=left)
                attempt = work
        return attempt()


def _done(desk: Desk) -> None:
    """After the commit: one line per decision; no clinical content, and a state may be that."""
    desk.committed()
    line = log.bind()  # the logger is put together once, and not for every line
    for answer in desk.answers:
        desk.setting.watch.decided(answer.verdict)
        line.info(
            "event_decided",
            course=answer.course,
            event_name=answer.event,
            verdict=answer.verdict,
            seq=answer.seq,
        )


class _Kept:
    """A transaction whose writes are kept back, so that an event can be tried."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the transaction offers
        return getattr(self._tx, name)

    def append(self, write: Write) -> None:
        """Nothing: what would follow is in the answer."""
