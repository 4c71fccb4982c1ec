"""Courses and their records over HTTP: looked for, paged, at one moment."""

from __future__ import annotations

import pytest

from tests.web.conftest import House
from tests.web.test_events import measured, release, send


def test_records_come_in_pages_that_show_one_moment(house: House):
    house.enrolled()
    for _ in range(4):
        send(house, measured(house))
    first = house.client.get("/v1/courses/I-1/records", params={"limit": 2}).json()
    send(house, measured(house))
    second = house.client.get(
        "/v1/courses/I-1/records", params={"limit": 2, "cursor": first["next"]}
    ).json()
    third = house.client.get(
        "/v1/courses/I-1/records", params={"limit": 2, "cursor": second["next"]}
    ).json()

    seqs = [one["seq"] for page in (first, second, third) for one in page["records"]]
    assert seqs == [1, 2, 3, 4, 5]
    assert (first["until"], third["until"], third["next"]) == (5, 5, None)


def test_a_cursor_that_nobody_gave_is_told_so(house: House):
    house.enrolled()
    answer = house.client.get("/v1/courses/I-1/records", params={"cursor": "far"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


def test_courses_are_found_by_state_site_and_day(house: House):
    for number in range(1, 4):
        house.enrolled(f"I-{number}", site="south" if number == 3 else "north")
    send(house, measured(house))
    send(house, release(house), if_match="*")

    def found(**asked: object) -> list[str]:
        answer = house.client.get("/v1/courses", params=asked)
        assert answer.status_code == 200, answer.text
        return [one["course"] for one in answer.json()["courses"]]

    assert found() == ["I-1", "I-2", "I-3"]
    assert found(state="in_service") == ["I-1"]
    assert found(site="south") == ["I-3"]
    assert found(stage="calibration", site="north") == ["I-2"]
    assert found(day="2027-03-02") == ["I-1"]
    assert found(day="2027-03-10") == []
    assert found(open="false") == []


def test_a_list_says_where_its_next_page_begins(house: House):
    for number in range(1, 4):
        house.enrolled(f"I-{number}")
    first = house.client.get("/v1/courses", params={"limit": 2}).json()
    second = house.client.get("/v1/courses", params={"limit": 2, "after": first["next"]}).json()

    assert [one["course"] for one in first["courses"]] == ["I-1", "I-2"]
    assert [one["course"] for one in second["courses"]] == ["I-3"]
    assert second["next"] is None


def test_what_can_happen_next_says_what_keeps_the_rest_back(house: House):
    house.enrolled()
    found = house.client.get("/v1/courses/I-1/options").json()
    options = {one["event"]: one for one in found["options"]}

    assert options["release_instrument"]["verdict"] == "unknown"
    guards = [one["guard"] for one in options["release_instrument"]["requirements"]]
    assert guards == ["deviation_within_limit", "room_near_reference"]
    assert options["measurement_recorded"]["verdict"] == "yes"


def test_a_workflow_tells_what_may_be_sent(house: House):
    listed = house.client.get("/v1/workflows").json()["workflows"]
    found = house.client.get("/v1/workflows/instrument_calibration").json()
    schema = house.client.get(
        "/v1/workflows/instrument_calibration/events/measurement_recorded"
    ).json()

    assert "instrument_calibration@1" in [one["label"] for one in listed]
    names = {one["name"]: one for one in found["events"]}
    assert names["release_instrument"]["kind"] == "request"
    assert names["course.booked"]["engine"]
    assert "recalibration_missed" not in names
    assert schema["properties"]["event"] == {"const": "measurement_recorded"}


def test_an_unknown_workflow_or_event_is_told_so(house: House):
    assert house.client.get("/v1/workflows/nothing").status_code == 404
    answer = house.client.get("/v1/workflows/instrument_calibration/events/nothing")
    assert (answer.status_code, "measurement_recorded" in answer.json()["detail"]) == (404, True)


def test_every_type_of_problem_can_be_looked_up(house: House):
    listed = house.client.get("/v1/problems").json()["problems"]

    for one in listed:
        assert house.client.get(one["type"]).json() == one


def test_what_is_no_route_is_a_problem_too(house: House):
    answer = house.client.get("/v1/nothing")
    wrong = house.client.delete("/v1/courses/I-1")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/v1/problems/method-not-allowed")
    assert wrong.headers["Allow"] == "GET"
    assert house.client.delete("/v1/courses").headers["Allow"] == "GET, POST"


def test_nobody_from_a_network_gets_into_the_demonstration(house: House):
    from starlette.testclient import TestClient  # noqa: PLC0415  # another peer

    far = TestClient(house.app, client=("192.0.2.1", 50000))

    assert far.get("/v1/courses").status_code == 401


@pytest.mark.parametrize("path", ["/v1/courses", "/v1/worklists", "/v1/feed", "/v1/visits"])
def test_a_filter_that_is_misspelt_is_told_and_filters_nothing(house: House, path: str):
    answer = house.client.get(path, params={"sitte": "north"})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["in"]) == ("sitte", "query")


def test_a_filter_that_is_taken_once_is_not_taken_twice(house: House):
    twice = house.client.get("/v1/courses?site=north&site=south")
    several = house.client.get("/v1/visits?site=north&site=south")

    assert (twice.status_code, several.status_code) == (422, 200)
