"""Visits, worklists, holds and sites over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.core.event import BOOKINGS
from engine.listing import Listing
from engine.permission import Role
from engine.web.routes.worklists import Kind
from engine.worklist import WORKLISTS
from tests.store.crowd import listed_workflow
from tests.web.conftest import House
from tests.web.doors import Doors

WORKDAYS = {
    "format": 1,
    "zone": "America/Los_Angeles",
    "open": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "closures": [{"from": "2026-03-16", "to": "2026-03-16", "reason": "renovation"}],
}


def in_service(house: House, course: str = "I-1", *, due: str = "2026-03-14",
               site: str = "north") -> str:  # fmt: skip
    """An instrument that is due from a month before that day until a week after it."""
    body = house.event(
        "course.adopted",
        course=course,
        workflow="instrument_calibration",
        patient=f"of-{course}",
        site=site,
        zone="America/Los_Angeles",
        data={"state": "in_service", "variables": {"due_on": due, "releases": 1}},
    )
    body["actor"] = {"id": "m", "role": "metrologist"}
    answer = house.client.post("/v1/courses", json=body)
    assert answer.status_code == 201, answer.text
    return course


def send(house: House, course: str, event: str, data: dict[str, Any], *, dry: bool = False) -> Any:
    body = house.event(event, data=data)
    body["actor"] = {"id": "m", "role": "metrologist"}
    headers = {}
    if event not in BOOKINGS:
        body["reason"] = {"code": "patient-preference"}
        headers["If-Match"] = "*"
    path = f"/v1/courses/{course}/events" + ("/dry-run" if dry else "")
    answer = house.client.post(path, json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def get(house: House, path: str, **asked: Any) -> Any:
    answer = house.client.get(f"/v1{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def courses(found: Any) -> list[str]:
    return [item["course"] for item in found["items"]]


def test_every_worklist_is_counted_and_can_be_asked_for(house: House):
    in_service(house)
    lines = get(house, "/worklists", as_of="2026-03-01")["worklists"]
    counts = {line["kind"]: line["count"] for line in lines}

    assert set(counts) == {kind.value for kind in WORKLISTS} == set(Kind.__args__)
    assert {kind for kind, count in counts.items() if count} == {"due_now", "unbooked"}
    for kind, count in counts.items():
        assert len(get(house, f"/worklists/{kind}", as_of="2026-03-01")["items"]) == count


def test_an_item_says_why_and_what_is_proposed(house: House):
    in_service(house)
    house.client.put("/v1/sites/north/calendar", json=WORKDAYS)
    (item,) = get(house, "/worklists/unbooked", as_of="2026-03-01")["items"]

    assert item["visit"]["window"] == {
        "number": 1,
        "earliest": "2026-02-12",
        "target": "2026-03-14",
        "latest": "2026-03-21",
        "not_before": None,
    }
    assert item["proposal"] == {
        "on": "2026-03-17",
        "not_before": None,
        "instead_of": {"on": "2026-03-14", "why": "closed-weekday", "name": "saturday"},
    }
    assert (item["open_every_day"], item["days"]) == (False, ["2026-03-17"])
    assert "2026-03-17 is proposed" in item["why"]


def test_where_no_day_is_left_each_says_why(house: House):
    in_service(house)
    shut = WORKDAYS | {"closures": [{"from": "2026-02-01", "to": "2026-04-01", "reason": "moving"}]}
    house.client.put("/v1/sites/north/calendar", json=shut)
    (item,) = get(house, "/worklists/unbooked", as_of="2026-03-20")["items"]

    assert item["proposal"]["on"] is None
    assert item["proposal"]["no_compliant_day"][-2:] == [
        {"on": "2026-03-20", "why": "closure", "name": "moving"},
        {"on": "2026-03-21", "why": "closure", "name": "moving"},
    ]
    assert item["proposal"]["no_compliant_day"][0]["why"] == "past"


def test_a_page_says_where_the_next_begins_and_a_list_is_of_sites_and_of_a_day(house: House):
    for number in range(1, 6):
        in_service(house, f"I-{number}", site="south" if number == 5 else "north")
    first = get(house, "/worklists/due_now", as_of="2026-03-01", limit=2)
    second = get(house, "/worklists/due_now", limit=2, cursor=first["next"])
    third = get(house, "/worklists/due_now", limit=2, cursor=second["next"])

    assert courses(first) + courses(second) + courses(third) == [f"I-{n}" for n in range(1, 6)]
    assert third["next"] is None
    assert courses(get(house, "/worklists/due_now", as_of="2026-03-01", site="south")) == ["I-5"]
    at = {"as_of": "2026-03-01", "site": ["south", "west"]}
    assert courses(get(house, "/visits", **at)) == ["I-5"]
    assert len(courses(get(house, "/visits", as_of="2026-03-01", day="2026-03-14"))) == 5
    assert courses(get(house, "/visits", as_of="2026-03-01", day="2026-03-15")) == []


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("/worklists/late", {}, "kind"),
        ("/worklists/holds", {}, "kind"),
        ("/worklists/missed", {"as_of": "2026-02-30"}, "as_of"),
        ("/worklists/missed", {"day": "today"}, "day"),
        ("/worklists/missed", {"cursor": "far"}, "cursor"),
        ("/worklists/missed", {"limit": 201}, "limit"),
        ("/worklists/missed", {"soon_days": -1}, "soon_days"),
        ("/worklists/missed", {"site": "a b"}, "site.0"),
        ("/visits", {"cursor": ""}, "cursor"),
        ("/holds", {"as_of": "x"}, "as_of"),
        ("/worklists", {"day": "0000-00-00"}, "day"),
    ],
)
def test_what_cannot_be_asked_is_named(house: House, path: str, asked: dict[str, Any], field: str):
    answer = house.client.get(f"/v1{path}", params=asked)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_a_cursor_of_another_list_is_named(house: House):
    for number in range(1, 4):
        in_service(house, f"I-{number}")
    cursor = get(house, "/worklists/due_now", as_of="2026-03-01", limit=1)["next"]
    answer = house.client.get("/v1/worklists/missed", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


def test_the_visits_of_a_course_come_with_proposals_bookings_and_arrangements(house: House):
    in_service(house)
    start = "2026-03-23T10:00:00-07:00"
    booked = {"booking": "A-1", "visit": "recalibration", "start": start, "minutes": 60}
    send(house, "I-1", "course.booked", booked)
    late = get(house, "/courses/I-1/visits", as_of="2026-03-01")
    send(house, "I-1", "course.cancelled", {"booking": "A-1"})
    send(house, "I-1", "course.visit_deferred",
         {"visit": "recalibration", "number": 1, "until": "2026-03-18"})  # fmt: skip
    deferred = get(house, "/courses/I-1/visits", as_of="2026-03-01")

    assert late["bookings"] == [
        {
            "booking": "A-1",
            "visit": "recalibration",
            "number": 1,
            "start": "2026-03-23T17:00:00Z",
            "on": "2026-03-23",
            "minutes": 60,
            "status": "booked",
            "changes": 0,
            "conflicts": ["outside-window"],
        }
    ]
    (visit,) = deferred["visits"]
    assert visit["proposal"]["on"] == "2026-03-18"
    assert (deferred["bookings"][0]["status"], deferred["bookings"][0]["conflicts"]) == (
        "cancelled",
        [],
    )
    assert deferred["arranged"] == [
        {"visit": "recalibration", "how": "deferred", "number": 1, "until": "2026-03-18"}
    ]


def test_a_course_that_is_not_there_has_no_visits(house: House):
    assert house.client.get("/v1/courses/I-9/visits").status_code == 404


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("deferred", {"number": 1, "until": "2026-03-01"}),
        ("deferred", {"number": 1, "until": "2026-03-21"}),
        ("omitted", {"number": 1}),
        ("ceased", {}),
    ],
)
def test_a_dry_run_shows_the_windows_that_then_follow(
    house: House, event: str, data: dict[str, Any]
):
    in_service(house)
    name, data = f"course.visit_{event}", {"visit": "recalibration", **data}
    before = get(house, "/courses/I-1/visits", as_of="2026-03-01")
    tried = send(house, "I-1", name, data, dry=True)
    assert get(house, "/courses/I-1/visits", as_of="2026-03-01") == before
    send(house, "I-1", name, data)

    then = get(house, "/courses/I-1/visits", as_of="2026-03-01")["visits"]
    assert tried["visits"] == [
        {"visit": item["visit"]["name"], **item["visit"]["window"]} for item in then
    ]


def test_a_calendar_is_set_and_asked_for(house: House):
    unset = get(house, "/sites/north/calendar")
    put = house.client.put("/v1/sites/north/calendar", json=WORKDAYS)

    assert (unset["calendar"], unset["open_every_day"]) == (None, True)
    assert put.status_code == 200
    assert put.json() == get(house, "/sites/north/calendar")
    assert put.json()["calendar"] == WORKDAYS


def test_of_two_who_change_the_same_calendar_the_second_is_told_so(house: House):
    place = "/v1/sites/north/calendar"
    shut = WORKDAYS | {"open": ["monday"]}
    read = house.client.get(place).headers["ETag"]
    first = house.client.put(place, json=WORKDAYS, headers={"If-Match": read})
    second = house.client.put(place, json=shut, headers={"If-Match": read})

    assert first.status_code == 200
    assert (second.status_code, second.json()["type"]) == (412, "/v1/problems/stale-calendar")
    assert second.headers["ETag"] == first.headers["ETag"] != read
    assert get(house, "/sites/north/calendar") == first.json()

    again = house.client.put(place, json=WORKDAYS, headers={"If-Match": read})
    after = house.client.put(place, json=shut, headers={"If-Match": first.headers["ETag"]})

    assert (again.status_code, again.json()) == (200, first.json())
    assert (after.status_code, after.json()["calendar"]["open"]) == (200, ["monday"])
    assert house.client.put(place, json=WORKDAYS, headers={"If-Match": "*"}).status_code == 200
    assert house.client.put(place, json=shut).status_code == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"open": ["montag"]}, "open[0]"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"hours": 1}, "hours"),
        ({"holidays": None}, "holidays"),
        ({"closures": [{"from": "2026-03-02", "to": "2026-03-01", "reason": "x"}]},
         "closures[0].to"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_calendar_is_named(house: House, changed: dict[str, Any], field: str):
    answer = house.client.put("/v1/sites/north/calendar", json=WORKDAYS | changed)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_a_list_shows_the_sites_that_the_caller_sees(database: Any):
    doors = Doors(database, "scoped")
    clinician = doors.token(Role.CLINICIAN)
    for course, site in (("N-1", "north"), ("S-1", "south")):
        began = doors.event(
            "course.adopted",
            course=course,
            workflow="instrument_calibration",
            patient=f"P-{course}",
            site=site,
            zone="America/Los_Angeles",
            data={"state": "in_service", "variables": {"due_on": "2026-03-14", "releases": 1}},
        )
        began["actor"] = {"id": "m", "role": "metrologist"}
        service = doors.token(Role.SERVICE)
        assert doors.ask(service, "POST", "/v1/courses", began).status_code == 201
    south = doors.token(Role.SCHEDULER, sites=["south"])

    def seen(token: str, path: str) -> list[str]:
        answer = doors.ask(token, "GET", f"/v1{path}")
        assert answer.status_code == 200, answer.text
        return courses(answer.json())

    asked = "as_of=2026-03-01"
    assert seen(clinician, f"/worklists/due_now?{asked}") == ["N-1", "S-1"]
    assert seen(south, f"/worklists/due_now?{asked}") == ["S-1"]
    assert seen(south, f"/worklists/due_now?{asked}&site=north") == []
    assert seen(south, f"/worklists/due_now?{asked}&site=north&site=south") == ["S-1"]
    assert seen(south, f"/visits?{asked}") == ["S-1"]
    assert doors.ask(south, "GET", "/v1/courses/N-1/visits").status_code == 404
    assert doors.ask(south, "GET", "/v1/sites/north/calendar").status_code == 403
    manager = doors.token(Role.ADMINISTRATOR, sites=["south"])
    assert doors.ask(manager, "PUT", "/v1/sites/north/calendar", WORKDAYS).status_code == 403
    assert doors.ask(manager, "PUT", "/v1/sites/south/calendar", WORKDAYS).status_code == 200


def test_no_list_but_those_that_are_known_has_a_route():
    assert {*Kind.__args__} | {"visits", "holds"} == {one.value for one in Listing}


def test_lists_are_of_one_workflow_over_http_by_the_client_and_on_the_page(house: House):
    with house.store.transaction(house.tenant) as tx:
        house.registry.install([listed_workflow()], tx)
    in_service(house)
    for event, more in (
        ("course.enrolled", {"workflow": "tiny", "patient": "P-1", "site": "north",
                             "zone": "America/Los_Angeles"}),
        ("noted", {"data": {"started": "2026-02-27", "number": 1}}),
    ):  # fmt: skip
        body = house.event(event, course="T-1", **more) | {"actor": {"id": "w", "role": "worker"}}
        assert house.service.submit(body).verdict == "accepted"

    client, as_of = house.caller(), date(2026, 3, 1)
    for workflow, its in ((None, {"I-1", "T-1"}), ("tiny", {"T-1"}), ("another", set())):
        asked = {"as_of": "2026-03-01"} | ({} if workflow is None else {"workflow": workflow})
        lines = get(house, "/worklists", **asked)["worklists"]
        page = house.client.get("/worklists/due_now", params=asked).text

        assert {line["kind"]: line["count"] for line in lines}["due_now"] == len(its)
        for path in ("/worklists/due_now", "/visits"):
            assert set(courses(get(house, path, **asked))) == its
        listed = client.worklist("due_now", workflow=workflow, as_of=as_of)
        assert {item.course for item in listed} == its
        assert {one for one in ("I-1", "T-1") if f">{one}<" in page} == its
        assert ('<option value="tiny" selected>' in page) is (workflow == "tiny")
    following = house.client.get("/worklists?workflow=tiny").text
    assert "/worklists/missed?workflow=tiny" in following


def test_a_hold_is_listed_with_its_review_and_its_bookings(house: House):
    with house.store.transaction(house.tenant) as tx:
        house.registry.install([listed_workflow()], tx)

    def tell(event: str, **more: Any) -> None:
        body = house.event(event, course="H-1", **more)
        body["actor"] = {"id": "w", "role": "worker"}
        assert house.service.submit(body).verdict == "accepted"

    place = {"patient": "P-1", "site": "north", "zone": "America/Los_Angeles"}
    tell("course.enrolled", workflow="tiny", **place)
    tell("noted", data={"started": "2026-03-02", "number": 1})
    start = "2026-03-05T10:00:00-08:00"
    tell("course.booked", data={"booking": "b1", "visit": "visit", "start": start})
    tell("halts")
    (hold,) = get(house, "/holds", as_of="2026-03-04")["items"]

    assert (hold["course"], hold["kind"]) == ("H-1", "holds")
    assert hold["why"] == "on hold in halted; review by 2026-03-06"
    assert hold["proposal"]["on"] == "2026-03-04"
    assert courses(get(house, "/worklists/booked_on_hold")) == ["H-1"]
    assert courses(get(house, "/worklists/hold_past_review", as_of="2026-03-06")) == []
    assert courses(get(house, "/worklists/hold_past_review", as_of="2026-03-07")) == ["H-1"]
    assert get(house, "/courses/H-1/visits")["bookings"][0]["conflicts"] == ["on-hold"]
    (lacking,) = get(house, "/worklists/waiting_for_data")["items"]
    assert lacking["missing"] == [
        {"rule": "too_high", "inputs": [{"name": "level", "why": "missing"}]}
    ]
