"""Shared calendars: who may make and see one, and what a calendar program reads in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import structlog
from icalendar import Calendar, Event
from structlog.testing import capture_logs

from engine.calendars import Slot, Standing
from engine.core.definition import Waits
from engine.ical import written
from engine.permission import Caller, How, Role
from engine.store.sql import SqlStore
from tests.web.conftest import NOW, House, numbers, sites_of
from tests.web.test_events import measured, release, send
from workflows import instrument_calibration
from workflows.intralesional_il2 import WORKFLOW as IL2

NEXT_YEAR = datetime(2027, 1, 20, 18, tzinfo=UTC)
"""Ten days before the window of the recalibration opens: 2027-01-31 to 2027-03-09."""


def released(house: House, course: str = "I-1", **more: Any) -> str:
    """An instrument in service since the second of March, to be seen again in a year."""
    house.clock.time = NOW
    house.enrolled(course, **more)
    send(house, measured(house), course=course)
    send(house, release(house), course=course, if_match="*")
    house.clock.time = NEXT_YEAR
    return course


def tell(house: House, name: str, course: str = "I-1", **data: Any) -> None:
    """What a scheduling system tells of a booking."""
    house.clock.advance(minutes=1)
    body = house.event(f"course.{name}", data=data)
    answer = house.client.post(f"/v1/courses/{course}/events", json=body)
    assert answer.status_code == 201, answer.text


def book(
    house: House, start: str, *, course: str = "I-1", booking: str = "B-1", **data: Any
) -> None:
    tell(house, "booked", course, booking=booking, visit="recalibration", start=start, **data)


def shared(house: House, scope: str = "site", subject: str = "north", **more: Any) -> str:
    """The path of a new calendar."""
    answer = house.client.post(
        "/v1/calendar-feeds", json={"scope": scope, "subject": subject, **more}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["path"])


def read(house: House, path: str) -> list[Event]:
    """The entries of a calendar, as a calendar program reads them."""
    answer = house.client.get(path)
    assert answer.status_code == 200, answer.text
    return list(Calendar.from_ical(answer.content).events)


def one(house: House, path: str) -> Event:
    (event,) = read(house, path)
    return event


def at_sites(house: House, monkeypatch: pytest.MonkeyPatch, *sites: str) -> None:
    """From now on the caller may see these sites only."""
    caller = Caller(
        tenant=house.tenant,
        id="somebody",
        roles=frozenset({Role.SCHEDULER}),
        sites=frozenset(sites),
        how=How.TOKEN,
    )
    monkeypatch.setattr(type(house.office.gate), "identify", lambda *_, **__: caller)


# --- what it shows --------------------------------------------------------------------------------


def test_a_due_visit_is_a_tentative_day_at_the_site(house: House):
    released(house)
    event = one(house, shared(house))

    # The second of March 2027 is a Tuesday, and the site is open every day.
    assert (event.start, event.end) == (date(2027, 3, 2), date(2027, 3, 3))
    assert event["STATUS"] == "TENTATIVE"
    assert event["TRANSP"] == "TRANSPARENT"
    assert "2027-01-31 to 2027-03-09" in event["DESCRIPTION"]


def test_a_proposal_keeps_to_the_days_on_which_the_site_is_open(house: House):
    released(house)
    path = shared(house)
    before = one(house, path)
    house.clock.advance(minutes=1)
    closed = {"from": "2027-03-02", "to": "2027-03-03", "reason": "painters"}
    calendar = {"format": 1, "zone": "America/Los_Angeles", "closures": [closed]}
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    sites_of(house.store, house.tenant, house.clock).put("north", {**calendar, "open": weekdays})
    after = one(house, path)

    assert after.start == date(2027, 3, 4)
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert "painters" not in house.client.get(path).text


def test_a_booking_takes_the_place_of_the_proposal(house: House):
    released(house)
    path = shared(house)
    proposed = one(house, path)
    book(house, "2027-03-02T09:30:00-08:00", minutes=45)
    booked = one(house, path)

    assert booked["STATUS"] == "CONFIRMED"
    assert booked.start == datetime(2027, 3, 2, 17, 30, tzinfo=UTC)
    assert booked.duration == timedelta(minutes=45)
    assert booked["UID"] != proposed["UID"]


def test_a_booking_keeps_its_uid_and_its_sequence_rises(house: House):
    released(house)
    path = shared(house)
    seen = []
    book(house, "2027-03-02T09:30:00-08:00", minutes=45)
    seen.append(one(house, path))
    tell(house, "moved", booking="B-1", start="2027-03-03T09:30:00-08:00")
    seen.append(one(house, path))
    tell(house, "cancelled", booking="B-1")
    seen.append(next(e for e in read(house, path) if e["STATUS"] != "TENTATIVE"))
    # The scheduling system uses its name again: `changes` begins anew, the sequence does not.
    book(house, "2027-03-04T09:30:00-08:00")
    seen.append(one(house, path))

    assert len({event["UID"] for event in seen}) == 1
    assert [event["STATUS"] for event in seen] == [
        "CONFIRMED",
        "CONFIRMED",
        "CANCELLED",
        "CONFIRMED",
    ]
    sequences = [event["SEQUENCE"] for event in seen]
    assert sequences == sorted(set(sequences))


def test_after_a_cancellation_the_visit_is_proposed_again(house: House):
    released(house)
    path = shared(house)
    first = one(house, path)
    book(house, "2027-03-02T09:30:00-08:00")
    tell(house, "cancelled", booking="B-1")
    found = {event["STATUS"]: event for event in read(house, path)}

    assert set(found) == {"CANCELLED", "TENTATIVE"}
    assert found["TENTATIVE"]["UID"] == first["UID"]
    assert found["TENTATIVE"]["SEQUENCE"] > first["SEQUENCE"]
    assert found["CANCELLED"]["TRANSP"] == "TRANSPARENT"


def test_a_cancelled_booking_stays_for_a_month_after_its_day(house: House):
    released(house)
    path = shared(house)
    book(house, "2027-03-02T09:30:00-08:00")
    tell(house, "cancelled", booking="B-1")

    def kept(day: datetime) -> bool:
        house.clock.time = day
        return any(event["STATUS"] == "CANCELLED" for event in read(house, path))

    assert kept(datetime(2027, 4, 2, 18, tzinfo=UTC))
    assert not kept(datetime(2027, 4, 3, 18, tzinfo=UTC))


def test_whether_somebody_came_is_not_told(house: House):
    released(house)
    path = shared(house)
    book(house, "2027-03-02T09:30:00-08:00")
    before = one(house, path)
    tell(house, "no_show", booking="B-1")
    after = next(e for e in read(house, path) if e["UID"] == before["UID"])

    assert after["STATUS"] == "CONFIRMED"


@pytest.mark.parametrize(
    ("start", "instant"),
    [
        # The clocks of Los Angeles go forward on 2027-03-14 and back on 2027-11-07.
        ("2027-03-13T10:00:00-08:00", datetime(2027, 3, 13, 18, tzinfo=UTC)),
        ("2027-03-14T03:30:00-07:00", datetime(2027, 3, 14, 10, 30, tzinfo=UTC)),
        ("2027-03-15T10:00:00-07:00", datetime(2027, 3, 15, 17, tzinfo=UTC)),
        ("2027-11-07T01:30:00-07:00", datetime(2027, 11, 7, 8, 30, tzinfo=UTC)),
        ("2027-11-07T01:30:00-08:00", datetime(2027, 11, 7, 9, 30, tzinfo=UTC)),
    ],
    ids=["before", "spring", "after", "first-half-past-one", "second-half-past-one"],
)
def test_a_booking_is_the_same_instant_on_both_sides_of_a_clock_change(
    house: House, start: str, instant: datetime
):
    released(house)
    path = shared(house)
    book(house, start)
    booked = next(e for e in read(house, path) if e["STATUS"] == "CONFIRMED")

    assert booked.start == instant
    assert booked["DTSTART"].to_ical() == instant.strftime("%Y%m%dT%H%M%SZ").encode()


def test_a_calendar_says_how_its_site_reads_the_clock(house: House):
    released(house)
    calendar = Calendar.from_ical(house.client.get(shared(house)).content)

    assert calendar["X-WR-TIMEZONE"] == "America/Los_Angeles"
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")


# --- what it keeps to itself ----------------------------------------------------------------------


def test_no_word_of_a_workflow_reaches_a_calendar(house: House):
    released(house)
    released(house, "I-2")
    book(house, "2027-03-02T09:30:00-08:00", booking="of-somebody")
    made = instrument_calibration.WORKFLOW
    words = {
        *(s.name for s in made.states),
        *(s.title for s in made.states),
        *(v.name for v in made.visits),
        *(v.title for v in made.visits),
        *(i.name for i in made.inputs),
        made.name,
        made.title,
        *("I-1", "I-2", "of-I-1", "of-somebody", "north"),
    } - {""}
    text = house.client.get(shared(house)).text.replace("\r\n ", "")

    assert [word for word in sorted(words) if word.lower() in text.lower()] == []
    assert sorted(e["SUMMARY"] for e in read(house, shared(house))) == [
        "Visit 1",
        "Visit 1 (proposed)",
    ]


def test_the_calendar_of_a_course_names_that_course_and_nothing_else(house: House):
    released(house, "GAR-Z")
    released(house, "GAR-Y")
    path = shared(house, "course", "GAR-Z")
    answer = house.client.get(path)

    assert one(house, path)["SUMMARY"] == "Visit 1 of GAR-Z (proposed)"
    assert Calendar.from_ical(answer.content)["NAME"] == "Visits of GAR-Z"
    assert "of-GAR-Z" not in answer.text
    assert "recalibration" not in answer.text.lower()


def test_neutral_words_hold_for_the_workflow_of_patients_too():
    # What the titles of its visits would tell: "Visit for a dose".
    assert all(visit.title for visit in IL2.visits)
    fields = Slot.__dataclass_fields__
    assert {"visit", "title", "state", "patient", "workflow"}.isdisjoint(fields)
    slot = Slot(
        uid="1@regimen",
        sequence=1,
        changed=NOW,
        standing=Standing.PROPOSED,
        zone="Europe/Vienna",
        number=3,
        day=date(2026, 3, 4),
        between=(date(2026, 3, 3), date(2026, 3, 5)),
    )
    assert b"SUMMARY:Visit 3 (proposed)\r\n" in written([slot])


def test_lines_are_folded_at_75_octets_and_end_as_the_standard_says(house: House):
    course = "C-" + "0123456789" * 6
    released(house, course, patient="somebody-else")
    body = house.client.get(shared(house, "course", course)).content

    lines = body.split(b"\r\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 75
    assert any(line.startswith(b" ") for line in lines)
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert one(house, shared(house, "course", course))["SUMMARY"].startswith(f"Visit 1 of {course}")


# --- which visits ---------------------------------------------------------------------------------


def test_a_calendar_shows_its_own_site_only(house: House):
    released(house)
    released(house, "I-2", site="south")

    assert len(read(house, shared(house))) == 1
    assert len(read(house, shared(house, "role", "scheduler"))) == 2
    assert len(read(house, shared(house, "role", "scheduler", sites=["south"]))) == 1


def test_a_role_sees_what_it_has_to_do_with(database: SqlStore):
    made = instrument_calibration.WORKFLOW
    states = tuple(
        replace(s, waits=Waits.DECISION) if s.name == "overdue" else s for s in made.states
    )
    house = House(
        database, f"clinic-{next(numbers)}", offered=(replace(made, version="9", states=states),)
    )
    for number in range(1, 4):
        released(house, f"I-{number}")
    book(house, "2027-03-02T09:30:00-08:00", course="I-1")
    paths = {role: shared(house, "role", role) for role in ("scheduler", "clinician", "prescriber")}

    def statuses(role: str) -> list[str]:
        return sorted(str(event["STATUS"]) for event in read(house, paths[role]))

    assert statuses("scheduler") == ["CONFIRMED", "TENTATIVE", "TENTATIVE"]
    assert statuses("clinician") == ["CONFIRMED"]
    assert statuses("prescriber") == []

    # The window of I-1 and its like closes: what is overdue waits for a decision.
    house.clock.time = datetime(2027, 3, 10, 20, tzinfo=UTC)
    house.service.tick()
    book(house, "2027-03-11T09:30:00-08:00", course="I-2")
    assert statuses("prescriber") == ["CONFIRMED", "CONFIRMED"]
    assert statuses("clinician") == ["CONFIRMED", "CONFIRMED"]


def test_a_calendar_never_shows_a_site_that_its_maker_may_not_see(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    released(house)
    released(house, "I-2", site="south")
    of_all = house.client.get("/v1/calendar-feeds").json()["calendars"]
    everywhere = shared(house, "role", "scheduler")
    at_sites(house, monkeypatch, "north")

    def refused(scope: str, subject: str, **more: Any) -> int:
        body = {"scope": scope, "subject": subject, **more}
        return house.client.post("/v1/calendar-feeds", json=body).status_code

    assert of_all == []
    assert len(read(house, shared(house, "role", "scheduler"))) == 1
    assert refused("site", "south") == 404
    assert refused("course", "I-2") == 404
    assert refused("role", "scheduler", sites=["north", "south"]) == 404
    listed = house.client.get("/v1/calendar-feeds").json()["calendars"]
    assert [one["sites"] for one in listed] == [["north"]]
    name = everywhere.removeprefix("/v1/calendars/").partition(".")[0]
    assert house.client.delete(f"/v1/calendar-feeds/{name}").status_code == 404


def test_another_tenant_finds_nothing(house: House, database: SqlStore):
    released(house)
    path = shared(house)
    name = path.removeprefix("/v1/calendars/").partition(".")[0]
    other = House(database, f"clinic-{next(numbers)}")

    assert other.client.get("/v1/calendar-feeds").json()["calendars"] == []
    assert other.client.delete(f"/v1/calendar-feeds/{name}").status_code == 404
    assert (
        other.client.post(
            "/v1/calendar-feeds", json={"scope": "course", "subject": "I-1"}
        ).status_code
        == 404
    )


# --- the secret -----------------------------------------------------------------------------------


def test_the_secret_is_shown_once_and_only_its_digest_is_kept(house: House):
    path = shared(house)
    secret = path.removesuffix(".ics").partition(".")[2]
    listed = house.client.get("/v1/calendar-feeds")
    with house.store.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM regimen_calendar_feeds").all()
        log = connection.exec_driver_sql("SELECT * FROM regimen_access_log").all()

    assert len(secret) == 43
    assert secret not in listed.text
    assert secret not in str(rows)
    assert secret not in str(log)


def test_a_wrong_secret_an_unknown_calendar_and_a_revoked_one_look_alike(house: House):
    path = shared(house)
    name, _, secret = path.removeprefix("/v1/calendars/").removesuffix(".ics").partition(".")
    revoked = house.client.delete(f"/v1/calendar-feeds/{name}")
    other = shared(house).removeprefix("/v1/calendars/").partition(".")[0]
    tried = [path, f"/v1/calendars/{other}.{secret}.ics", f"/v1/calendars/{name}.ics"]
    tried += ["/v1/calendars/0000000000000000.x.ics", f"/v1/calendars/{other}.%00%F0%9F%92%A9.ics"]
    answers = [house.client.get(one) for one in tried]

    assert revoked.json()["revoked_at"] == "2026-03-02T16:00:00Z"
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    rows = house.access_log.entries(house.tenant)
    why = [row.about.get("why") for row in rows if row.outcome == "denied"]
    assert sorted(map(str, why)) == ["revoked", "unknown-token", "wrong-secret", "wrong-secret"]


def test_what_becomes_of_a_calendar_is_in_the_access_log(house: House):
    name = shared(house).removeprefix("/v1/calendars/").partition(".")[0]
    for _ in range(2):
        house.clock.advance(seconds=1)
        assert house.client.delete(f"/v1/calendar-feeds/{name}").status_code == 200
    rows = house.access_log.entries(house.tenant)

    assert [row.action.value for row in rows] == ["calendar.created", "calendar.revoked"]
    assert rows[0].about == {"calendar": name, "scope": "site", "subject": "north"}


def test_no_log_line_has_the_secret(house: House, caplog: pytest.LogCaptureFixture):
    released(house)
    structlog.reset_defaults()  # every line, from the lowest level on
    with capture_logs() as lines, caplog.at_level("DEBUG"):
        path = shared(house)
        secret = path.removesuffix(".ics").partition(".")[2]
        house.office.calendars.opened(path.removeprefix("/v1/calendars/").removesuffix(".ics"))
        house.client.get(path.replace(secret[:8], "x" * 8))

    assert secret not in str(lines)
    ours = [line for line in caplog.records if not line.name.startswith(("httpx", "httpcore"))]
    assert secret not in str([line.getMessage() for line in ours])


def test_an_unchanged_calendar_is_not_sent_again(house: House):
    released(house)
    path = shared(house)
    first = house.client.get(path)
    house.clock.advance(minutes=5)
    again = house.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    weak = house.client.get(path, headers={"If-None-Match": f'"x", W/{first.headers["ETag"]}'})
    book(house, "2027-03-02T09:30:00-08:00")
    changed = house.client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content, weak.status_code) == (304, b"", 304)
    assert (changed.status_code, changed.headers["ETag"] != first.headers["ETag"]) == (200, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "tenant", "subject": "north"}, "scope"),
        ({"scope": "site"}, "subject"),
        ({"scope": "site", "subject": "the north"}, "subject"),
        ({"scope": "site", "subject": "north", "sites": ["north"]}, "sites"),
        ({"scope": "role", "subject": "auditor"}, "subject"),
        ({"scope": "role", "subject": "scheduler", "sites": []}, "sites"),
        ({"scope": "role", "subject": "scheduler", "sites": [1]}, "sites[0]"),
        ({"scope": "site", "subject": "north", "days": 3}, "days"),
    ],
)
def test_what_is_asked_wrongly_is_named(house: House, body: dict[str, Any], field: str):
    answer = house.client.post("/v1/calendar-feeds", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_calendars_are_listed_in_pages(house: House):
    for site in ("a", "b", "c"):
        shared(house, subject=site)
        house.clock.advance(seconds=1)
    first = house.client.get("/v1/calendar-feeds", params={"limit": 2}).json()
    second = house.client.get(
        "/v1/calendar-feeds", params={"limit": 2, "after": first["next"]}
    ).json()

    assert [one["subject"] for one in first["calendars"]] == ["a", "b"]
    assert [one["subject"] for one in second["calendars"]] == ["c"]
    assert second["next"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "site", "subject": "south"},
        {"scope": "role", "subject": "scheduler", "sites": ["south"]},
    ],
)
def test_a_site_that_is_not_seen_is_not_taken_for_a_course(
    house: House, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]
):
    at_sites(house, monkeypatch, "north")
    answer = house.client.post("/v1/calendar-feeds", json=body)

    assert (answer.status_code, "course" in answer.json()) == (404, False)
