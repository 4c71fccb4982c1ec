"""A tenant with a few courses of a small workflow, in which every kind of record occurs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.bundle.form import Asked
from engine.bundle.writing import Exporter
from engine.core.note import Head
from engine.store.memory import MemoryStore
from tests.bundle.trees import MemoryTree
from tests.core.crane import CRANE
from tests.service.bench import Bench

FIRST, SECOND, THIRD = "crane-alpha", "crane-beta", "crane-gamma"
KINDS = {
    "course.enrolled", "course.adopted", "course.corrected", "course.reconsidered", "course.booked",
    "course.moved", "course.cancelled", "course.visit_deferred", "course.visit_resumed", "lift",
    "weighed", "lowered", "checked", "check_missed", "scrapped",
}  # fmt: skip
"""What the first course and the third have records of, refusals and deviations among them."""


class Yard:
    """The tenant, its ledger, and bundles of it."""

    def __init__(self, tenant: str = "yard-1") -> None:
        self.bench = Bench(MemoryStore(), tenant)
        self.bench.install(CRANE)
        self.tree = MemoryTree(self.bench.store, tenant)

    def tell(self) -> Yard:
        """The courses, so interleaved that neighbours in the tree are of different ones."""
        for course in (FIRST, SECOND):
            self.says(course, "course.enrolled", "chief", **_enrolment(course))
        self.says(FIRST, "checked", "chief")
        self.says(SECOND, "checked", "chief", reason={"text": f"a secret of {SECOND}"})
        self.says(FIRST, "lift", "driver")
        self.says(FIRST, "weighed", "driver", data={"load": _kg("90"), "wind": "breeze"})
        self.says(SECOND, "weighed", "driver", data={"load": _kg("77.125"), "wind": "calm"})
        self.says(FIRST, "lift", "driver")
        wrong = self.says(
            FIRST, "weighed", "driver", data={"wind": "calm", "load": _kg("95000", "g")}
        )
        self.says(FIRST, "lift", "driver", reason={"text": f"a secret of {FIRST}"})
        self.says(FIRST, "course.corrected", "chief", reason={"code": "typing-error"},
                  data={"record": wrong, "input": "load", "value": _kg("80")})  # fmt: skip
        self.says(FIRST, "scrapped", "chief")
        self.says(FIRST, "lowered", "driver")
        self.bench.clock.advance(days=21)
        self.says(
            FIRST,
            "course.booked",
            "chief",
            data={"booking": "b-1", "visit": "check", "start": "2026-03-26T09:00:00Z"},
        )
        self.says(FIRST, "course.moved", "chief",
                  data={"booking": "b-1", "start": "2026-03-27T09:00:00Z"})  # fmt: skip
        for event in ("course.visit_deferred", "course.visit_resumed"):
            data = {"visit": "check", "number": 1, "until": "2026-03-28"}
            data = data if event.endswith("deferred") else {"visit": "check"}
            self.says(FIRST, event, "chief", data=data, reason={"code": "weather"})
        self.says(FIRST, "course.cancelled", "chief", data={"booking": "b-1"})
        self.says(SECOND, "lift", "driver")
        attested = {"state": "idle", "round": 2, "variables": {"lifts": "4"}}
        self.says(THIRD, "course.adopted", "chief", **_enrolment(THIRD), data=attested)
        self.says(THIRD, "weighed", "driver", data={"load": _kg("600"), "wind": "gale"})
        self.bench.clock.advance(days=40)  # the timer of the first comes back
        self.says(FIRST, "scrapped", "chief")
        return self

    def says(self, course: str, event: str, role: str, **more: Any) -> int:
        """One event, a minute after the one before; the number of its record."""
        self.bench.clock.advance(minutes=1)
        body = self.bench.body(course, event, role) | more
        body["id"] = f"{event}-{body['id']}-of-{course}"
        return self.bench.service.submit(body).seq

    def exported(
        self, path: Path, *courses: str, asked: Asked | None = None, held: Head | None = None
    ) -> Path:
        """A bundle in a file."""
        exporter = self.exporter()
        with path.open("wb") as file:
            file.writelines(exporter.lines(asked or Asked(courses=courses), held))
        return path

    def exporter(self) -> Exporter:
        return Exporter(
            store=self.bench.store, tenant=self.bench.tenant, version="1", tree=self.tree
        )


def _enrolment(course: str) -> dict[str, Any]:
    return {
        "workflow": "crane", "patient": f"owner-of-{course}", "site": f"site-of-{course}",
        "zone": "Europe/Vienna",
    }  # fmt: skip


def _kg(value: str, unit: str = "kg") -> dict[str, str]:
    return {"value": value, "unit": unit}
