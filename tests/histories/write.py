"""Writes the golden histories, once for each published definition: python -m tests.histories.write

Good ones are the courses that are told in the tests of the workflows. Those of earlier versions
stay as they were written, with the definitions that they hold. Broken ones are a small course to
which one thing was done that must be found.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import structlog

from engine.core.encoding import canonical
from engine.core.record import hash_of
from engine.testing import Story
from tests.histories.history import clear, drop_unused, keep, lines
from tests.workflows.courses import COURSES
from workflows import instrument_calibration, intralesional_il2

Lines = list[dict[str, Any]]
IL2 = intralesional_il2.WORKFLOW.label.replace("_", "-")
"""The version of today; the first one was written before there was another, without a number."""


def calibration() -> Story:
    """A small course: measured, refused, released with an override, late entry, overdue."""
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 08:00")
    story.sends("measurement_recorded", deviation="3 um", room_temperature="23 Cel")
    story.sends("release_instrument")
    story.sends("release_instrument", override="room_near_reference", code="expansion-corrected")
    story.advance(days=3)
    wrong = story.sends("measurement_recorded", deviation="4 um")
    story.sends("measurement_recorded", deviation="2 um", at="2026-03-03 12:00")
    story.corrects(wrong, "deviation", "4.5 um")
    story.advance(days=400)
    story.sends("measurement_recorded", deviation="9 um")
    return story


def rehashed(records: Lines, first: int = 0) -> Lines:
    """Linked and hashed again from a record on, as somebody with the whole disk could do."""
    done: Lines = records[:first]
    for record in records[first:]:
        body = json.loads(record["body"])
        if done:
            body["prev"] = done[-1]["hash"]
        text = canonical(body)
        done.append({"hash": hash_of(text), "body": text.decode()})
    return done


def changed(record: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    body = json.loads(record["body"])
    change(body)
    text = canonical(body)
    return {"hash": hash_of(text), "body": text.decode()}


def _verdict(body: dict[str, Any]) -> None:
    body["verdict"] = body["decision"]["verdict"] = "accepted"


CRIMES: dict[str, Callable[[Lines], Lines]] = {
    "a-changed-byte": lambda r: [
        *r[:3], {**r[3], "body": r[3]["body"].replace("expansion", "expansiom")}, *r[4:]
    ],
    "a-record-hashed-again": lambda r: [
        *r[:3], changed(r[3], lambda body: body.update(engine="9")), *r[4:]
    ],
    "a-record-taken-out": lambda r: [*r[:4], *r[5:]],
    "the-first-record-taken-out": lambda r: r[1:],
    "two-records-swapped": lambda r: [*r[:3], r[4], r[3], *r[5:]],
    "a-record-twice": lambda r: [*r[:4], r[3], *r[4:]],
    "a-record-of-another-course": lambda r: [
        *r[:3], changed(r[3], lambda body: body.update(course="course-2")), *r[4:]
    ],
    "recorded-before-its-predecessor": lambda r: [
        *r[:4],
        *rehashed([r[3], changed(r[4], lambda body: body.update(
            recorded_at="2026-03-01T00:00:00Z")), *r[5:]])[1:],
    ],
    "a-refusal-made-an-acceptance": lambda r: rehashed(
        [*r[:2], changed(r[2], _verdict), *r[3:]], 2
    ),
    "a-value-made-smaller": lambda r: rehashed(
        [*r[:1],
         changed(r[1], lambda b: b["event"]["data"]["deviation"].update(value="1")), *r[2:]], 1
    ),
    "a-state-made-another": lambda r: rehashed(
        [*r[:-1], changed(r[-1], lambda b: b["changes"].update(state="in_service"))], 1
    ),
    "two-decisions-altered": lambda r: rehashed(
        [*r[:2], changed(r[2], _verdict), *r[3:-1],
         changed(r[-1], lambda b: b["decision"].update(advice=[]))], 2
    ),
}  # fmt: skip


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    clear("broken", "*")
    clear("good", f"{IL2}-*")
    for name, tell in COURSES.items():
        story = tell().verify()
        keep("good", f"{IL2}-{name}", *lines(story.auditor.export(story.course)))
    story = calibration().verify()
    history, definitions = lines(story.auditor.export(story.course))
    keep("good", "instrument-calibration", history, definitions)
    records = [json.loads(line) for line in history.splitlines()]
    for name, commit in CRIMES.items():
        touched = b"".join(canonical(record) + b"\n" for record in commit(records))
        keep("broken", name, touched, definitions)
    drop_unused()


if __name__ == "__main__":
    main()
