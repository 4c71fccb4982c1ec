"""What the demo does, before anybody looks: courses applied, time let pass, everything proved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.audit import Auditor
from engine.core.definition import Kind
from engine.core.encoding import Json, parse
from engine.core.event import ENROLLED
from engine.core.expression import Truth
from engine.errors import InvalidInput, RegimenError
from engine.packages import courses_of
from engine.service import Service, Status
from engine.telling.entry import Entry, entries

Applied = Callable[[str, int], None]
"""Hears of each course that was applied, and of how many events it had."""


@dataclass(slots=True, kw_only=True)
class Shown:
    """One shipped course: where its events come from, and what became of them.

    `entries` and `status` are those before time passes, `now` is how it stands after that. `wrong`
    are events that were not taken.
    """

    course: str
    label: str
    bodies: Sequence[Mapping[str, Json]]
    wrong: list[str] = field(default_factory=list)
    entries: Sequence[Entry] = ()
    status: Status | None = None
    now: Status | None = None
    fault: str | None = None
    differences: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        """How many there are now, timers' included."""
        return 0 if self.now is None else int(self.now.row["seq"])

    @property
    def state(self) -> str:
        """Where it stands now."""
        return "" if self.now is None else str(self.now.row["state"])

    @property
    def not_now(self) -> str | None:
        """A request that would be refused now, for somebody to ask about."""
        options = self.now.options if self.now is not None else ()
        asked = (o for o in options if o.kind is Kind.REQUEST and o.verdict is Truth.NO)
        return next((option.event for option in asked), None)

    @property
    def overridden(self) -> list[Entry]:
        """The records in which an override passed something."""
        return [entry for entry in self.entries if entry.overridden]

    @property
    def moved(self) -> list[Entry]:
        """The records in which a rule moved the course."""
        return [entry for entry in self.entries if entry.moved_by is not None]

    @property
    def refused(self) -> list[Entry]:
        """The records of refusals."""
        return [entry for entry in self.entries if entry.verdict == "refused"]

    @property
    def tells(self) -> tuple[int, int]:
        """How much there is to show of it."""
        reasons = [entry for entry in self.refused if "attempts" in entry.body["decision"]]
        return bool(reasons) + bool(self.overridden) + bool(self.moved), len(self.moved)

    def json(self) -> dict[str, Json]:
        return {
            "course": self.course,
            "label": self.label,
            "events": len(self.bodies),
            "records": self.records,
            "refused": len(self.refused),
            "overridden": len(self.overridden),
            "moved_by_rules": len(self.moved),
            "state_before_time_passed": self.entries[-1].states[1] if self.entries else None,
            "state": self.state,
            "wrong": self.wrong,
            "fault": self.fault,
            "differences": self.differences,
        }


@dataclass(slots=True, kw_only=True)
class Demonstration:
    """All shipped courses, how many timers came back, and how long it took."""

    shown: Sequence[Shown]
    timers: int = 0
    applying: float = 0.0
    waiting: float = 0.0
    proving: float = 0.0

    @property
    def featured(self) -> Shown:
        """The course that has the most to show."""
        return max(self.shown, key=lambda one: one.tells)

    @property
    def proved(self) -> bool:
        """Whether everything was taken, is whole, and would be decided so again."""
        return not any(one.wrong or one.fault or one.differences for one in self.shown)


def shipped(packages: Iterable[str]) -> list[Shown]:
    """The courses that packages of workflows ship, read and not yet applied.

    Raises InvalidInput when there are none.
    """
    found = []
    for file in courses_of(packages):
        bodies = [parse(line) for line in file.read_text("utf-8").splitlines()]
        first = next(body for body in bodies if body["event"] == ENROLLED)
        label = first.get("reason", {}).get("text", "")
        found.append(Shown(course=first["course"], label=label, bodies=bodies))
    if not found:
        raise InvalidInput("REGIMEN_WORKFLOWS", "packages that ship courses")
    return found


def demonstrate(service: Service, shown: Sequence[Shown], applied: Applied) -> Demonstration:
    """Apply the courses, let the time that has passed since come back, and prove all of it."""
    done = Demonstration(shown=shown)
    started = time.perf_counter()
    for one in shown:
        _apply(service, one)
        applied(one.course, len(one.bodies))
    done.applying = time.perf_counter() - started
    started = time.perf_counter()
    while came := service.tick():
        done.timers += came
    done.waiting = time.perf_counter() - started
    started = time.perf_counter()
    for one in shown:
        _prove(service, one)
    done.proving = time.perf_counter() - started
    return done


def _apply(service: Service, one: Shown) -> None:
    for body, answer in zip(one.bodies, service.submit_many(one.bodies), strict=True):
        if isinstance(answer, RegimenError):
            one.wrong.append(f"{body['id']}: {answer}")
    one.entries = entries(service.records(one.course))
    one.status = service.status(one.course, at=_last(one.entries))


def _prove(service: Service, one: Shown) -> None:
    auditor = Auditor(store=service.store, registry=service.setting.registry, tenant=service.tenant)
    fault = auditor.verify(one.course)
    one.fault = None if fault is None else str(fault)
    one.differences = [str(difference) for difference in auditor.decide_again(one.course)]
    one.now = service.status(one.course)


def _last(found: Sequence[Entry]) -> datetime | None:
    return max((entry.at for entry in found if entry.at is not None), default=None)
