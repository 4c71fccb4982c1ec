"""Plausible courses in virtual time, for whoever wants to see a workflow at work.

- The same seed gives the same bytes: names, ids, salts and all times come from it, and a course
  does not depend on how many are told beside it, nor on how many processes tell them.
- A course is told in memory, by the same door that every event passes, with a clock of its own:
  every timer comes back at its own time. Then it is stored in one transaction, or not at all.
- Nothing here knows a workflow: packages offer scenarios, see `engine.scenario`.
"""

from __future__ import annotations

import importlib
import signal
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from engine.answer import Answer
from engine.clock import VirtualClock
from engine.core.encoding import Json, instant_text
from engine.core.event import ENROLLED, FORMAT
from engine.errors import Conflict, InvalidInput, RegimenError, UnknownWorkflow
from engine.logs import log
from engine.ports import Definition, Transaction, Write
from engine.registry import Registry
from engine.scenario import Scenario, Seen, Step, Wait
from engine.service import Service
from engine.store.memory import MemoryStore
from engine.submission import Desk, Setting
from engine.zones import Zones

STEPS_AT_MOST = 20_000
"""More steps than any course has: a scenario that takes them does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a simulated course. Without records it would have begun too late.

    `verdicts` counts its records, `kept_by` the guards that kept refused events out, `passed` those
    that an override passed, and `rules` those that were delivered.
    """

    course: str
    records: int
    state: str | None
    stage: str | None
    verdicts: Mapping[str, int]
    kept_by: Mapping[str, int]
    passed: Mapping[str, int]
    rules: Mapping[str, int]


def simulate(
    service: Service,
    scenario: Scenario,
    *,
    courses: int,
    seed: int,
    start: date,
    until: date | None = None,
    processes: int = 1,
) -> Generator[Told, None, None]:
    """Tell courses that begin from a date on, and store them; each is yielded once it is stored.

    After `until` nothing happens any more: what is stored are courses in the middle of things.
    Raises Conflict before anything is stored when a course of the same name is there, and
    UnknownWorkflow when the service knows no workflow of the scenario.
    """
    numbers = range(1, courses + 1)
    with service.store.transaction(service.tenant, write=False) as tx:
        plan = _planned(service.setting, tx, scenario, seed=seed, start=start, until=until)
        for number in numbers:
            if tx.row(plan.name(number)) is not None:
                raise Conflict(plan.name(number), why="the course exists already")
    for told, writes in _all_told(plan, numbers, min(processes, courses)):
        with service.store.transaction(service.tenant) as tx:
            for write in writes:
                tx.append(write)
        log.info("course_simulated", course=told.course, records=told.records)
        yield told


def scenario_of(packages: Iterable[str], workflow: str | None = None) -> Scenario:
    """The scenario that the packages offer for a workflow, by its name; else their first one.

    Raises UnknownWorkflow, listing the workflows that have one.
    """
    offered: dict[str, Scenario] = {}
    for package in packages:
        try:
            module = importlib.import_module(package)
        except ImportError as wrong:
            raise InvalidInput("package", "one that can be imported", found=package) from wrong
        offered |= getattr(module, "SIMULATIONS", {})
    wanted = next(iter(offered), "") if workflow is None else workflow
    if wanted not in offered:
        raise UnknownWorkflow(wanted, offered)
    return offered[wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What the courses of one simulation have in common; it can be sent to another process."""

    tenant: str
    version: str
    skew: timedelta
    definition: Definition
    scenario: Scenario
    seed: int
    start: datetime
    until: datetime | None

    def name(self, number: int) -> str:
        return f"{self.scenario.prefix}-{self.seed}-{number:05d}"


def _planned(
    setting: Setting,
    tx: Transaction,
    scenario: Scenario,
    *,
    seed: int,
    start: date,
    until: date | None,
) -> _Plan:
    digest = setting.registry.digest(scenario.workflow, site="")
    definition = tx.definition(digest)
    if definition is None:
        raise UnknownWorkflow(digest, ())
    return _Plan(
        tenant=setting.tenant,
        version=setting.version,
        skew=setting.skew,
        definition=definition,
        scenario=scenario,
        seed=seed,
        start=datetime.combine(start, time.min, UTC),
        until=None if until is None else datetime.combine(until, time.max, UTC),
    )


def _all_told(
    plan: _Plan, numbers: Iterable[int], processes: int
) -> Iterator[tuple[Told, list[Write]]]:
    """The courses in order, told by this process or by others."""
    if processes <= 1:
        teller = _Teller(plan)
        yield from map(teller.told, numbers)
        return
    # They take long to import, and who tells a few courses needs none.
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  # see above
    from multiprocessing import get_context  # noqa: PLC0415  # see above

    # A process that is forked from one with threads may inherit a lock that nobody will release.
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_settle, initargs=(plan,)
    ) as pool:
        yield from pool.map(_told_here, numbers, chunksize=4)


_HERE: list[_Teller] = []
"""The teller of a process that does nothing else."""


def _settle(plan: _Plan) -> None:
    # Whoever stops the simulation means the process that stores it: that one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _HERE[:] = [_Teller(plan)]


def _told_here(number: int) -> tuple[Told, list[Write]]:
    return _HERE[0].told(number)


class _Teller:
    """Tells courses of one plan, one after the other, each on a store of its own."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._registry = Registry()

    def told(self, number: int) -> tuple[Told, list[Write]]:
        store = MemoryStore()
        with store.transaction(self._plan.tenant) as memory:
            memory.define(self._plan.definition)
            kept = _Kept(memory)
            course = _Course(self._plan, self._registry, kept, number)
            course.tell()
            stages = self._registry.machine(self._plan.definition.digest, memory).states
        answers = course.desk.answers
        state = answers[-1].state if answers else None
        return (
            Told(
                course=course.name,
                records=len(answers),
                state=state,
                stage=None if state is None else stages[state].stage,
                verdicts=Counter(answer.verdict for answer in answers),
                kept_by=Counter(guard for answer in answers for guard in _kept_by(answer)),
                passed=Counter(guard for answer in answers for guard in _passed(answer)),
                rules=Counter(rule for answer in answers for rule in _delivered(answer)),
            ),
            kept.writes,
        )


class _Course:
    """One course on its way, with its own time, ids and chance."""

    def __init__(self, plan: _Plan, registry: Registry, tx: _Kept, number: int) -> None:
        self.name = plan.name(number)
        self._plan, self._tx = plan, tx
        self._clock = VirtualClock(plan.start)
        self._sent = 0
        origin = f"{plan.scenario.workflow}/{plan.seed}/{number}"
        self._telling = plan.scenario.tell(Random(origin), self.name, plan.start)  # noqa: S311  # it plays
        salts = Random(f"{origin}/salt")  # noqa: S311  # what is simulated hides nobody
        setting = Setting(
            tenant=plan.tenant,
            registry=registry,
            clock=self._clock,
            calendars=Zones(),
            salt=lambda: f"{salts.getrandbits(128):032x}",
            version=plan.version,
            skew=plan.skew,
        )
        self.desk = Desk(setting=setting, tx=tx)

    def tell(self) -> None:
        """Everything that happens until the scenario, or the time of the simulation, is over."""
        try:
            step = next(self._telling)
            for _ in range(STEPS_AT_MOST):
                if self._too_late(step):
                    self._telling.close()
                    return
                step = self._telling.send(self._taken(step))
        except StopIteration:
            return
        raise RuntimeError(f"{self.name}: the scenario does not end")

    def _too_late(self, step: Step) -> bool:
        """Whether the simulation is over before a step; the time that is left then passes."""
        if self._plan.until is None or not isinstance(step, Wait) or step.until <= self._plan.until:
            return False
        self._pass(self._plan.until)
        return True

    def _taken(self, step: Step) -> Seen:
        if isinstance(step, Wait):
            self._pass(step.until)
            return self._seen()
        body = self._envelope(step)
        try:
            answer = self.desk.submit(body)
        except RegimenError as wrong:
            wrong.add_note(f"in simulated course {self.name}: {body}")
            raise
        return self._seen(
            seq=answer.seq,
            verdict=answer.verdict,
            kept_by=_kept_by(answer),
            rules=_delivered(answer),
        )

    def _pass(self, until: datetime) -> None:
        """Let time pass; every timer comes back when it is due, and so do those that it arms."""
        while waiting := self._tx.due_timers(until, 1):
            self._clock.move(waiting[0].due)
            self.desk.due(self.name, self._clock.now())
        self._clock.move(until)

    def _envelope(self, said: Mapping[str, Json]) -> dict[str, Json]:
        self._sent += 1
        body = {
            "format": FORMAT,
            "id": f"e{self._sent}",
            "course": self.name,
            "at": instant_text(self._clock.now()),
            **said,
        }
        if body.get("event") == ENROLLED:
            body.setdefault("workflow", self._plan.definition.digest)
        return body

    def _seen(self, **of_event: Any) -> Seen:  # noqa: ANN401  # the members of Seen
        row = self._tx.row(self.name) or b"{}"
        state = self.desk.answers[-1].state if self.desk.answers else ""
        return Seen(now=self._clock.now(), state=state, row=row, **of_event)


class _Kept:
    """A transaction that keeps what was written, so that it can be written elsewhere too."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.writes: list[Write] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the transaction offers
        return getattr(self._tx, name)

    def append(self, write: Write) -> None:
        self._tx.append(write)
        self.writes.append(write)


def _kept_by(answer: Answer) -> tuple[str, ...]:
    """The guards that kept every way closed to a refused event, each once."""
    if not answer.refused:
        return ()
    attempts = answer.decision.get("attempts", ())
    return tuple(dict.fromkeys(w["guard"] for attempt in attempts for w in attempt["kept_by"]))


def _passed(answer: Answer) -> tuple[str, ...]:
    """The guards that an override passed."""
    return tuple(w["guard"] for w in answer.decision.get("weighed", ()) if w.get("passed"))


def _delivered(answer: Answer) -> tuple[str, ...]:
    """The rules that were delivered with an event."""
    return tuple(f["rule"] for f in answer.decision.get("fired", ()) if f.get("delivered"))
