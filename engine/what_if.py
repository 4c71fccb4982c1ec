"""Courses of a database, or of files, under another definition: read, asked of the core, counted.

- Nothing is written. Each process has a connection of its own, and reads one course at a time.
- Courses come in the order in which they were named, however many processes there are.
- A course that cannot be read does not stop the others: it is told, with what is wrong with it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, TypedDict

from engine.bundle.reading import Bundle
from engine.core.encoding import Json
from engine.core.following import Machines
from engine.core.following import Zones as Zoned
from engine.core.machine import Machine
from engine.core.record import Record
from engine.core.setting import Set, no_such_parameter, settings_of, with_settings
from engine.core.supposition import Pair, Supposition
from engine.core.tally import Tally, supposition_json
from engine.core.what_if import Policy, side_by_side, what_if
from engine.errors import InvalidInput, RegimenError, UnknownWorkflow
from engine.ports import Definition, Store, Transaction
from engine.registry import Registry, compiled, stored_form
from engine.spreading import spread
from engine.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Another definition, parameters set in the course's own, or parameters set in the other."""

    definition: Definition | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def of(self, recorded: Machine) -> Machine | None:
        """What a definition becomes; `None` for another workflow, which it does not concern.

        Raises InvalidInput for a value that a parameter cannot have.
        """
        base = recorded if self.definition is None else compiled(self.definition)
        if base.workflow.name != recorded.workflow.name:
            return None
        if not self.settings:
            return base
        if self.definition is None and not self.settings.keys() <= _parameters(base):
            return None
        return _amended(base, tuple(sorted(self.settings.items())))

    def changes(self, recorded: Sequence[Machine]) -> tuple[Set, ...]:
        """The parameters that it sets otherwise, in the definitions that it concerns, each once.

        Raises InvalidInput, naming the parameter, where it concerns none of them or sets what
        cannot be set: whoever asks of a thousand courses learns that first.
        """
        amended = [(machine, self.of(machine)) for machine in recorded]
        concerned = [(before, after) for before, after in amended if after is not None]
        if not concerned and recorded:
            raise self._concerns_none(recorded)
        found = [
            one
            for before, after in concerned
            for one in settings_of(before.workflow, after.workflow)
        ]
        return tuple(dict.fromkeys(found))

    def _concerns_none(self, recorded: Sequence[Machine]) -> InvalidInput:
        if self.definition is not None:
            return UnknownWorkflow(
                self.definition.name, {machine.workflow.name for machine in recorded}
            )
        known = {name for machine in recorded for name in _parameters(machine)}
        unknown = next((name for name in self.settings if name not in known), None)
        if unknown is None:
            return InvalidInput("--set", "parameters of one workflow")
        return no_such_parameter(unknown, known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of each course. It can be sent to another process."""

    amendment: Amendment
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconcerned:
    """A course of another workflow, or without the parameters that are set."""

    course: str
    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A course that could not be gone through, and what is wrong with it."""

    course: str
    what: str


Found = Supposition | Unconcerned | Unreadable


@dataclass(slots=True, kw_only=True)
class Answered:
    """What was found of all courses so far; `definition` is the digest of another one.

    `courses` are those that diverge or are not judged whole, unless they are written to `out`, one
    JSON document a line.
    """

    policy: Policy
    definition: str | None
    settings: tuple[Set, ...]
    tally: Tally = field(default_factory=Tally)
    courses: list[Json] = field(default_factory=list)
    unconcerned: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)
    out: IO[str] | None = None

    def add(self, found: Found) -> None:
        """Take in what was found of one more course."""
        match found:
            case Unconcerned():
                self.unconcerned[found.workflow] += 1
            case Unreadable():
                self.unreadable.append(found)
            case Supposition():
                self.tally.add(found)
                if found.divergences or found.unjudged:
                    self._keep(supposition_json(found))

    def _keep(self, course: Json) -> None:
        if self.out is None:
            self.courses.append(course)
        else:
            self.out.write(json.dumps(course, ensure_ascii=False) + "\n")

    def json(self) -> dict[str, Json]:
        return {
            "policy": self.policy.value,
            "definition": self.definition,
            "parameters": [
                {"parameter": s.parameter, "before": s.before, "after": s.after}
                for s in self.settings
            ],
            **self.tally.json(),
            "of_another_workflow": dict(self.unconcerned),
            "unreadable": [{"course": u.course, "what": u.what} for u in self.unreadable],
            **({} if self.out is not None else {"by_course": self.courses}),
        }


class _Held(TypedDict):
    """What records are held against."""

    recorded: Machines
    other: Machines
    zones: Zoned
    policy: Policy


class Supposing:
    """Answers a question of one course after the other."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._others: dict[str, Machine | None] = {}
        self._zones = Zones()

    def of(self, course: str, records: Sequence[Record], recorded: Machines) -> Found:
        """What becomes of a course whose records are these, and why, if nothing does."""
        try:
            lacking = self._lacking(course, records, recorded)
            return lacking or what_if(records, **self._held(recorded))
        except _UNSOUND as wrong:
            return _unreadable(course, wrong)

    def side_by_side(
        self, course: str, records: Sequence[Record], recorded: Machines
    ) -> tuple[Found, tuple[Pair, ...]]:
        """As `of`, with each record beside what the other definition makes of it."""
        try:
            lacking = self._lacking(course, records, recorded)
            return (lacking, ()) if lacking else side_by_side(records, **self._held(recorded))
        except _UNSOUND as wrong:
            return _unreadable(course, wrong), ()

    def of_bundle(self, bundle: Bundle) -> Found:
        """The same of a file. One that is not whole is not gone through."""
        fault = bundle.verify()
        if fault is not None:
            return Unreadable(course=bundle.course, what=str(fault))
        return self.of(bundle.course, bundle.records, bundle.machine)

    def _lacking(
        self, course: str, records: Sequence[Record], recorded: Machines
    ) -> Unconcerned | Unreadable | None:
        """Why nothing can be asked of a course; `None` where something can."""
        if not records:
            return Unreadable(course=course, what="it has no record")
        first = recorded(_digest(records[0]))
        if self._other(first) is None:
            return Unconcerned(course=course, workflow=first.workflow.name)
        return None

    def _held(self, recorded: Machines) -> _Held:
        return {
            "recorded": recorded,
            "other": lambda digest: self._required(recorded(digest)),
            "zones": self._zones.of,
            "policy": self._question.policy,
        }

    def _other(self, recorded: Machine) -> Machine | None:
        if recorded.digest not in self._others:
            self._others[recorded.digest] = self._question.amendment.of(recorded)
        return self._others[recorded.digest]

    def _required(self, recorded: Machine) -> Machine:
        found = self._other(recorded)
        if found is None:
            raise InvalidInput("definition", "one of the workflow of the course")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """The stored courses of a tenant, each read in one transaction that writes nothing."""

    store: Store
    registry: Registry
    tenant: str

    def of(self, course: str, supposing: Supposing) -> Found:
        """What becomes of a course."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return supposing.of(course, list(tx.records(course)), self._recorded(tx))

    def side_by_side(self, course: str, supposing: Supposing) -> tuple[Found, tuple[Pair, ...]]:
        """The same, with each record beside what becomes of it."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return supposing.side_by_side(course, list(tx.records(course)), self._recorded(tx))

    def definition(self, digest: str) -> Definition | None:
        """A stored definition."""
        with self.store.transaction(self.tenant, write=False) as tx:
            return tx.definition(digest)

    def _recorded(self, tx: Transaction) -> Machines:
        return lambda digest: self.registry.machine(digest, tx)


def supposed(
    question: Question,
    courses: Iterable[str],
    *,
    open_store: Callable[[], Store],
    tenant: str,
    processes: int = 1,
) -> Iterator[Found]:
    """What becomes of the courses of a tenant, in their order.

    `open_store` opens the database; each process opens it once, and it can be sent to another one.
    """
    plan = _Plan(question=question, open_store=open_store, tenant=tenant)
    yield from spread(plan, courses, processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What every process needs."""

    question: Question
    open_store: Callable[[], Store]
    tenant: str

    def __call__(self) -> _Reader:
        return _Reader(self)


class _Reader:
    """Reads courses on a connection of its own."""

    def __init__(self, plan: _Plan) -> None:
        self._store = plan.open_store()
        self._courses = Courses(store=self._store, registry=Registry(), tenant=plan.tenant)
        self._supposing = Supposing(plan.question)

    def of(self, course: str) -> Found:
        return self._courses.of(course, self._supposing)

    def close(self) -> None:
        self._store.close()


@lru_cache(maxsize=8)
def _amended(base: Machine, settings: tuple[tuple[str, str], ...]) -> Machine:
    """Compiling costs more than a course: whoever leafs through an answer asks the same again."""
    return compiled(stored_form(with_settings(base.workflow, dict(settings))))


def _parameters(machine: Machine) -> frozenset[str]:
    return frozenset(parameter.name for parameter in machine.workflow.parameters)


def _digest(record: Record) -> str:
    found: str = json.loads(record.body)["workflow"]
    return found


def _unreadable(course: str, wrong: Exception) -> Unreadable:
    return Unreadable(course=course, what=f"{type(wrong).__name__}: {wrong}")


_UNSOUND = (RegimenError, LookupError, ValueError, TypeError, AttributeError)
"""What is raised by records, or by a definition, that are not what an engine wrote."""
