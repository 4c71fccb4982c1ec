"""The Python client asks the service, on each database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx2
import pytest

from engine.client import (
    ANY,
    Actor,
    AsyncClient,
    Client,
    Conflict,
    Enrolment,
    Event,
    GuardFailed,
    GuardUndecided,
    IdempotencyConflict,
    Invalid,
    NotFound,
    NotPermitted,
    PreconditionRequired,
    StaleRevision,
    Unauthenticated,
)
from engine.permission import Role
from engine.store.sql import SqlStore
from tests.web.conftest import NOW, House, numbers
from tests.web.doors import Doors

TECHNICIAN, CHIEF = Actor("somebody", "technician"), Actor("chief", "metrologist")
ENROLMENT = Enrolment(
    workflow="instrument_calibration",
    patient="P-1",
    site="north",
    zone="America/Los_Angeles",
    at=NOW,
    actor=TECHNICIAN,
)
RELEASE = Event(event="release_instrument", at=NOW, actor=CHIEF)


def measured(deviation: str = "3") -> Event:
    data = {
        "deviation": {"value": Decimal(deviation), "unit": "um"},
        "room_temperature": {"value": "20", "unit": "Cel"},
    }
    return Event(event="measurement_recorded", at=NOW, actor=TECHNICIAN, data=data)


@pytest.fixture
def client(house: House) -> Client:
    made = house.caller()
    made.enroll("I-1", ENROLMENT)
    return made


def test_a_course_is_taken_from_its_enrolment_to_its_next_due_visit(client: Client):
    measurement = client.submit("I-1", measured())
    trial = client.dry_run("I-1", RELEASE)
    released = client.submit("I-1", RELEASE, revision=trial.revision)
    course = client.course("I-1")

    assert (measurement.verdict, measurement.seq, measurement.replayed) == ("accepted", 2, False)
    assert (trial.verdict, trial.state) == ("accepted", "in_service")
    assert (released.state, released.revision) == (course.state, course.revision)
    assert course.visits == trial.visits
    assert course.visits[0].target == date(2027, 3, 2)
    assert course.last_at == NOW


def test_what_waits_in_a_queue_is_signed_off_as_it_was_read(client: Client):
    with pytest.raises(GuardUndecided):
        client.submit("I-1", RELEASE, revision=1)
    assert list(client.review("refusal", workflow="intralesional_il2")) == []
    (item,) = client.review("refusal", workflow="instrument_calibration")
    other = Actor("deputy", "metrologist")
    first = client.sign_off(item, "escalated", actor=other, id="r-1")

    assert client.sign_off(item, "escalated", actor=other, id="r-1").replayed
    with pytest.raises(Conflict):
        client.sign_off(item, "accepted", actor=Actor("third", "metrologist"))
    (item,) = client.review("refusal")
    assert item.reviewed_by == first.seq
    client.sign_off(item, "acted-on", actor=Actor("third", "metrologist"), comment="Asked again.")
    assert list(client.review("refusal")) == []


def test_a_refusal_is_raised_with_what_decided(client: Client):
    with pytest.raises(GuardUndecided) as undecided:
        client.submit("I-1", RELEASE, revision=1)
    client.submit("I-1", measured("7"))
    with pytest.raises(GuardFailed) as failed:
        client.submit("I-1", RELEASE, revision=ANY)

    assert [one.name for one in undecided.value.missing] == ["deviation", "room_temperature"]
    assert failed.value.attempts[0]["kept_by"][0]["guard"] == "deviation_within_limit"
    assert client.record("I-1", failed.value.seq).record["event"]["event"] == "release_instrument"


def test_a_request_on_a_revision_that_is_over_is_not_made(client: Client):
    client.submit("I-1", measured())
    with pytest.raises(PreconditionRequired):
        client.submit("I-1", RELEASE)
    with pytest.raises(StaleRevision) as stale:
        client.submit("I-1", RELEASE, revision=1)

    assert stale.value.actual == 2
    assert client.submit("I-1", RELEASE, revision=stale.value.actual).state == "in_service"


def test_an_event_is_known_again_by_its_id(client: Client):
    event = replace(measured(), id="m-1")
    first, again = client.submit("I-1", event), client.submit("I-1", event)
    with pytest.raises(IdempotencyConflict):
        client.submit("I-1", replace(measured("4"), id="m-1"))

    assert not first.replayed
    assert again == replace(first, replayed=True)
    assert client.course("I-1").seq == 2


def test_a_malformed_event_names_its_member(client: Client):
    wrong = replace(measured(), data={"deviation": {"value": 3, "unit": "um"}})
    with pytest.raises(Invalid) as raised:
        client.submit("I-1", wrong)

    assert [one.field for one in raised.value.errors] == ["data.deviation.value"]


def test_workflows_and_what_may_be_sent(client: Client):
    (line,) = client.workflows()
    workflow = client.workflow(line.name)
    kinds = {event.name: event.kind for event in workflow.events}
    schema = client.schema(line.label, "release_instrument")

    assert kinds["release_instrument"] == "request"
    assert kinds["course.booked"] == "report"
    assert schema["properties"]["event"] == {"const": "release_instrument"}
    with pytest.raises(NotFound):
        client.workflow("none")


def test_what_can_come_next(client: Client):
    found = client.options("I-1")
    option = next(one for one in found.options if one.event == "release_instrument")

    assert (option.verdict, found.revision) == ("unknown", 1)
    assert [one["guard"] for one in option.requirements]


def test_records_are_gone_through_as_of_the_first_page(client: Client):
    for _ in range(4):
        client.submit("I-1", measured())
    records = client.records("I-1", page=2)
    first = next(records)
    client.submit("I-1", measured())

    assert [first.seq, *(one.seq for one in records)] == [1, 2, 3, 4, 5]
    assert client.record("I-1", 1) == first


def test_a_search_goes_through_every_page(client: Client):
    for number in range(2, 7):
        client.enroll(f"I-{number}", replace(ENROLMENT, patient=f"P-{number}"))
    client.submit("I-3", measured())
    client.submit("I-3", RELEASE, revision=ANY)

    found = [one.course for one in client.search(site="north", page=2)]
    assert found == ["I-1", "I-2", "I-3", "I-4", "I-5", "I-6"]
    assert [one.course for one in client.search(state="in_service")] == ["I-3"]
    assert [one.course for one in client.search(day=date(2027, 3, 2))] == ["I-3"]
    assert list(client.search(site="south")) == []
    assert list(client.holds()) == []


def test_the_same_is_asked_by_awaiting(house: House):
    async def asked() -> tuple[list[int], str]:
        transport = httpx2.ASGITransport(house.app, client=("127.0.0.1", 50000))
        async with AsyncClient("http://testserver", transport=transport) as client:
            await client.enroll("I-1", ENROLMENT)
            for _ in range(3):
                await client.submit("I-1", measured())
            seqs = [one.seq async for one in client.records("I-1", page=3)]
            answer = await client.submit("I-1", RELEASE, revision=ANY)
        return seqs, answer.state

    assert asyncio.run(asked()) == ([1, 2, 3, 4], "in_service")


def test_whoever_is_not_known_is_told_so(house: House):
    async def asked() -> None:
        transport = httpx2.ASGITransport(house.app, client=("192.0.2.7", 50000))
        async with AsyncClient("http://testserver", transport=transport) as client:
            await client.course("I-1")

    with pytest.raises(Unauthenticated):
        asyncio.run(asked())


def test_a_token_is_made_used_listed_and_revoked(database: SqlStore):
    doors = Doors(database, f"doors-{next(numbers)}")

    def client(token: str) -> Client:
        return Client("http://testserver", token, transport=doors.client._transport)

    administrator = client(doors.token(Role.ADMINISTRATOR))
    doors.clock.advance(seconds=1)
    made = administrator.create_token("his", ["service"], actor_roles=["nurse"], expires_days=3)
    his = client(made.text)
    who = his.caller()
    with pytest.raises(NotPermitted):
        next(his.tokens())
    revoked = administrator.revoke_token(made.id)
    with pytest.raises(Unauthenticated):
        his.caller()

    assert (who.roles, who.claimable, who.sites) == (("service",), ("nurse",), None)
    assert "write:events" in who.may
    assert made.text not in repr(made)
    assert (revoked.status, made.status) == ("revoked", "valid")
    assert [one.status for one in administrator.tokens(page=1)] == ["valid", "revoked"]
    assert "denied" in {one.outcome for one in administrator.access_log()}


def test_what_is_due_is_listed_with_its_proposal_and_booked(client: Client):
    client.submit("I-1", measured())
    client.submit("I-1", RELEASE, revision=ANY)
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    closed = {"from": "2027-03-02", "to": "2027-03-02", "reason": "inventory"}
    calendar = {"format": 1, "zone": "America/Los_Angeles", "open": weekdays, "closures": [closed]}
    before, after = client.site("north"), client.set_calendar("north", calendar)
    target = date(2027, 3, 2)
    (item,) = client.worklist("due_now", site=("north", "south"), as_of=target, page=1)
    counted = {one.kind: one.count for one in client.worklists(as_of=target)}

    assert (before.open_every_day, before.calendar) == (True, None)
    assert (after.open_every_day, after.calendar) == (False, calendar)
    assert (item.visit.name, item.visit.window.target) == ("recalibration", target)
    assert (item.proposal.instead_of.on, item.proposal.instead_of.why) == (target, "closure")
    assert item.proposal.on != target
    assert (counted["due_now"], counted["unbooked"], counted["missed"]) == (1, 1, 0)

    booking = {"booking": "b-1", "visit": "recalibration", "number": 1, "minutes": 30}
    start = datetime(2027, 6, 1, 10, tzinfo=UTC)
    client.submit(
        "I-1",
        Event(event="course.booked", at=NOW, actor=TECHNICIAN, data={**booking, "start": start}),
    )
    found = client.visits_of("I-1", as_of=target)
    (outside,) = client.worklist("booked_outside_window", as_of=target)
    assert (found.bookings[0].start, found.bookings[0].conflicts) == (start, ("outside-window",))
    assert outside.bookings[0].on == date(2027, 6, 1)
    assert [one.course for one in client.visits(as_of=target)] == ["I-1"]
    assert list(client.holds()) == []


def test_the_feed_is_read_on_from_where_one_was(client: Client):
    client.submit("I-1", measured())
    client.submit("I-1", RELEASE, revision=ANY)
    pages = list(client.feed(page=2))
    entries = [entry for page in pages for entry in page.entries]
    position = pages[-1].next
    client.submit("I-1", measured())
    (later,) = client.feed(after=position)

    assert [(one.course, one.seq) for one in entries if one.kind == "course.changed"] == [
        ("I-1", 1), ("I-1", 2), ("I-1", 3),
    ]  # fmt: skip
    assert len(pages) > 1
    assert [one.seq for one in later.entries] == [4]
    assert [page.entries for page in client.feed(after=later.next)] == [()]


def test_an_endpoint_is_added_and_forgotten(client: Client):
    made = client.add_endpoint("http://127.0.0.1:9/hooks", kinds=["course.changed"])
    ping = client.ping_endpoint(made.id)
    (line,) = client.endpoints()
    client.remove_endpoint(made.id)

    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    assert (ping.endpoint, ping.accepted) == (made.id, False)
    assert (line.id, line.kinds, line.due) == (made.id, ("course.changed",), 0)
    assert client.endpoints() == ()
