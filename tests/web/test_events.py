"""Events over HTTP: taken once, refused with their findings, expected on a revision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import House

GOOD = {
    "deviation": {"value": "3", "unit": "um"},
    "room_temperature": {"value": "20", "unit": "Cel"},
}
CHIEF = {"id": "chief", "role": "metrologist"}


def send(house: House, body: dict[str, Any], course: str = "I-1", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.client.post(f"/v1/courses/{course}/events", json=body, headers=named)


def measured(house: House, **data: Any) -> dict[str, Any]:
    return house.event("measurement_recorded", data=data or GOOD)


def release(house: House) -> dict[str, Any]:
    return house.event("release_instrument", actor=CHIEF)


def test_a_course_begins_with_its_first_record(house: House):
    house.enrolled()
    answer = house.client.get("/v1/courses/I-1")

    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"1"'
    found = answer.json()
    assert (found["state"], found["seq"], found["closed"]) == ("on_bench", 1, False)
    assert found["workflow"] == "instrument_calibration@1"


def test_a_report_is_taken_and_says_where_its_record_is(house: House):
    house.enrolled()
    answer = send(house, measured(house))

    assert answer.status_code == 201
    assert answer.json()["verdict"] == "accepted"
    assert answer.headers["Location"] == "/v1/courses/I-1/records/2"
    assert house.client.get(answer.headers["Location"]).json()["seq"] == 2


def test_the_same_event_again_gets_the_same_answer_byte_for_byte(house: House):
    house.enrolled()
    body = measured(house)
    first = send(house, body)
    send(house, measured(house))
    again = send(house, body)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == '"3"', "the header tells of the course as it is now"
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 3


def test_a_refusal_again_is_the_same_refusal(house: House):
    house.enrolled()
    body = release(house)
    first = send(house, body, if_match='"1"')
    again = send(house, body, if_match='"1"')

    assert first.status_code == 409
    assert (again.status_code, again.content) == (first.status_code, first.content)


def test_a_key_stands_for_the_id(house: House):
    house.enrolled()
    body = measured(house)
    body.pop("id")
    first = send(house, body, idempotency_key="k-1")
    again = send(house, body, idempotency_key="k-1")

    assert first.json()["id"] == "k-1"
    assert again.content == first.content


def test_an_event_without_a_name_of_its_own_is_told_where_to_put_one(house: House):
    course = house.enrolled()
    body = measured(house)
    del body["id"]
    answer = send(house, body, course)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_that_is_not_the_id_is_no_event(house: House):
    house.enrolled()
    answer = send(house, measured(house), idempotency_key="another")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_used_for_another_body_is_refused_and_the_first_stands(house: House):
    house.enrolled()
    body = measured(house)
    send(house, body)
    answer = send(house, body | {"data": {"deviation": {"value": "4", "unit": "um"}}})

    assert answer.status_code == 422
    assert answer.json()["type"] == "/v1/problems/idempotency-conflict"
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 2


def test_a_key_whose_request_is_being_answered_is_told_to_wait(house: House):
    house.enrolled()
    body = measured(house)
    with house.office.in_hand.one(house.tenant, "I-1", body["id"]):
        answer = send(house, body)

    assert (answer.status_code, answer.json()["type"]) == (409, "/v1/problems/still-running")
    assert send(house, body).status_code == 201


def test_a_request_says_what_it_expects(house: House):
    house.enrolled()
    answer = send(house, release(house))

    assert answer.status_code == 428
    assert answer.json()["type"] == "/v1/problems/precondition-required"


def test_a_stale_request_is_told_the_present_revision(house: House):
    house.enrolled()
    send(house, measured(house))
    answer = send(house, release(house), if_match='"1"')

    assert answer.status_code == 412
    assert answer.headers["ETag"] == '"2"'
    assert (answer.json()["expected"], answer.json()["actual"]) == (1, 2)


def test_a_request_that_a_timer_overtook_is_told_so_once_whether_or_not_a_worker_runs(house: House):
    """Without a worker, who reads the course again must see what the timer made of it."""
    house.enrolled()
    send(house, measured(house))
    send(house, release(house), if_match='"2"')
    house.clock.advance(days=400)
    read = house.client.get("/v1/courses/I-1")
    first = send(house, release(house), if_match=read.headers["ETag"])
    again = house.client.get("/v1/courses/I-1")
    second = send(house, release(house), if_match=again.headers["ETag"])

    assert (first.status_code, first.json()["timers"]) == (412, 1)
    assert first.json()["detail"].startswith("Timers")
    assert first.headers["ETag"] == again.headers["ETag"] != read.headers["ETag"]
    assert again.json()["state"] == "overdue"
    assert second.status_code == 409


@pytest.mark.parametrize("expected", ['W/"2"', 'W/"2", W/"1"', '"abc"', '""', '"1", W/"2"'])
def test_what_is_no_strong_tag_of_the_course_matches_nothing(house: House, expected: str):
    house.enrolled()
    send(house, measured(house))
    answer = send(house, release(house), if_match=expected)

    assert (answer.status_code, answer.json()["actual"]) == (412, 2)
    assert answer.headers["ETag"] == '"2"'
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 2


@pytest.mark.parametrize(
    "expected", ["2", '"2', '"2 "', '"1" "2"', "**", "*, *", 'w/"2"', '"1", *', ""]
)
def test_what_is_no_list_of_tags_is_told_what_one_is(house: House, expected: str):
    house.enrolled()
    answer = send(house, release(house), if_match=expected)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "If-Match"


@pytest.mark.parametrize("expected", ['"1", "2"', '"2","7"', ', "2" ,, W/"1",', '"2"'])
def test_a_request_may_expect_one_of_several_revisions_and_be_sent_again(
    house: House, expected: str
):
    house.enrolled()
    send(house, measured(house))
    body = release(house)
    first = send(house, body, if_match=expected)
    again = send(house, body, if_match=expected)

    assert first.status_code == 201
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_of_several_revisions_that_are_all_past_none_will_do(house: House):
    house.enrolled()
    for _ in range(3):
        send(house, measured(house))
    answer = send(house, release(house), if_match='"1", "3"')

    assert (answer.status_code, answer.json()["actual"]) == (412, 4)


def test_a_request_that_somebody_else_overtook_is_told_nothing_of_timers(house: House):
    house.enrolled()
    send(house, measured(house))
    answer = send(house, release(house), if_match='"1"')

    assert (answer.status_code, "timers" in answer.json()) == (412, False)


@pytest.mark.parametrize("expected", ['"2"', "*"])
def test_a_request_on_the_present_revision_is_granted(house: House, expected: str):
    house.enrolled()
    send(house, measured(house))
    answer = send(house, release(house), if_match=expected)

    assert (answer.status_code, answer.json()["state"]) == (201, "in_service")


def test_a_report_is_taken_on_whatever_revision(house: House):
    house.enrolled()
    send(house, measured(house))

    assert send(house, measured(house), if_match='"1"').status_code == 201


def test_a_refusal_has_the_comparison_that_decided(house: House):
    house.enrolled()
    send(house, measured(house, **GOOD | {"deviation": {"value": "7", "unit": "um"}}))
    answer = send(house, release(house), if_match="*")
    problem = answer.json()

    assert (answer.status_code, problem["type"]) == (409, "/v1/problems/guard-failed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    (attempt,) = problem["attempts"]
    (kept,) = attempt["kept_by"]
    assert kept["guard"] == "deviation_within_limit"
    assert problem["seq"] == 3, "the refusal is a record"


def test_a_request_that_cannot_be_weighed_names_what_is_missing(house: House):
    house.enrolled()
    send(house, measured(house, deviation={"value": "3", "unit": "um"}))
    problem = send(house, release(house), if_match="*").json()

    assert problem["type"] == "/v1/problems/guard-undecided"
    assert problem["missing"] == [{"name": "room_temperature", "why": "missing"}]


def test_a_request_in_a_state_that_takes_none_is_an_illegal_transition(house: House):
    house.enrolled()
    send(house, measured(house))
    send(house, release(house), if_match="*")
    problem = send(house, release(house), if_match="*").json()

    assert problem["type"] == "/v1/problems/illegal-transition"


def test_a_trial_writes_nothing_and_shows_the_windows_that_would_follow(house: House):
    house.enrolled()
    send(house, measured(house))
    body = release(house)
    body.pop("id")
    answer = house.client.post("/v1/courses/I-1/events/dry-run", json=body)
    found = answer.json()

    assert (answer.status_code, found["verdict"], found["state"]) == (200, "accepted", "in_service")
    (window,) = found["visits"]
    assert (window["visit"], window["target"]) == ("recalibration", "2027-03-02")
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 2


def test_a_trial_tells_the_revision_that_it_was_made_on(house: House):
    house.enrolled()
    send(house, measured(house))
    trial = house.client.post("/v1/courses/I-1/events/dry-run", json=release(house))
    send(house, measured(house))  # by somebody else, who took the revision that would have been

    assert (trial.headers["ETag"], trial.json()["revision"]) == ('"2"', 2)
    assert send(house, release(house), if_match=trial.headers["ETag"]).status_code == 412


def test_a_trial_of_what_would_be_refused_is_an_answer(house: House):
    house.enrolled()
    answer = house.client.post("/v1/courses/I-1/events/dry-run", json=release(house))

    assert (answer.status_code, answer.json()["verdict"]) == (200, "refused")
    assert [one["name"] for one in answer.json()["missing"]] == ["deviation", "room_temperature"]


def test_booking_facts_are_events_like_others(house: House):
    house.enrolled()
    send(house, measured(house))
    send(house, release(house), if_match="*")
    data = {"booking": "b-1", "visit": "recalibration", "start": "2027-03-20T10:00:00-07:00"}
    answer = send(house, house.event("course.booked", data=data))

    assert answer.status_code == 201
    assert answer.json()["decision"]["conflicts"] == ["outside-window"]
    (booking,) = house.client.get("/v1/courses/I-1").json()["bookings"]
    assert (booking["booking"], booking["conflicts"]) == ("b-1", ["outside-window"])


def test_a_deferral_beyond_the_window_is_a_problem_of_its_own(house: House):
    house.enrolled()
    send(house, measured(house))
    send(house, release(house), if_match="*")
    data = {"visit": "recalibration", "number": 1, "until": "2027-03-10"}
    body = house.event("course.visit_deferred", data=data, reason={"code": "closed"})
    problem = send(house, body, if_match="*").json()

    assert problem["type"] == "/v1/problems/outside-window"


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"{", 400, "malformed"),
        (b'{"a": 1, "a": 2}', 400, "malformed"),
        (b'{"a": NaN}', 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b'{"a": "\xff"}', 400, "malformed"),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", 400, "malformed"),
        (b'{"a": ' + b"[" * 50000 + b"]" * 50000 + b"}", 400, "malformed"),
        (b'{"a": ' + b"9" * 5000 + b"}", 400, "malformed"),
        (b'{"a": "' + b"x" * 200_000 + b'"}', 413, "too-large"),
    ],
)
def test_what_is_no_json_object_in_bounds_is_no_event(
    house: House, sent: bytes, status: int, kind: str
):
    house.enrolled()
    answer = house.client.post(
        "/v1/courses/I-1/events", content=sent, headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()["type"]) == (status, f"/v1/problems/{kind}")


def test_another_media_type_is_told_so(house: House):
    house.enrolled()
    answer = house.client.post("/v1/courses/I-1/events", content=b"{}")

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"event": "measured"}, "unknown-event", "event"),
        ({"data": {"deviation": {"value": 3, "unit": "um"}}}, "invalid", "data.deviation.value"),
        ({"data": {"deviation": {"value": "3", "unit": "kg"}}}, "invalid", "data.deviation.unit"),
        ({"data": {"deviation": False}}, "invalid", "data.deviation"),
        ({"at": "2026-03-02T09:00:00"}, "invalid", "at"),
        ({"course": "I-2"}, "invalid", "course"),
        ({"surprise": 1}, "invalid", "surprise"),
    ],
)
def test_a_malformed_event_names_the_member_and_what_was_expected(
    house: House, change: dict[str, Any], kind: str, field: str
):
    house.enrolled()
    answer = send(house, measured(house) | change)
    problem = answer.json()

    assert (answer.status_code, problem["type"]) == (422, f"/v1/problems/{kind}")
    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["expected"]


def test_a_course_that_is_not_there_is_not_found(house: House):
    assert send(house, measured(house), course="I-9").status_code == 404
    assert house.client.get("/v1/courses/I-9").status_code == 404
    assert house.client.get("/v1/courses/I-9/records").status_code == 404


def test_a_second_enrolment_of_a_course_is_a_conflict(house: House):
    house.enrolled()
    body = house.event("course.enrolled", course="I-1", workflow="instrument_calibration",
                       patient="other", site="north", zone="UTC")  # fmt: skip

    assert house.client.post("/v1/courses", json=body).status_code == 409


def test_no_event_that_was_sent_stands_in_the_way_of_a_dry_run(house: House):
    """An event may be called anything, also what a trial without an id would be called."""
    house.enrolled()
    sent = measured(house) | {"id": "dry-run"}
    assert send(house, sent).status_code == 201

    house.clock.advance(minutes=1)
    tried = measured(house)
    del tried["id"]
    answer = house.client.post("/v1/courses/I-1/events/dry-run", json=tried)

    assert answer.status_code == 200, answer.text
