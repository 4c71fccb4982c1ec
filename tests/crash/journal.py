"""A file of events to be interrupted in: courses of instruments over some years, told in turns.

Every kind of row comes of it: readings, messages, free texts, timers that fire, visits that move.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from engine.core.encoding import instant_text

COURSES = 24
START = datetime(2009, 3, 2, 9, tzinfo=UTC)
Body = dict[str, Any]


def write(path: Path, courses: int = COURSES) -> list[Body]:
    """The events of the file, which is written: always the same."""
    chance = Random("journal")
    telling = [_told(f"gauge-{n}", chance) for n in range(courses)]
    bodies: list[Body] = []
    while telling:
        for course in list(telling):
            body = next(course, None)
            if body is None:
                telling.remove(course)
            else:
                bodies.append(body)
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    return bodies


def _told(course: str, chance: Random) -> Iterator[Body]:
    at, sent = START + timedelta(minutes=chance.randrange(60)), 0

    def event(name: str, **more: Any) -> Body:
        nonlocal at, sent
        sent += 1
        at += timedelta(minutes=chance.randrange(1, 50))
        return {
            "format": 1,
            "id": f"e{sent}",
            "course": course,
            "event": name,
            "at": instant_text(at),
            "actor": {"id": "metrologist-1", "role": "metrologist"},
            **more,
        }

    def measured(least: int, most: int) -> Body:
        data = {
            "deviation": {"value": str(chance.randint(least, most)), "unit": "um"},
            "room_temperature": {"value": "20", "unit": "Cel"},
        }
        return event("measurement_recorded", data=data, reason={"text": f"Look {sent}."})

    yield event(
        "course.enrolled",
        workflow="instrument_calibration",
        patient=f"patient-of-{course}",
        site="north",
        zone="Europe/Vienna",
        retrospective=True,  # else today would be too late for a request of 2009
    )
    for _ in range(3):
        yield event("release_instrument")  # refused, since nothing was measured today
        yield measured(1, 5)
        yield event("release_instrument")
        for _ in range(chance.randint(1, 4)):
            at += timedelta(days=chance.randint(1, 60))
            yield measured(1, 4)
        if chance.random() < 0.6:
            yield measured(6, 40)  # withdrawn, with a message
        else:
            at += timedelta(days=400)  # its timer is long due at the next event
        yield event("returned_to_bench")
        at += timedelta(days=2)
