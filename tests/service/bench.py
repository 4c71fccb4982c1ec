"""A tenant's service on a store, with a clock that the test sets, and events to send to it.

The workflow is that of an instrument: few fields, one threshold, one timer.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from engine.answer import Answer
from engine.audit import Auditor
from engine.core.definition import Workflow
from engine.core.encoding import Json, instant_text
from engine.core.record import Record
from engine.ports import Store
from engine.registry import Registry
from tests.tenant import HandClock, tenant_service
from workflows import instrument_calibration

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
INSTRUMENT = instrument_calibration.WORKFLOW

GOOD = {
    "deviation": {"value": "3", "unit": "um"},
    "room_temperature": {"value": "20", "unit": "Cel"},
}
BAD = {"deviation": {"value": "12", "unit": "um"}}


@dataclass
class Bench:
    """A tenant of a store, so that tests that share a database do not meet."""

    store: Store
    tenant: str
    registry: Registry = field(default_factory=Registry)
    clock: HandClock = field(default_factory=lambda: HandClock(NOW))

    def __post_init__(self) -> None:
        self.ids = itertools.count(1)
        self.service = tenant_service(
            self.store, self.tenant, registry=self.registry, clock=self.clock
        )
        self.auditor = Auditor(store=self.store, registry=self.registry, tenant=self.tenant)

    def beside(self) -> Self:
        """Another tenant of the same store, who knows nothing of this one."""
        return replace(self, tenant=f"{self.tenant}-b", registry=Registry(), clock=HandClock(NOW))

    def install(self, *workflows: Workflow, site: str | None = None) -> tuple[str, ...]:
        with self.store.transaction(self.tenant) as tx:
            return self.registry.install(workflows, tx, site=site)

    # --- events -------------------------------------------------------------------------------

    def body(
        self, course: str, event: str, role: str = "metrologist", **more: Any
    ) -> dict[str, Any]:
        """An event of now, with an id of its own unless one is given."""
        return {
            "format": 1,
            "id": f"e{next(self.ids)}",
            "course": course,
            "event": event,
            "at": instant_text(self.clock.now()),
            "actor": {"id": f"{role}-1", "role": role},
        } | more

    def enrolment(self, course: str, **more: Any) -> dict[str, Any]:
        return (
            self.body(
                course,
                "course.enrolled",
                workflow="instrument_calibration",
                patient=f"patient-of-{course}",
                site="north",
                zone="Europe/Vienna",
            )
            | more
        )

    def measurement(
        self, course: str, data: Mapping[str, Json] = GOOD, **more: Any
    ) -> dict[str, Any]:
        return self.body(course, "measurement_recorded", data=dict(data)) | more

    def release(self, course: str, **more: Any) -> dict[str, Any]:
        return self.body(course, "release_instrument") | more

    # --- courses ------------------------------------------------------------------------------

    def enrolled(self, *courses: str) -> Answer:
        """Courses on the bench; the answer to the last enrolment."""
        return [self.service.submit(self.enrolment(course)) for course in courses][-1]

    def in_service(self, *courses: str) -> None:
        """Courses of released instruments, each with a timer that waits for a year and a week."""
        for course in courses:
            self.enrolled(course)
            self.service.submit(self.measurement(course))
            assert self.service.submit(self.release(course)).verdict == "accepted"

    def records(self, course: str) -> list[Record]:
        return self.service.records(course)

    def events(self, course: str) -> list[str]:
        return [record.event for record in self.records(course)]

    def state(self, course: str) -> str:
        state: str = self.row(course)["state"]
        return state

    def row(self, course: str) -> dict[str, Any]:
        with self.store.transaction(self.tenant, write=False) as tx:
            row: dict[str, Any] = json.loads(tx.row(course) or b"{}")
        return row

    def proved(self, *courses: str) -> bool:
        """Whether each course is whole and would be decided so again; shows what is wrong."""
        for course in courses:
            fault = self.auditor.verify(course)
            assert fault is None, str(fault)
            assert self.auditor.decide_again(course) == []
        return True


def said(records: Iterable[Record]) -> list[Mapping[str, Json]]:
    """What records say apart from whose and when they were recorded, and the hashes that follow."""
    found = []
    for record in records:
        body = json.loads(record.body)
        for member in ("tenant", "recorded_at", "prev"):
            del body[member]
        found.append(body)
    return found
