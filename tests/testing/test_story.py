"""The kit for stories: time moves only when told to, and nothing passes but through the door."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.core.encoding import canonical
from engine.core.quantity import q
from engine.core.record import Record
from engine.errors import Conflict, InvalidInput
from engine.testing import Story, VirtualClock, kept_by, missing, passed, said, step
from workflows.instrument_calibration import WORKFLOW

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
MEASURED = step("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
RELEASED = step("release_instrument")


def calibrated() -> Story:
    return Story(WORKFLOW, start="2026-03-02 09:00").given(MEASURED, RELEASED)


def test_thirteen_months_pass_and_each_timer_comes_back_at_its_own_time() -> None:
    story = calibrated().advance(days=400)
    (missed,) = story.events("recalibration_missed")

    assert story.state == "overdue"
    assert missed["event"]["at"] == "2027-03-10T07:59:00Z"
    assert missed["recorded_at"] == missed["event"]["at"]
    story.verify()


def test_the_clock_stands_still_until_it_is_moved() -> None:
    story = calibrated()

    assert story.now == datetime(2026, 3, 2, 9, tzinfo=LOS_ANGELES)
    assert story.sends("returned_to_bench").verdict == "accepted"
    assert story.now == datetime(2026, 3, 2, 9, tzinfo=LOS_ANGELES)


def test_a_clock_never_goes_back() -> None:
    clock = VirtualClock(datetime(2026, 3, 2, tzinfo=LOS_ANGELES))
    clock.move(clock.now() - timedelta(days=1))

    assert clock.now() == datetime(2026, 3, 2, tzinfo=LOS_ANGELES)


def test_elapsed_time_over_a_clock_change_is_elapsed_time() -> None:
    story = Story(WORKFLOW, start="2026-03-07 09:00").advance(hours=24)

    assert story.now.strftime("%d %H:%M") == "08 10:00"


@pytest.mark.parametrize(
    ("told", "instant"),
    [
        ("11:30", "2026-03-02T11:30:00-08:00"),
        ("2026-03-20 07:00", "2026-03-20T07:00:00-07:00"),
        ("2026-03-02T20:00:00Z", "2026-03-02T12:00:00-08:00"),
        (date(2026, 3, 9), "2026-03-09T00:00:00-07:00"),
        ("2026-03-09", "2026-03-09T00:00:00-07:00"),
        (datetime(2026, 3, 9, 8), "2026-03-09T08:00:00-07:00"),  # noqa: DTZ001  # meant so
    ],
    ids=["time", "local", "instant", "date", "date-text", "naive"],
)
def test_times_are_those_of_the_wall_unless_they_have_a_zone(told: Any, instant: str) -> None:
    story = Story(WORKFLOW, start="2026-03-02 09:00")

    assert story.at(told) == datetime.fromisoformat(instant)


def test_what_lies_in_the_future_is_waited_for() -> None:
    story = calibrated()
    story.sends("measurement_recorded", at="2027-06-01 09:00", deviation="1 um")

    assert story.now == datetime(2027, 6, 1, 9, tzinfo=LOS_ANGELES)
    assert story.events()[-2]["event"]["event"] == "recalibration_missed"


def test_what_lies_in_the_past_is_sent_late() -> None:
    story = calibrated().advance(days=2)
    answer = story.sends("measurement_recorded", at="2026-03-02 08:00", deviation="1 um")

    assert answer.decision["late"] is True
    assert story.now.date() == date(2026, 3, 4)


def test_quantities_are_words_or_quantities() -> None:
    story = Story(WORKFLOW)
    story.sends("measurement_recorded", deviation=q("0.002", "mm"))

    assert str(story.snapshot.latest["deviation"].value) == "2"


@pytest.mark.parametrize(
    "fields",
    [{"deviation": "3 kg"}, {"deviation": "3"}, {"depth": "3 um"}, {}],
    ids=["unit", "no-unit", "unknown", "absent"],
)
def test_what_is_malformed_is_turned_back_and_is_no_record(fields: dict[str, str]) -> None:
    story = Story(WORKFLOW)

    with pytest.raises(InvalidInput):
        story.sends("measurement_recorded", **fields)
    assert len(story.records) == 1


def test_an_event_that_does_not_exist_is_turned_back() -> None:
    with pytest.raises(InvalidInput, match="event"):
        Story(WORKFLOW).sends("measurment_recorded")


def test_what_is_given_may_not_be_refused() -> None:
    """A story that goes on after a refusal would prove something else than it says."""
    with pytest.raises(AssertionError, match="deviation_within_limit"):
        Story(WORKFLOW).given(RELEASED)


def test_a_refusal_says_what_kept_it_and_what_is_missing() -> None:
    answer = Story(WORKFLOW).sends("release_instrument")

    assert kept_by(answer) == ("deviation_within_limit", "room_near_reference")
    assert missing(answer) == ("deviation", "room_temperature")
    assert "kept by deviation_within_limit" in said(answer)


def test_an_override_is_told_by_its_guards_and_code() -> None:
    story = Story(WORKFLOW).given(
        step("measurement_recorded", deviation="3 um", room_temperature="23 Cel")
    )
    answer = story.sends(
        "release_instrument", override="room_near_reference", code="expansion-corrected"
    )

    assert passed(answer) == {"room_near_reference": "no"}


def test_a_request_may_expect_a_revision() -> None:
    story = Story(WORKFLOW).given(MEASURED)

    with pytest.raises(Conflict):
        story.sends("release_instrument", expecting=1)
    assert story.sends("release_instrument", expecting=2).verdict == "accepted"


def test_a_fork_and_its_story_go_their_own_ways() -> None:
    story = calibrated()
    other = story.fork()
    other.sends("measurement_recorded", deviation="9 um")
    other.advance(days=3)

    assert (story.state, other.state) == ("in_service", "withdrawn")
    assert len(story.records) == 3
    assert story.now != other.now
    assert story.given(step("returned_to_bench")).verify().state == "on_bench"
    other.verify()


def test_the_same_story_gives_the_same_log() -> None:
    def told() -> list[Record]:
        return calibrated().advance(days=500).records

    assert told() == told()


def test_verify_tells_everything_that_is_wrong() -> None:
    story = calibrated()
    with story.store.transaction("story") as tx:
        course = tx.held.courses[story.course]
        touched = canonical(json.loads(course.row) | {"state": "scrapped"})
        tx.held = replace(tx.held, courses={story.course: replace(course, row=touched)})

    with pytest.raises(AssertionError, match="row"):
        story.verify()
