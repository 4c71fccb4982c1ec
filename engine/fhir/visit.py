"""Out: a due visit, as a `Task`: its window, where the day lies in it, and whether it is booked."""

from __future__ import annotations

import json
from typing import Any

from engine.core.encoding import instant_text
from engine.fhir.table import Line
from engine.fhir.term import (
    BOOKING,
    COURSE,
    DUE,
    PATIENT,
    SITE,
    VISIT,
    by_identifier,
    concept,
    identifier,
    numbered,
    resource_id,
    valid,
)
from engine.item import Item
from engine.sharing import Place

MAPPING = (
    Line("id", "the same for the same visit of a round"),
    Line("extension", "`urn:x-regimen:number`: which of its series it is"),
    Line("status", "`accepted` once it is booked, else `requested`"),
    Line("businessStatus", "`urn:x-regimen:due`: soon, now, overdue, missed or later"),
    Line("intent", "`proposal`"),
    Line("code", "`urn:x-regimen:visit`: the name of the visit"),
    Line("basedOn", "the `CarePlan` of the course by `urn:x-regimen:course`"),
    Line("for", "the patient by `urn:x-regimen:patient`"),
    Line("location", "the site by `urn:x-regimen:site`"),
    Line("restriction.period", "the window: its first and last day at the site"),
    Line("executionPeriod.start", "the end of a minimum gap that is counted in hours"),
    Line("output", "each live booking by `urn:x-regimen:booking`, and its status"),
)


def task(item: Item, place: Place) -> dict[str, Any] | None:
    """The task of a visit; `None` of an item that is about no due visit."""
    window = item.window
    if window is None or item.due is None:
        return None
    gap = None if window.not_before is None else {"start": instant_text(window.not_before)}
    return valid(
        {
            "resourceType": "Task",
            "id": task_id(item, place),
            "extension": numbered(item.number),
            "basedOn": [by_identifier("CarePlan", COURSE, item.course)],
            "status": "accepted" if item.booked else "requested",
            "businessStatus": concept(DUE, item.due.value),
            "intent": "proposal",
            "code": concept(VISIT, item.visit or ""),
            "for": by_identifier("Patient", PATIENT, place.patient),
            "location": by_identifier("Location", SITE, item.site),
            "executionPeriod": gap,
            "restriction": {
                "period": {
                    "start": window.earliest.isoformat(),
                    "end": window.latest.isoformat(),
                }
            },
            "output": [
                {
                    "type": concept(BOOKING, one.booking.status),
                    "valueReference": {
                        "type": "Appointment",
                        "identifier": identifier(BOOKING, one.name),
                    },
                }
                for one in item.booked
            ],
        }
    )


def task_id(item: Item, place: Place) -> str:
    """What the task of a visit is called: a visit of a series comes again in each round."""
    round_ = json.loads(place.row)["round"]
    return resource_id("visit", item.course, item.visit or "", str(round_), str(item.number))
