"""Over HTTP: replay in four senses, readings on both axes, amendments and what they leave open."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import House
from tests.web.test_events import measured, release, send

WIDE = {
    "deviation": {"value": "30", "unit": "um"},
    "room_temperature": {"value": "20", "unit": "Cel"},
}
METROLOGIST = {"id": "m-1", "role": "metrologist"}


@pytest.fixture
def wrong(house: House) -> House:
    """Record 2 says 30 um and should have said 3; record 3 is refused for it, 4 corrects it."""
    house.enrolled()
    assert send(house, measured(house, **WIDE)).status_code == 201
    assert send(house, release(house), if_match="*").status_code == 409
    right = {"record": 2, "input": "deviation", "value": {"value": "3", "unit": "um"}}
    assert amend(house, "course.corrected", right).status_code == 201
    return house


def amend(house: House, event: str, data: dict[str, Any], **more: Any) -> Any:
    more = {"actor": METROLOGIST, "reason": {"code": "typing-error"}} | more
    return send(house, house.event(event, data=data, **more), if_match="*")


def get(house: House, path: str, **asked: Any) -> Any:
    answer = house.client.get(f"/v1/courses/I-1{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_step_is_shown_in_each_sense(wrong: House):
    def shown(sense: str) -> tuple[str, int | None, str]:
        found = get(wrong, "/playback", step=3, sense=sense)
        (one,) = [r for r in found["readings"] if r["input"] == "deviation"]
        return one["value"], one["corrected_by"], found["outcome"]["verdict"]

    assert shown("recorded") == ("30", 4, "refused")
    assert shown("known") == ("30", None, "refused")
    assert shown("believed") == ("3", None, "accepted")
    assert shown("again") == ("30", 4, "refused")
    assert get(wrong, "/playback", step=3)["differs"] == {"believed": True, "again": False}


def test_without_a_step_the_last_one_is_shown_and_at_an_instant_the_one_of_then(wrong: House):
    before = (wrong.clock.now() - timedelta(days=1)).isoformat()
    refused = wrong.client.get("/v1/courses/I-1/playback", params={"at": before})

    assert get(wrong, "/playback")["step"] == 5
    assert get(wrong, "/playback", at=wrong.clock.now().isoformat())["step"] == 5
    assert refused.status_code == 422


def test_readings_are_asked_for_on_both_axes(wrong: House):
    now = get(wrong, "/readings", input="deviation")["readings"]
    early = (wrong.clock.now() - timedelta(days=1)).isoformat()

    assert [(r["value"], r["unit"], r["record"], r["first"]) for r in now] == [("3", "um", 4, 2)]
    assert get(wrong, "/readings", recorded_by=early)["readings"] == []
    assert get(wrong, "/readings", happened_by=early)["readings"] == []


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("/readings", {"input": "deviaton"}, "input"),
        ("/readings", {"happened_by": "then"}, "happened_by"),
        ("/playback", {"step": 99}, "step"),
        ("/playback", {"step": 1, "at": "2026-03-02T09:00:00Z"}, "at"),
        ("/playback", {"sense": "sixth"}, "sense"),
    ],
)
def test_what_cannot_be_asked_so_is_named(
    wrong: House, path: str, asked: dict[str, Any], field: str
):
    answer = wrong.client.get(f"/v1/courses/I-1{path}", params=asked)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_record_is_shown_with_what_is_said_of_it(wrong: House):
    assert amend(wrong, "course.addendum", {"record": 3, "text": "Seen by two."}).status_code == 201
    shown = {one["seq"]: one for one in get(wrong, "/records")["records"]}

    assert shown[2]["marks"] == {"corrected_by": {"deviation": 4}}
    assert shown[3]["marks"] == {"addenda": [6], "differs_by": [4]}
    assert shown[4]["marks"] == {"corrects": 2, "reconsidered_by": 5}
    assert shown[2]["record"]["event"]["data"]["deviation"]["value"] == "30"
    assert "Seen by two" not in str(shown[6])
    assert get(wrong, "/records/3")["marks"] == shown[3]["marks"]


def test_pages_of_one_moment_show_the_marks_of_that_moment(house: House):
    house.enrolled()
    send(house, measured(house, **WIDE))
    first = get(house, "/records", limit=1)
    amend(house, "course.entered_in_error", {"record": 2, "input": "deviation"})
    (then,) = get(house, "/records", cursor=first["next"])["records"]

    assert then["marks"] == {}
    assert get(house, "/records/2")["marks"] == {
        "corrected_by": {"deviation": 3},
        "retracted_by": [3],
    }


def test_an_open_finding_is_shown_with_the_course_until_it_is_disposed_of(wrong: House):
    finding = {"finding": 5, "correction": 4, "record": 2, "input": "deviation", "decisions": [3]}
    assert get(wrong, "")["open_findings"] == [finding]
    assert wrong.client.get("/v1/courses").json()["courses"][0]["findings"] == 1
    (item,) = wrong.client.get("/v1/worklists/open_findings").json()["items"]
    assert item["findings"] == [finding]

    accepted = {"finding": 5, "disposition": "accepted"}
    assert amend(wrong, "course.finding_disposed", accepted).status_code == 201
    again = amend(wrong, "course.finding_disposed", accepted)

    assert get(wrong, "")["open_findings"] == []
    assert (again.status_code, again.json()["type"]) == (409, "/v1/problems/no-such-finding")


def test_what_is_said_of_records_needs_a_reason(wrong: House):
    for event, data in (
        ("course.addendum", {"record": 2, "text": "More."}),
        ("course.entered_in_error", {"record": 2, "input": "deviation"}),
        ("course.late_entry", {"record": 2}),
        ("course.finding_disposed", {"finding": 5, "disposition": "accepted"}),
    ):
        body = wrong.event(event, data=data, actor=METROLOGIST)
        answer = send(wrong, body, if_match="*")
        assert answer.status_code == 422, event
        assert answer.json()["errors"][0]["field"] == "reason"


def test_a_late_entry_is_marked_and_its_reason_is_recorded(house: House):
    house.enrolled()
    earlier = house.clock.now()
    house.clock.advance(days=2)
    send(house, house.event("measurement_recorded", at=earlier, data=WIDE))
    shown = get(house, "/records/2")
    answer = amend(house, "course.late_entry", {"record": 2}, reason={"code": "paper-record"})
    in_time = send(house, measured(house)).json()["seq"]

    assert (shown["late_entry"], shown["marks"]) == (True, {})
    assert answer.status_code == 201
    assert get(house, "/records/2")["marks"] == {"late_reason": 3}
    refused = amend(house, "course.late_entry", {"record": in_time})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "data.record")


def test_the_events_of_a_workflow_list_the_engines_own_with_who_may_send_them(house: House):
    events = house.client.get("/v1/workflows/instrument_calibration").json()["events"]
    own = {one["name"]: (one["kind"], one["roles"]) for one in events if one["engine"]}

    assert own["course.finding_disposed"] == ("request", ["metrologist"])
    assert own["course.addendum"] == ("report", ["metrologist", "technician"])
    assert "course.reconsidered" not in own


def test_the_page_of_the_course_leads_from_an_open_finding_to_its_records(wrong: House):
    answer = wrong.client.get("/courses/I-1", headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert "Open findings" in answer.text
    for seq, said in ((5, "finding 5"), (3, "3"), (2, "record 2"), (4, "4")):
        assert re.search(rf'<a [^>]*href="/courses/I-1/records/{seq}"[^>]*>{said}</a>', answer.text)
