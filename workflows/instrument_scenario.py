"""A plausible life of a measuring instrument: constructed, like its frequencies."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from engine.core.encoding import Json
from engine.scenario import Scenario, Seen, Telling, Wait
from workflows.instrument_calibration import WORKFLOW

YEARS = 3


def tell(rng: Random, course: str, start: datetime) -> Telling[None]:
    """Some years of use, with a calibration every year, now and then a forgotten one."""
    seen = yield Wait(until=start + timedelta(days=rng.randrange(60), hours=15))
    seen = yield {
        "event": "course.enrolled",
        "actor": {"id": "bench-1", "role": "metrologist"},
        "patient": f"G-{course}",
        "site": "gauge-room",
        "zone": "Europe/Berlin",
    }
    end = seen.now + timedelta(days=365 * YEARS)
    while seen.now < end and seen.state != "scrapped":
        seen = yield from _on_bench(rng, seen) if seen.state == "on_bench" else _used(rng, seen)


def _on_bench(rng: Random, seen: Seen) -> Telling[Seen]:
    """Measured until it may be released, or given up."""
    seen = yield Wait(until=seen.now + timedelta(hours=rng.randint(1, 30)))
    seen = yield _measured(rng, worn=0.1)
    if rng.random() < 0.05:
        return (yield _says("instrument_scrapped"))
    seen = yield _says("release_instrument")
    if seen.kept_by == ("room_near_reference",) and rng.random() < 0.5:
        passing = {"code": "expansion-corrected", "guards": ["room_near_reference"]}
        seen = yield {**_says("release_instrument"), "override": passing}
    return seen


def _used(rng: Random, seen: Seen) -> Telling[Seen]:
    """In service it is checked every few weeks; withdrawn or overdue it comes back, in the end."""
    if seen.state != "in_service":
        seen = yield Wait(until=seen.now + timedelta(days=rng.randint(1, 20)))
        return (yield _says("returned_to_bench", "technician"))
    seen = yield Wait(until=seen.now + timedelta(days=rng.randint(10, 45)))
    due_on = seen.variables.get("due_on")
    if seen.state == "in_service" and due_on is not None:
        near = seen.now + timedelta(days=30) > datetime.fromisoformat(f"{due_on}T00:00:00+00:00")
        if near and rng.random() < 0.8:
            return (yield _says("returned_to_bench", "technician"))
    return (yield _measured(rng, worn=0.03))


def _measured(rng: Random, *, worn: float) -> dict[str, Json]:
    """A measurement beside the gauge block; the worn lie above the limit."""
    tenths = rng.randint(51, 90) if rng.random() < worn else rng.randint(5, 50)
    data: dict[str, Json] = {"deviation": {"value": str(tenths / 10), "unit": "um"}}
    if rng.random() < 0.9:
        room = rng.choice(("19.5", "20", "20.4", "20.4", "22.5"))
        data["room_temperature"] = {"value": room, "unit": "Cel"}
    return {**_says("measurement_recorded", "technician"), "data": data}


def _says(event: str, role: str = "metrologist") -> dict[str, Json]:
    return {"event": event, "actor": {"id": f"{role}-1", "role": role}, "data": {}}


SCENARIO = Scenario(workflow=WORKFLOW.name, prefix="GAUGE", tell=tell)
