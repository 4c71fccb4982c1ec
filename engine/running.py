"""Running courses of one definition, asked what another one would make of them at this moment.

Nothing is written. Only courses that are open and pinned to the first definition are asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from engine.core.encoding import Json, instant_text
from engine.core.event import Event
from engine.core.inquiry import blank
from engine.core.machine import Machine
from engine.core.standpoint import Otherwise, otherwise
from engine.errors import RegimenError
from engine.ports import CourseLine, Definition, Store
from engine.registry import Registry, compiled
from engine.spreading import spread
from engine.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What another definition would make of courses at an instant; it can be sent elsewhere."""

    definition: Definition
    at: datetime


@dataclass(slots=True, kw_only=True)
class Answer:
    """What was found of the running courses at an instant, each once.

    `elsewhere` counts the open courses of other definitions of the workflow, which are not asked.
    `otherwise` are those that would decide otherwise, `unreadable` those that could not be asked.
    """

    at: datetime
    elsewhere: int
    asked: int = 0
    otherwise: list[Otherwise] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def add(self, one: Otherwise | str) -> None:
        """Take in what was found of one more course."""
        self.asked += 1
        if isinstance(one, str):
            self.unreadable.append(one)
        elif one.differs:
            self.otherwise.append(one)

    @property
    def deciding(self) -> int:
        """How many courses see an option or a rule otherwise."""
        return sum(one.decides for one in self.otherwise)

    def counts(self) -> dict[str, list[tuple[Turned, int]]]:
        """How many courses see an option, a rule or a wait turn, the most frequent first."""
        found: dict[str, Counter[Turned]] = {"options": Counter(), "rules": Counter()}
        waits: Counter[Turned] = Counter()
        for one in self.otherwise:
            found["options"].update((t.name, t.before, t.after) for t in one.options)
            found["rules"].update((t.name, t.before, t.after) for t in one.rules)
            waits.update(
                (f"{w.kind} {w.name}", _waits(w.recorded), _waits(w.again)) for w in one.waits
            )
        return {
            name: sorted(counted.items(), key=lambda item: (-item[1], item[0]))
            for name, counted in {**found, "waits": waits}.items()
        }

    def json(self, *, listing: bool) -> dict[str, Json]:
        return {
            "at": instant_text(self.at),
            "asked": self.asked,
            "of_other_definitions": self.elsewhere,
            "decide_otherwise": self.deciding,
            "only_wait_otherwise": len(self.otherwise) - self.deciding,
            **{
                name: [
                    {"name": what, "before": before, "after": after, "courses": courses}
                    for (what, before, after), courses in counted
                ]
                for name, counted in self.counts().items()
            },
            "unreadable": self.unreadable,
            **({"courses": [one.json() for one in self.otherwise]} if listing else {}),
        }


def _waits(said: str | None) -> str:
    return "does not wait" if said is None else "waits"


Turned = tuple[str, str, str]
"""A name, and what it was and is."""


def running(lines: Iterable[CourseLine], digest: str, workflow: str) -> tuple[list[str], int]:
    """The open courses that are pinned to a definition, and how many are to others of its name."""
    pinned: list[str] = []
    elsewhere = 0
    for line in lines:
        if line.open and line.digest == digest:
            pinned.append(line.course)
        elsewhere += line.open and line.workflow == workflow and line.digest != digest
    return pinned, elsewhere


def asked(
    question: Question,
    courses: list[str],
    *,
    open_store: Callable[[], Store],
    tenant: str,
    processes: int = 1,
) -> Iterator[Otherwise | str]:
    """What is otherwise for each course, or why it could not be asked, in their order."""
    plan = _Plan(question=question, open_store=open_store, tenant=tenant)
    yield from spread(plan, courses, processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What every process needs."""

    question: Question
    open_store: Callable[[], Store]
    tenant: str

    def __call__(self) -> _Asker:
        return _Asker(self)


class _Asker:
    """Asks of courses on a connection of its own, each in one transaction that writes nothing."""

    def __init__(self, plan: _Plan) -> None:
        self._store = plan.open_store()
        self._tenant, self._at = plan.tenant, plan.question.at
        self._registry = Registry()
        self._other = compiled(plan.question.definition)
        self._zones = Zones()

    def of(self, course: str) -> Otherwise | str:
        def sent(machine: Machine, name: str) -> Event:
            return blank(machine, course, name, self._at)

        try:
            with self._store.transaction(self._tenant, write=False) as tx:
                return otherwise(
                    tx.records(course),
                    recorded=lambda digest: self._registry.machine(digest, tx),
                    other=lambda _: self._other,
                    zones=self._zones.of,
                    blank=sent,
                )
        except (RegimenError, LookupError, ValueError, TypeError, AttributeError) as wrong:
            return f"{course}: {type(wrong).__name__}: {wrong}"

    def close(self) -> None:
        self._store.close()
