"""In: what became of an `Appointment`, as the events of a booking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from engine.core.encoding import instant_text
from engine.core.event import ARRIVED, BOOKED, CANCELLED, FULFILLED, MOVED, NO_SHOW
from engine.core.snapshot import Booking
from engine.core.wire import whole
from engine.errors import Conflict, InvalidInput
from engine.fhir.incoming import (
    Resource,
    coded,
    course_of,
    envelope,
    instant_at,
    require_patient,
    resource,
    status_of,
    updated_at,
    version_of,
)
from engine.fhir.table import Line
from engine.fhir.term import NUMBER, VISIT
from engine.told import Version

KIND = "Appointment"
STATUS: Mapping[str, str] = {
    "booked": BOOKED,
    "arrived": ARRIVED,
    "checked-in": ARRIVED,
    "fulfilled": FULFILLED,
    "cancelled": CANCELLED,
    "entered-in-error": CANCELLED,
    "noshow": NO_SHOW,
}
"""The event that each status is. `proposed`, `pending` and `waitlist` are no bookings."""

PATHS: Mapping[str, str] = {
    "data.visit": f"{KIND}.serviceType",
    "data.number": f"{KIND}.extension",
    "data.start": f"{KIND}.start",
    "data.minutes": f"{KIND}.minutesDuration",
    "data.booking": f"{KIND}.id",
    "data": KIND,
    "at": f"{KIND}.meta.lastUpdated",
}
"""The elements that the members of an event are made of."""

MAPPING = (
    Line("id", "the booking: the scheduling system's own identifier"),
    Line("meta.versionId", "with the id, the event's id: the same version again is the same event"),
    Line("meta.lastUpdated", "`at`; a version older than one that was told is a conflict"),
    Line("status", "the event, see below; `proposed`, `pending` and `waitlist` are refused"),
    Line(
        "supportingInformation",
        "the course: a `CarePlan` by `urn:x-regimen:course`, or `CarePlan/{course}`",
    ),
    Line("serviceType", "`urn:x-regimen:visit`: `data.visit`, required when it is booked"),
    Line("extension", "`urn:x-regimen:number`: `data.number`; else that of the visit that is due"),
    Line("start", "`data.start`, required when it is booked; with its zone"),
    Line("end", "with `start`, or as `minutesDuration`: `data.minutes`"),
    Line("participant.actor", "a patient of `urn:x-regimen:patient` must be the course's"),
)


def course(body: Resource) -> str:
    """The course that an appointment is for. Raises InvalidInput, naming the element."""
    found = resource(body, KIND)
    return course_of(found.get("supportingInformation") or (), f"{KIND}.supportingInformation")


def event(
    body: Resource,
    *,
    patient: str,
    bookings: Mapping[str, Booking],
    told: Sequence[Version],
    actor: Mapping[str, str],
) -> dict[str, Any] | None:
    """The event that a version of an appointment is; `None` when it says nothing new.

    `bookings` are the live ones of the course, `told` what its earlier versions became. Raises
    InvalidInput, naming the element, and Conflict for a version older than one that was told.
    """
    status = status_of(body, KIND, STATUS)
    participants = body.get("participant") or ()
    require_patient(
        [(f"{KIND}.participant[{n}].actor", p.get("actor")) for n, p in enumerate(participants)],
        patient,
    )
    _, name = version_of(body, KIND)
    at = updated_at(body, KIND)
    data = _data(body, booked=status == "booked")
    again = next((version for version in told if version.event_id == name), None)
    known = bookings.get(data["booking"])
    which = STATUS[status]
    if again is not None:
        if which == BOOKED and again.event == MOVED:
            which = MOVED  # as it was told first, whatever became of the booking since
    elif any(version.at is not None and version.at >= at for version in told):
        raise Conflict(course(body), why="a later version of this appointment was told before")
    elif which == BOOKED and known is not None:
        if _same(known, data):
            return None
        which = MOVED
    elif told and told[-1].event == which != BOOKED:
        return None
    return envelope(which, name=name, course=course(body), at=at, actor=actor, data=data)


def prefix(body: Resource) -> str:
    """How the ids of an appointment's events begin."""
    return version_of(body, KIND)[0]


def _data(body: Resource, *, booked: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"booking": body["id"]}
    if not booked:
        return data
    data["start"] = instant_text(instant_at(body.get("start"), f"{KIND}.start"))
    visits = [
        code
        for one in body.get("serviceType") or ()
        for _, code in coded(one.get("coding") or (), VISIT)
    ]
    if len(set(visits)) != 1:
        raise InvalidInput(f"{KIND}.serviceType", f"one coding of {VISIT}: the name of a visit")
    data["visit"] = visits[0]
    for n, one in enumerate(body.get("extension") or ()):
        if one.get("url") == NUMBER:
            place = f"{KIND}.extension[{n}].valueInteger"
            data["number"] = whole(one.get("valueInteger"), place, 0)
    minutes = _minutes(body)
    return data if minutes is None else {**data, "minutes": minutes}


def _minutes(body: Resource) -> int | None:
    if "end" in body:
        start, end = (instant_at(body.get(name), f"{KIND}.{name}") for name in ("start", "end"))
        length = end - start
        if length <= timedelta() or length % timedelta(minutes=1):
            raise InvalidInput(f"{KIND}.end", "an instant whole minutes after the start")
        return length // timedelta(minutes=1)
    if "minutesDuration" in body:
        return whole(body["minutesDuration"], f"{KIND}.minutesDuration", 1)
    return None


def _same(known: Booking, data: Mapping[str, Any]) -> bool:
    """Whether a live booking is already what is said of it."""
    return (
        instant_text(known.start) == data["start"]
        and known.visit == data["visit"]
        and known.number == data.get("number", known.number)
        and known.minutes == data.get("minutes", known.minutes)
        and known.status == "booked"
    )
