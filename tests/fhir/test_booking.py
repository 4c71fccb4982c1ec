"""Appointments as the events of a booking, and what is refused by the name of its element."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.core.forms import Forms
from engine.core.snapshot import Booking
from engine.errors import Conflict, InvalidInput
from engine.fhir import booking
from engine.told import Version
from tests.fhir.resources import appointment
from workflows.instrument_calibration import WORKFLOW

START = datetime(2027, 3, 2, 17, 30, tzinfo=UTC)
LIVE = {"B-1": Booking("recalibration", 1, START, 45, "booked")}
ACTOR = {"id": "desk", "role": "technician"}


def event(body: dict[str, Any], bookings: Any = None, told: Any = ()) -> Any:
    booking.course(body)
    made = booking.event(body, patient="of-I-1", bookings=bookings or {}, told=told, actor=ACTOR)
    if made is not None:
        Forms(WORKFLOW).parse(made)  # the engine takes it
    return made


def version(body: dict[str, Any], name: str) -> Version:
    """What became of a version."""
    made = event(body)
    at = datetime.fromisoformat(made["at"])
    return Version(event_id=made["id"], event=name, seq=4, at=at, body=b"{}")


def test_a_booked_appointment_is_a_booking():
    made = event(appointment())

    assert made["event"] == "course.booked"
    assert made["at"] == "2027-01-20T17:01:00Z"
    assert made["data"] == {
        "booking": "B-1",
        "visit": "recalibration",
        "start": "2027-03-02T17:30:00Z",
        "minutes": 45,
    }


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("arrived", "course.arrived"),
        ("checked-in", "course.arrived"),
        ("fulfilled", "course.fulfilled"),
        ("cancelled", "course.cancelled"),
        ("entered-in-error", "course.cancelled"),
        ("noshow", "course.no_show"),
    ],
)
def test_every_other_status_is_its_event(status: str, name: str):
    made = event(appointment(status), LIVE)

    assert (made["event"], made["data"]) == (name, {"booking": "B-1"})


def test_another_start_of_a_booking_that_is_known_moves_it():
    made = event(appointment(start="2027-03-03T09:30:00-08:00", end=None), LIVE)

    assert made["event"] == "course.moved"
    assert made["data"]["start"] == "2027-03-03T17:30:00Z"


def test_a_version_that_changes_nothing_here_is_no_event():
    assert event(appointment(version=2, description="with a note"), LIVE) is None
    gone = appointment("cancelled", version=3)
    assert event(gone, {}, [version(appointment("cancelled"), "course.cancelled")]) is None


def test_the_same_version_has_the_same_id_and_another_another():
    ids = [event(appointment(version=n))["id"] for n in (1, 1, 2)]

    assert ids[0] == ids[1] != ids[2]
    assert event(appointment(id="B-2"))["id"] not in ids


def test_the_same_version_is_the_same_event_whatever_became_of_the_booking():
    first = event(appointment())
    moved = {"B-1": Booking("recalibration", 1, START.replace(day=9), 45, "booked")}
    told = [
        version(appointment(), "course.booked"),
        version(appointment(version=2), "course.moved"),
    ]

    assert event(appointment(), moved, told) == first


def test_a_version_that_was_overtaken_is_a_conflict():
    with pytest.raises(Conflict, match="a later version"):
        event(appointment(version=1), LIVE, [version(appointment(version=2), "course.booked")])


def test_the_number_of_a_visit_may_be_said():
    numbered = [{"url": "urn:x-regimen:number", "valueInteger": 3}]

    assert event(appointment(extension=numbered))["data"]["number"] == 3


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"status": "proposed"}, "Appointment.status"),
        ({"status": "pending"}, "Appointment.status"),
        ({"status": "waitlist"}, "Appointment.status"),
        ({"status": "lost"}, "Appointment.status"),
        ({"start": None}, "Appointment.start"),
        ({"start": "2027-03-02"}, "Appointment.start"),
        ({"end": "2027-03-02T09:30:00-08:00"}, "Appointment.end"),
        ({"end": "2027-03-02T09:30:30-08:00"}, "Appointment.end"),
        ({"end": None, "minutesDuration": 0}, "Appointment.minutesDuration"),
        ({"serviceType": None}, "Appointment.serviceType"),
        ({"supportingInformation": None}, "Appointment.supportingInformation"),
        ({"meta": {"versionId": "1"}}, "Appointment.meta.lastUpdated"),
        ({"meta": None}, "Appointment.meta.versionId"),
        ({"id": None}, "Appointment.id"),
        ({"colour": "red"}, "Appointment.colour"),
        ({"participant": None}, "Appointment.participant"),
        ({"implicitRules": "urn:rules"}, "Appointment.implicitRules"),
        (
            {
                "participant": [
                    {
                        "status": "accepted",
                        "actor": {
                            "identifier": {"system": "urn:x-regimen:patient", "value": "another"}
                        },
                    }
                ]
            },
            "Appointment.participant[0].actor.identifier.value",
        ),
    ],
)
def test_what_has_no_mapping_is_refused_by_the_name_of_its_element(
    change: dict[str, Any], element: str
):
    with pytest.raises(InvalidInput) as wrong:
        event(appointment(**change))

    assert wrong.value.field == element
