"""Bookings are facts and move nothing; a visit may be deferred, omitted, ceased and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.answer import Answer
from engine.core.blueprint import prose_json, semantic_json, workflow_digest, workflow_from
from engine.core.check import check
from engine.core.definition import Event, Field, Kind, Variable, Visit, Waits, Workflow
from engine.core.expression import Sent, days, hours
from engine.errors import Conflict, InvalidInput, NotPermitted
from engine.testing import Story
from tests.core.tiny import noted, tiny, way

started = Variable(name="started", kind="date")
given_at = Variable(name="given_at", kind="instant")
number = Variable(name="number", kind="number")

begun = Event(
    name="noted",
    kind=Kind.REPORT,
    roles=noted.roles,
    fields=(
        Field(name="started", kind="date"),
        Field(name="given_at", kind="instant"),
        Field(name="number", kind="number"),
    ),
)


def workflow(**more: Any) -> Workflow:
    """A visit from the day after `started` to five days after, target the third."""
    made = tiny(
        variables=(started, given_at, number),
        visits=(
            Visit(
                name="visit",
                places=("running",),
                number=number.tree(),
                earliest=started + days(1),
                target=started + days(3),
                latest=started + days(5),
                not_before=given_at + hours(48),
            ),
        ),
        ways=(
            way("noted"),
            way("halts"),
        ),
        **more,
    )
    fields = {f.name: f for f in begun.fields}
    event = replace(begun, updates={name: Sent(name) for name in fields})
    states = tuple(replace(s, waits=Waits.HOLD) if s.name == "halted" else s for s in made.states)
    return replace(
        made, events=tuple(event if e.name == "noted" else e for e in made.events), states=states
    )


WORKFLOW = workflow()


@pytest.fixture
def story() -> Story:
    """A course whose first visit is due from 3 to 7 March, not before 9 o'clock on the 4th."""
    told = Story(WORKFLOW, start="2026-03-02 08:00")
    told.sends("noted", started=date(2026, 3, 2), number=1, given_at="2026-03-02T09:00:00-08:00")
    return told


def book(story: Story, start: str, *, booking: str = "b1", **more: Any) -> Answer:
    data = {"booking": booking, "visit": "visit", "start": start, **more}
    return story.sends("course.booked", data=data)


def tell(story: Story, event: str, booking: str = "b1", **more: Any) -> Answer:
    return story.sends(f"course.{event}", data={"booking": booking, **more})


def arrange(story: Story, event: str, **data: Any) -> Answer:
    return story.sends(
        f"course.visit_{event}", data={"visit": "visit", **data}, reason="patient-preference"
    )


def conflicts(answer: Answer) -> list[str]:
    found: list[str] = answer.decision.get("conflicts", [])
    return found


def window(story: Story) -> list[str] | None:
    found = story.snapshot.visits.get("visit")
    return None if found is None else [str(d) for d in (found.earliest, found.target, found.latest)]


def test_the_workflow_of_these_tests_is_well_formed() -> None:
    assert [str(p) for p in check(WORKFLOW) if "visit" in str(p)] == []


def test_a_booking_inside_its_window_has_no_conflict(story: Story) -> None:
    answer = book(story, "2026-03-05T10:00:00-08:00")

    assert (answer.verdict, conflicts(answer)) == ("accepted", [])
    assert story.snapshot.bookings["b1"].number == 1
    story.verify()


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-03-03T10:00:00-08:00", ["below-minimum-gap"]),
        ("2026-03-04T08:59:00-08:00", ["below-minimum-gap"]),
        ("2026-03-04T09:00:00-08:00", []),
        ("2026-03-02T10:00:00-08:00", ["outside-window", "below-minimum-gap"]),
        ("2026-03-07T23:59:00-08:00", []),
        ("2026-03-08T00:00:00-08:00", ["outside-window"]),
        ("2026-03-08T07:59:00+00:00", []),
    ],
)
def test_a_booking_is_taken_whenever_it_is_and_its_conflicts_are_named(
    story: Story, start: str, expected: list[str]
) -> None:
    answer = book(story, start)

    assert (answer.verdict, conflicts(answer)) == ("accepted", expected)
    story.verify()


def test_a_booking_of_another_number_is_for_no_visit_that_is_due(story: Story) -> None:
    assert conflicts(book(story, "2026-03-05T10:00:00-08:00", number=2)) == ["no-such-visit"]


def test_a_booking_during_a_hold_and_in_a_closed_course_says_so(story: Story) -> None:
    story.sends("halts")
    held = book(story, "2026-03-05T10:00:00-08:00")
    story.sends("ended")
    closed = book(story, "2026-03-05T10:00:00-08:00", booking="b2")

    assert (conflicts(held), conflicts(closed)) == (["on-hold"], ["course-closed"])
    story.verify()


def test_a_booking_moves_nothing_of_the_course(story: Story) -> None:
    before = story.snapshot
    book(story, "2026-03-05T10:00:00-08:00")
    after = story.snapshot

    for name in ("state", "variables", "visits", "timers", "last_at", "firing", "questions"):
        assert getattr(after, name) == getattr(before, name), name


def test_a_fact_that_came_before_a_booking_was_told_is_not_late(story: Story) -> None:
    story.advance(hours=5)
    book(story, "2026-03-05T10:00:00-08:00")
    answer = story.sends("fell", at="2026-03-02 10:00")

    assert "late" not in answer.decision


@pytest.mark.parametrize("event", ["cancelled", "no_show", "fulfilled"])
def test_a_booking_that_is_over_leaves_the_row_and_stays_in_its_table(
    story: Story, event: str
) -> None:
    book(story, "2026-03-05T10:00:00-08:00")
    tell(story, event)

    assert story.snapshot.bookings == {}
    with story.store.transaction(story.service.tenant, write=False) as tx:
        found = tx.bookings(story.course)
    assert {name: one.status for name, one in found.items()} == {"b1": event}
    story.verify()


def test_a_moved_booking_keeps_its_visit_and_counts_its_changes(story: Story) -> None:
    book(story, "2026-03-05T10:00:00-08:00", minutes=60)
    moved = tell(story, "moved", start="2026-03-09T10:00:00-07:00")
    tell(story, "arrived")
    booking = story.snapshot.bookings["b1"]

    assert conflicts(moved) == ["outside-window"]
    assert (booking.visit, booking.number, booking.minutes) == ("visit", 1, 60)
    assert (booking.status, booking.changes) == ("arrived", 2)


def test_what_is_told_of_a_booking_that_nobody_knows_is_recorded_as_a_deviation(
    story: Story,
) -> None:
    answer = tell(story, "cancelled", booking="never")

    assert (answer.verdict, conflicts(answer)) == ("deviation", ["no-such-booking"])
    story.verify()


def test_a_deferred_visit_is_not_due_before_that_day_and_its_last_day_stays(story: Story) -> None:
    answer = arrange(story, "deferred", number=1, until="2026-03-06")

    assert answer.verdict == "accepted"
    assert window(story) == ["2026-03-06", "2026-03-06", "2026-03-07"]
    assert answer.visits["visit"].earliest == date(2026, 3, 6)
    story.verify()


def test_a_visit_is_not_deferred_beyond_its_last_day(story: Story) -> None:
    answer = arrange(story, "deferred", number=1, until="2026-03-08")

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "outside-window")
    assert window(story) == ["2026-03-03", "2026-03-05", "2026-03-07"]


def test_an_omitted_visit_is_not_due_and_the_next_of_its_series_is(story: Story) -> None:
    arrange(story, "omitted", number=1)
    omitted = window(story)
    booked = book(story, "2026-03-05T10:00:00-08:00")
    story.sends("noted", started=date(2026, 3, 9), number=2, given_at="2026-03-09T09:00:00-07:00")

    assert omitted is None
    assert conflicts(booked) == ["not-wanted"]
    assert window(story) == ["2026-03-10", "2026-03-12", "2026-03-14"]
    assert story.snapshot.arranged == {}
    story.verify()


def test_a_ceased_series_stays_ceased_until_it_is_resumed(story: Story) -> None:
    arrange(story, "ceased")
    story.sends("noted", started=date(2026, 3, 9), number=2, given_at="2026-03-09T09:00:00-07:00")
    ceased = window(story)
    arrange(story, "resumed")

    assert ceased is None
    assert window(story) == ["2026-03-10", "2026-03-12", "2026-03-14"]
    story.verify()


@pytest.mark.parametrize(
    ("event", "data"),
    [("omitted", {"number": 2}), ("deferred", {"number": 2, "until": "2026-03-06"}),
     ("resumed", {})],
)  # fmt: skip
def test_a_visit_that_is_not_due_is_neither_deferred_nor_omitted_nor_resumed(
    story: Story, event: str, data: Mapping[str, Any]
) -> None:
    answer = arrange(story, event, **data)

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "no-such-visit")


def test_an_arrangement_is_a_request_and_its_expected_revision_counts(story: Story) -> None:
    data = {"visit": "visit", "number": 1}
    with pytest.raises(Conflict):
        story.sends("course.visit_omitted", data=data, reason="patient-preference", expecting=1)


def test_a_booking_is_a_report_and_its_expected_revision_does_not_count(story: Story) -> None:
    data = {"booking": "b1", "visit": "visit", "start": "2026-03-05T10:00:00-08:00"}

    assert story.sends("course.booked", data=data, expecting=1).verdict == "accepted"


def test_only_the_arrangers_of_a_workflow_omit_and_cease(story: Story) -> None:
    strict = Story(replace(WORKFLOW, arrangers=("chief",)), start="2026-03-02 08:00")
    strict.sends("noted", started=date(2026, 3, 2), number=1, given_at="2026-03-02T09:00:00-08:00")
    asked = {"data": {"visit": "visit"}, "reason": "patient-preference"}

    with pytest.raises(NotPermitted):
        strict.sends("course.visit_ceased", role="worker", **asked)
    assert strict.sends("course.visit_ceased", role="chief", **asked).verdict == "accepted"


BOOKED = {"booking": "b1", "visit": "visit", "start": "2026-03-05T10:00:00Z"}


@pytest.mark.parametrize(
    ("event", "data", "field"),
    [
        ("booked", {"booking": "b1", "visit": "visit"}, "data.start"),
        ("booked", BOOKED | {"visit": "other"}, "data.visit"),
        ("booked", BOOKED | {"booking": "b 1"}, "data.booking"),
        ("booked", BOOKED | {"start": "2026-03-05T10:00:00"}, "data.start"),
        ("booked", BOOKED | {"minutes": 0}, "data.minutes"),
        ("booked", BOOKED | {"minutes": 1441}, "data.minutes"),
        ("moved", {"booking": "b1"}, "data.start"),
        ("cancelled", {"booking": "b1", "start": "2026-03-05T10:00:00Z"}, "data.start"),
        ("visit_deferred", {"visit": "visit", "number": 1, "until": "soon"}, "data.until"),
        ("visit_omitted", {"visit": "visit"}, "data.number"),
    ],
)
def test_what_is_malformed_names_its_member(
    story: Story, event: str, data: Mapping[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as found:
        story.sends(f"course.{event}", data=data, reason="patient-preference")

    assert found.value.field == field


def test_an_arrangement_says_why(story: Story) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        story.sends("course.visit_ceased", data={"visit": "visit"})


def test_a_workflow_with_the_words_of_scheduling_is_read_back_as_it_was_written() -> None:
    full = replace(WORKFLOW, arrangers=("chief",))

    assert workflow_from(semantic_json(full), prose_json(full)) == full


def test_the_words_of_scheduling_are_part_of_the_identity() -> None:
    plain = replace(WORKFLOW, states=tuple(replace(s, waits=None) for s in WORKFLOW.states))

    assert (
        len(
            {workflow_digest(w) for w in (WORKFLOW, plain, replace(WORKFLOW, arrangers=("chief",)))}
        )
        == 3
    )


def standing(story: Story) -> str | None:
    """What the list of courses says of the bookings."""
    with story.store.transaction(story.service.tenant, write=False) as tx:
        (line,) = tx.courses()
    return line.conflicts


def test_what_speaks_against_the_bookings_of_a_course_follows_each_of_its_records(
    story: Story,
) -> None:
    book(story, "2026-03-05T10:00:00-08:00")
    inside = standing(story)
    book(story, "2026-03-03T10:00:00-08:00", booking="b2")
    early = standing(story)
    story.sends("halts")
    held = standing(story)
    story.sends("fell")
    arrange(story, "omitted", number=1)
    omitted = standing(story)
    tell(story, "cancelled", "b1")
    tell(story, "cancelled", "b2")

    assert (inside, early, held) == (None, "below-minimum-gap", "on-hold")
    assert (omitted, standing(story)) == ("not-wanted", None)
    story.verify()


ARRANGING = st.one_of(
    st.tuples(
        st.just("deferred"),
        st.fixed_dictionaries(
            {"number": st.integers(1, 3), "until": st.dates(date(2026, 3, 1), date(2026, 3, 20))}
        ),
    ),
    st.tuples(st.just("omitted"), st.fixed_dictionaries({"number": st.integers(1, 3)})),
    st.tuples(st.just("ceased"), st.just({})),
    st.tuples(st.just("resumed"), st.just({})),
)
HAPPENING = st.one_of(
    st.tuples(
        st.just("noted"),
        st.fixed_dictionaries(
            {"number": st.integers(1, 3), "started": st.dates(date(2026, 3, 1), date(2026, 3, 9))}
        ),
    ),
    st.tuples(st.sampled_from(["rise", "halts", "fell"]), st.just({})),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(HAPPENING, ARRANGING), min_size=1, max_size=6))
def test_a_dry_run_of_an_arrangement_shows_exactly_the_windows_that_then_follow(
    told: list[Any],
) -> None:
    story = Story(WORKFLOW, start="2026-03-02 08:00")
    for (happens, fields), (how, data) in told:
        story.sends(happens, **fields)
        before = story.snapshot
        body = {
            "format": 1,
            "id": "to-be-tried",
            "course": story.course,
            "event": f"course.visit_{how}",
            "at": story.now.isoformat(),
            "actor": {"id": "someone", "role": "worker"},
            "data": {"visit": "visit", **{k: _plain(v) for k, v in data.items()}},
            "reason": {"code": "patient-preference"},
        }
        tried = story.service.dry_run(body)
        unchanged = story.snapshot
        done = story.service.submit(body | {"id": f"done-{before.seq}"})

        assert (unchanged.seq, unchanged.visits) == (before.seq, before.visits)
        assert (tried.verdict, tried.visits) == (done.verdict, done.visits)
        assert story.snapshot.visits == tried.visits
        assert tried.verdict == "accepted" or tried.visits == before.visits
    story.verify()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
