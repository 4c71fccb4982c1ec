"""Courses in every situation that a worklist shows, made by sending events to a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from engine.clinic import Sites
from engine.core.definition import Rule, Signature, Visit, Waits, Workflow
from engine.core.expression import days
from engine.service import Status
from engine.store.sites import SqlSites
from engine.store.sql import SqlStore
from engine.store.worklist import SqlLists
from engine.worklist import Worklists
from tests.core.test_scheduling import started, workflow
from tests.core.tiny import level
from tests.service.bench import Bench
from tests.tenant import HandClock

NOON = datetime(2026, 3, 6, 20, tzinfo=UTC)
"""Friday noon in Los Angeles, evening in Vienna, and Saturday morning in Auckland."""

ZONES = {"north": "America/Los_Angeles", "east": "Europe/Vienna", "far": "Pacific/Auckland"}

WORKDAYS = {
    "format": 1,
    "zone": "America/Los_Angeles",
    "open": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "closures": [{"from": "2026-03-09", "to": "2026-03-09", "reason": "renovation"}],
}


def listed_workflow() -> Workflow:
    """Visits while it runs, a review on hold, a decision in `high`, a rule that needs a level."""
    made = workflow(guards={"too_high": level > 50}, rules=(Rule(guard="too_high", action="tell"),))
    review = Visit(
        name="review",
        places=("halted",),
        number=made.visits[0].number,
        earliest=(started + days(2)).tree(),
        target=(started + days(2)).tree(),
        latest=(started + days(4)).tree(),
    )
    states = tuple(replace(s, waits=Waits.DECISION) if s.name == "high" else s for s in made.states)
    events = tuple(
        replace(e, signature=Signature(meaning="measured", second=True, within=timedelta(days=1)))
        if e.name == "told"
        else e
        for e in made.events
    )
    return replace(made, visits=(*made.visits, review), states=states, events=events)


class Crowd:
    """A tenant with courses to list."""

    def __init__(self, store: SqlStore, tenant: str) -> None:
        self.bench = Bench(store, tenant, clock=HandClock(NOON))
        self.bench.install(listed_workflow())
        self.names: list[str] = []
        self._statuses: dict[str, Status] = {}
        setting = self.bench.service.setting
        parts = {"tenant": tenant, "clock": setting.clock, "calendars": setting.calendars}
        self.sites = Sites(store=SqlSites(store), **parts)
        self.worklists = Worklists(lists=SqlLists(store), registry=setting.registry, **parts)

    def statuses(self) -> Mapping[str, Status]:
        """Where each course stands; asked for once, when nothing more happens."""
        if not self._statuses:
            self._statuses = {name: self.bench.service.status(name) for name in self.names}
        return self._statuses

    def sends(self, course: str, event: str, **data: Any) -> None:
        more = {"reason": {"code": "patient-preference"}} if ".visit_" in event else {}
        body = self.bench.body(course, event, "worker", data=data, **more)
        assert self.bench.service.submit(body).verdict != "refused", event

    def course(self, name: str, site: str = "north", *, begun: date | None = None) -> str:
        """A course, whose visit is due from the day after `begun` to five days after it."""
        self.bench.service.submit(
            self.bench.enrolment(name, workflow="tiny", site=site, zone=ZONES[site])
            | {"actor": {"id": "w", "role": "worker"}}
        )
        self.names.append(name)
        if begun is not None:
            self.sends(name, "noted", started=begun.isoformat(), number=1)
        return name

    def books(self, course: str, start: str, name: str = "b1", **more: Any) -> None:
        self.sends(course, "course.booked", booking=name, visit="visit", start=start, **more)

    def corrects(self, course: str) -> int:
        """Correct a level so that a rule would have held with it; gives the finding's record."""
        submit = self.bench.service.submit
        wrong = submit(self.bench.body(course, "told", "worker", data={"level": 41})).seq
        right = {"record": wrong, "input": "level", "value": 61}
        more = {"data": right, "reason": {"code": "typing-error"}}
        return submit(self.bench.body(course, "course.corrected", "worker", **more)).revision

    def signs(self, course: str, seq: int, who: str, meaning: str) -> None:
        """Sign a record, having proved anew who it is."""
        (record,) = (one for one in self.bench.service.records(course) if one.seq == seq)
        proof = {"kind": "host", "by": who, "at": self.bench.clock.now().isoformat()}
        data = {"record": seq, "hash": record.hash, "meaning": meaning, "printed_name": who,
                "proof": proof}  # fmt: skip
        actor = {"id": who, "role": "worker"}
        body = self.bench.body(course, "course.signed", "worker", data=data, actor=actor)
        assert self.bench.service.submit(body).verdict == "accepted"

    def any_course(self, chance: Random) -> None:
        """One that anything may have happened to."""
        course = self.course(f"c{len(self.names):03}", chance.choice(list(ZONES)))
        if chance.random() < 0.1:
            return
        begun = NOON.date() + timedelta(days=chance.randint(-9, 9))
        gap = NOON + timedelta(hours=chance.randint(-24, 90))
        given = {"given_at": gap.isoformat()} if chance.random() < 0.4 else {}
        self.sends(course, "noted", started=begun.isoformat(), number=chance.randint(1, 2), **given)
        for n in range(chance.choice([0, 0, 1, 1, 2])):
            start = NOON + timedelta(hours=chance.randint(-9 * 24, 12 * 24))
            more = {"number": 2} if chance.random() < 0.2 else {}
            self.books(course, start.isoformat(), f"b{n}", **more)
            if chance.random() < 0.2:
                over = chance.choice(["cancelled", "fulfilled", "arrived"])
                self.sends(course, f"course.{over}", booking=f"b{n}")
        if chance.random() < 0.5:
            self.sends(course, "told", level=chance.randint(1, 40))
        for event in chance.choice([(), (), ("rise",), ("halts",), ("halts",), ("halts", "ended")]):
            self.sends(course, event)
        if not chance.randrange(8):
            self.sends(course, "course.visit_ceased", visit="visit")
        if len(self.names) % 6 == 0:
            self.corrects(course)
