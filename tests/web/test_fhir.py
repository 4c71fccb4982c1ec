"""FHIR over HTTP: proposals and records out, bookings and observations in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from engine.store.sql import SqlStore
from tests.fhir.resources import appointment, observation, pressure, quantity
from tests.web.conftest import House, numbers
from tests.web.test_calendars import at_sites, book, released
from workflows.intralesional_il2 import WORKFLOW as IL2

JSON = "application/fhir+json"


@pytest.fixture
def clinic(database: SqlStore) -> House:
    """A tenant with a course of the protocol for patients."""
    house = House(database, f"clinic-{next(numbers)}", offered=(IL2,))
    house.enrolled(
        "C-1",
        workflow="intralesional_il2",
        patient="of-C-1",
        actor={"id": "somebody", "role": "clinician"},
    )
    return house


def put(house: House, body: dict[str, Any], role: str = "technician", **asked: str) -> Any:
    path = f"/v1/fhir/{body['resourceType']}/{body.get('id', 'O-1')}"
    content = json.dumps(body, default=float)
    headers = {"Content-Type": JSON}
    params = {"role": role, **asked}
    answer = house.client.put(path, content=content, headers=headers, params=params)
    return checked(answer)


def get(house: House, path: str, **asked: Any) -> Any:
    answer = checked(house.client.get(f"/v1/fhir/{path}", params=asked))
    assert answer.status_code == 200, answer.text
    return answer.json()


def checked(answer: Any) -> Any:
    """Whatever is answered is FHIR."""
    assert answer.headers["Content-Type"] == JSON
    body = answer.json()
    get_fhir_model_class(body["resourceType"]).model_validate(body)
    return answer


def entries(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle.get("entry", ())]


def last(house: House, course: str = "C-1", event: str = "") -> dict[str, Any]:
    records = house.client.get(f"/v1/courses/{course}/records").json()["records"]
    found = [one["record"] for one in records if event in ("", one["record"]["event"]["event"])]
    return dict(found[-1])


def creatinine(house: House) -> Any:
    """The readings of creatinine that count."""
    with house.store.transaction(house.tenant, write=False) as tx:
        found = tx.readings("C-1", {"creatinine": None})["creatinine"]
    return [(one.value, one.flaw) for one in found]


# --- out ------------------------------------------------------------------------------------------


def test_a_due_visit_is_a_proposed_appointment(house: House):
    released(house)
    (found,) = entries(get(house, "Appointment"))

    assert found["status"] == "proposed"
    assert found["requestedPeriod"] == [
        {"start": "2027-03-02", "end": "2027-03-02"},
        {"start": "2027-01-31", "end": "2027-03-09"},
    ]
    assert found["participant"][0]["actor"]["identifier"]["value"] == "of-I-1"
    assert "start" not in found
    assert [one["id"] for one in entries(get(house, "Appointment", course="I-1"))] == [found["id"]]


def test_what_was_proposed_comes_back_as_a_booking(house: House):
    """A scheduling system fills in the proposal: the same elements say which visit it is."""
    released(house)
    (found,) = entries(get(house, "Appointment"))
    filled = appointment() | {
        name: found[name] for name in ("serviceType", "supportingInformation", "extension")
    }
    answer = put(house, filled)

    assert answer.status_code == 201, answer.text
    (booking,) = house.client.get("/v1/courses/I-1").json()["bookings"]
    assert (booking["booking"], booking["number"], booking["conflicts"]) == ("B-1", 1, [])
    assert entries(get(house, "Appointment")) == []


def test_a_visit_is_a_task_with_its_window(house: House):
    released(house)
    (before,) = entries(get(house, "Task"))
    book(house, "2027-03-02T09:30:00-08:00")
    (after,) = entries(get(house, "Task", site="north"))

    assert before["restriction"]["period"] == {"start": "2027-01-31", "end": "2027-03-09"}
    assert (before["status"], after["status"]) == ("requested", "accepted")
    assert before["id"] == after["id"]
    assert after["output"][0]["valueReference"]["identifier"]["value"] == "B-1"
    assert entries(get(house, "Task", site="south")) == []


def test_a_course_is_a_care_plan(house: House):
    released(house)
    found = get(house, "CarePlan/I-1")

    assert (found["id"], found["status"]) == ("I-1", "active")
    assert found["meta"]["versionId"] == "3"
    assert found["subject"]["identifier"]["value"] == "of-I-1"
    (activity,) = found["activity"]
    assert activity["detail"]["scheduledPeriod"] == {"start": "2027-01-31", "end": "2027-03-09"}


def test_a_course_whose_name_is_no_fhir_id_has_an_identifier_only(house: House):
    house.enrolled("I_1:x", patient="of-it")
    found = get(house, "CarePlan/I_1:x")

    assert "id" not in found
    assert found["identifier"] == [{"system": "urn:x-regimen:course", "value": "I_1:x"}]


def test_a_record_is_an_audit_event_without_what_was_measured(house: House):
    released(house)
    body = house.event("release_instrument", actor={"id": "chief", "role": "metrologist"})
    refused = house.client.post("/v1/courses/I-1/events", json=body, headers={"If-Match": "*"})
    bundle = get(house, "AuditEvent", course="I-1")
    found = entries(bundle)

    assert refused.status_code == 409
    assert [one["action"] for one in found] == ["C", "U", "U", "E"]
    assert [one["outcome"] for one in found] == ["0", "0", "0", "4"]
    assert found[3]["outcomeDesc"].startswith("refused: ")
    assert found[3]["agent"][0]["who"]["identifier"]["value"] == "chief"
    assert "deviation" not in json.dumps(bundle)
    assert "um" not in [part for part in json.dumps(bundle).split('"') if len(part) == 2]


def test_audit_events_come_in_pages_that_show_one_moment(house: House):
    released(house)
    first = get(house, "AuditEvent", course="I-1", _count=2)
    (following,) = [one["url"] for one in first["link"] if one["relation"] == "next"]
    second = house.client.get(following).json()

    assert [len(entries(page)) for page in (first, second)] == [2, 1]
    assert [one["relation"] for one in second["link"]] == ["self"]
    assert entries(get(house, "AuditEvent"))[0]["resourceType"] == "OperationOutcome"


def test_proposals_come_in_pages(house: House):
    for number in range(1, 4):
        released(house, f"I-{number}")
    first = get(house, "Appointment", _count=2)
    (following,) = [one["url"] for one in first["link"] if one["relation"] == "next"]

    assert len(entries(first)) == 2
    assert len(entries(house.client.get(following).json())) == 1


def test_nothing_of_another_site_is_seen(house: House, monkeypatch: pytest.MonkeyPatch):
    released(house, site="south")
    at_sites(house, monkeypatch, "north")

    assert entries(get(house, "Appointment")) == entries(get(house, "Task")) == []
    assert entries(get(house, "Task", site="south")) == []
    for path in ("CarePlan/I-1", "AuditEvent?course=I-1", "Task?course=I-1"):
        answer = checked(house.client.get(f"/v1/fhir/{path}"))
        assert answer.status_code == 404
        assert answer.json()["issue"][0]["code"] == "not-found"
    assert put(house, appointment()).status_code == 404


def test_the_capability_statement_is_of_r4(house: House):
    found = get(house, "metadata")
    resources = {one["type"] for one in found["rest"][0]["resource"]}

    assert found["fhirVersion"] == "4.3.0"
    assert resources == {"Appointment", "Task", "CarePlan", "AuditEvent", "Observation"}


# --- bookings in ----------------------------------------------------------------------------------


def test_an_appointment_goes_through_its_statuses(house: House):
    released(house)
    later = {"start": "2027-03-03T09:30:00-08:00", "end": "2027-03-03T10:15:00-08:00"}
    house.clock.time = datetime(2027, 1, 20, 18, tzinfo=UTC)
    answers = [
        put(house, appointment()),
        put(house, appointment(version=2, **later)),
        put(house, appointment("arrived", version=3, **later)),
        put(house, appointment("fulfilled", version=4, **later)),
    ]
    events = [one["subtype"][0]["code"] for one in entries(get(house, "AuditEvent", course="I-1"))]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert events[3:] == ["course.booked", "course.moved", "course.arrived", "course.fulfilled"]


def test_the_same_version_twice_is_one_event(house: House):
    released(house)
    first = put(house, appointment())
    put(house, appointment(version=2, start="2027-03-03T09:30:00-08:00", end=None))
    again = put(house, appointment())

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Location"] == first.headers["Location"]
    assert len(entries(get(house, "AuditEvent", course="I-1"))) == 5


def test_a_version_that_says_something_else_than_before_is_told_so(house: House):
    released(house)
    put(house, appointment())
    answer = put(house, appointment(end="2027-03-02T11:00:00-08:00"))

    assert answer.status_code == 422
    coding = answer.json()["issue"][0]["details"]["coding"][0]
    assert coding == {"system": "urn:x-regimen:problem", "code": "idempotency-conflict"}


@pytest.mark.parametrize("status", ["cancelled", "noshow", "fulfilled", "booked"])
def test_a_version_whose_status_is_another_than_before_is_told_so(house: House, status: str):
    released(house)
    put(house, appointment())
    put(house, appointment("arrived", version=2))
    answer = put(house, appointment(status, version=2))

    assert answer.status_code == 422, answer.text
    coding = answer.json()["issue"][0]["details"]["coding"][0]
    assert coding["code"] == "idempotency-conflict"
    assert last(house, "I-1")["event"]["event"] == "course.arrived"


def test_an_older_version_overwrites_nothing(house: House):
    released(house)
    put(house, appointment(version=2, start="2027-03-03T09:30:00-08:00", end=None))
    late = put(house, appointment(version=1))
    (booking,) = house.client.get("/v1/courses/I-1").json()["bookings"]

    assert (late.status_code, late.json()["issue"][0]["code"]) == (409, "conflict")
    assert booking["start"] == "2027-03-03T17:30:00Z"


def test_what_speaks_against_a_booking_is_a_warning(house: House):
    released(house)
    far = {"start": "2027-05-03T09:30:00-07:00", "end": None}
    answer = put(house, appointment(**far))
    warned = [i["diagnostics"] for i in answer.json()["issue"] if i["severity"] == "warning"]

    assert (answer.status_code, warned) == (201, ["outside-window"])


def test_what_is_wrong_is_named_by_its_element(house: House):
    released(house)
    tried = {
        "Appointment.status": put(house, appointment("proposed")),
        "Appointment.serviceType": put(house, appointment(visit="teatime")),
        "Appointment.start": put(house, appointment(start="2027-03-02", end=None)),
    }
    for element, answer in tried.items():
        (said,) = answer.json()["issue"]
        assert (answer.status_code, said["code"]) == (422, "invalid")
        assert said["expression"] == [element]
    elsewhere = checked(
        house.client.put(
            "/v1/fhir/Appointment/B-9",
            content=json.dumps(appointment()),
            headers={"Content-Type": JSON},
            params={"role": "technician"},
        )
    )
    assert elsewhere.json()["issue"][0]["expression"] == ["Appointment.id"]


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [("{", JSON, 400), ("{}", "text/plain", 415), ("{}", JSON, 422), ("[1e999]", JSON, 400)],
)
def test_what_is_no_resource_is_told_as_an_outcome(
    house: House, content: str, media: str, status: int
):
    answer = checked(
        house.client.post("/v1/fhir/Appointment", content=content, headers={"Content-Type": media})
    )

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "Patient", 404), ("GET", "Task/abc", 404), ("DELETE", "Task", 405)],
)
def test_what_is_not_offered_is_told_as_an_outcome(
    house: House, method: str, path: str, status: int
):
    answer = checked(house.client.request(method, f"/v1/fhir/{path}"))

    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


def test_a_page_says_what_was_searched(house: House):
    released(house)
    bundle = get(house, "Task", course="I-1", _count=1)

    assert bundle["link"][0] == {"relation": "self", "url": "/v1/fhir/Task?course=I-1&_count=1"}


def test_an_appointment_may_be_posted_too(house: House):
    released(house)
    answer = checked(
        house.client.post(
            "/v1/fhir/Appointment",
            content=json.dumps(appointment()),
            headers={"Content-Type": JSON},
            params={"role": "technician", "actor": "desk-3"},
        )
    )

    assert answer.status_code == 201, answer.text
    assert last(house, "I-1")["event"]["actor"] == {"id": "desk-3", "role": "technician"}


# --- observations in ------------------------------------------------------------------------------


def test_an_observation_brings_its_reading(clinic: House):
    answer = put(clinic, observation(), "laboratory")

    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == "/v1/courses/C-1/records/2"
    assert last(clinic, event="labs_recorded")["seq"] == 2
    assert creatinine(clinic) == [("1.1", None)]


def test_a_blood_pressure_is_one_record(clinic: House):
    answer = put(clinic, pressure(), "nurse")

    assert answer.status_code == 201, answer.text
    sent = last(clinic, event="vital_signs_recorded")
    assert sorted(sent["event"]["data"]) == ["diastolic", "systolic"]
    assert last(clinic)["event"]["event"] == "course.reconsidered"  # it came late
    assert last(clinic)["event"]["data"]["late_entry"] == sent["seq"]


def test_the_same_version_of_an_observation_is_one_event(clinic: House):
    first, again = (put(clinic, observation(), "laboratory") for _ in range(2))
    unchanged = put(clinic, observation(version=2), "laboratory")

    assert (first.status_code, again.status_code, unchanged.status_code) == (201, 200, 200)
    assert len(creatinine(clinic)) == 1


def test_a_corrected_observation_corrects_the_reading_that_it_brought(clinic: House):
    put(clinic, observation(), "laboratory")
    better = {"valueQuantity": quantity(Decimal("1.3"), "mg/dL")}
    corrected = observation(version=2, status="corrected", **better)
    answers = [put(clinic, corrected, "laboratory") for _ in range(2)]
    said = last(clinic, event="course.corrected")["event"]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert said["event"] == "course.corrected"
    assert (said["data"]["record"], said["data"]["input"]) == (2, "creatinine")
    assert said["reason"] == {"code": "observation-corrected"}
    assert creatinine(clinic) == [("1.3", None)]

    back = put(clinic, observation(version=3, status="amended"), "laboratory")
    assert back.status_code == 201
    assert creatinine(clinic) == [("1.1", None)]


def test_an_observation_entered_in_error_takes_back_all_that_it_brought(clinic: House):
    put(clinic, pressure(), "nurse")
    gone = pressure(version=2, status="entered-in-error", component=None)
    answer = put(clinic, gone, "nurse")
    records = clinic.client.get("/v1/courses/C-1/records").json()["records"]
    said = [one["record"]["event"] for one in records]
    taken_back = [one["data"] for one in said if one["event"] == "course.entered_in_error"]

    assert answer.status_code == 201, answer.text
    assert taken_back == [
        {"record": 2, "input": "systolic"},
        {"record": 2, "input": "diastolic"},
    ]
    assert put(clinic, gone, "nurse").status_code == 200


def test_a_first_version_that_is_taken_back_under_its_own_number_is_told_so(clinic: House):
    put(clinic, observation(), role="laboratory")
    answer = put(clinic, observation(status="entered-in-error"), role="laboratory")

    assert answer.status_code == 422, answer.text
    coding = answer.json()["issue"][0]["details"]["coding"][0]
    assert coding["code"] == "idempotency-conflict"


def test_an_observation_overtaken_by_its_correction_changes_nothing(clinic: House):
    better = {"valueQuantity": quantity(Decimal("1.3"), "mg/dL")}
    put(clinic, observation(version=2, status="corrected", **better), "laboratory")
    late = put(clinic, observation(version=1), "laboratory")
    latest = observation(version=4, status="corrected", valueQuantity=quantity(2, "mg/dL"))
    put(clinic, latest, "laboratory")
    stale = put(clinic, observation(version=3, status="corrected"), "laboratory")

    assert (late.status_code, stale.status_code) == (409, 409)
    assert creatinine(clinic) == [("2", None)]


def test_a_refused_observation_leaves_no_record(clinic: House):
    answer = put(clinic, observation(status="preliminary"), "laboratory")

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Observation.status"]
    assert len(clinic.client.get("/v1/courses/C-1/records").json()["records"]) == 1


def test_what_the_engine_refuses_is_told_by_the_element(clinic: House):
    digits = Decimal("1." + "1" * 35)
    body = json.dumps(observation(valueQuantity=quantity(0, "mg/dL")))
    answer = checked(
        clinic.client.put(
            "/v1/fhir/Observation/O-1",
            content=body.replace('"value": 0', f'"value": {digits}'),
            headers={"Content-Type": JSON},
            params={"role": "laboratory"},
        )
    )

    assert answer.status_code == 422, answer.text
    assert answer.json()["issue"][0]["expression"] == ["Observation"]
    assert "111" not in answer.text


def test_an_observation_of_the_future_is_refused(clinic: House):
    ahead = {"effectiveDateTime": "2026-03-03T16:00:00Z", "issued": None}

    assert put(clinic, observation(**ahead), "laboratory").status_code == 422
