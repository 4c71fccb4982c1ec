"""A course of an instrument: nothing in the engine knows that it is no patient."""

from __future__ import annotations

from datetime import date

from engine.testing import Story, advised, fired, kept_by, missing, passed, said
from workflows.instrument_calibration import WORKFLOW


def on_the_bench() -> Story:
    return Story(WORKFLOW, zone="Europe/Vienna", start="2026-03-02 09:00")


def in_service() -> Story:
    story = on_the_bench()
    story.sends("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
    assert story.sends("release_instrument").verdict == "accepted"
    return story


def test_an_instrument_that_nobody_measured_is_not_released() -> None:
    answer = on_the_bench().sends("release_instrument")

    assert said(answer).startswith("refused guard-undecided")
    assert missing(answer) == ("deviation", "room_temperature")


def test_a_deviation_at_the_limit_is_within_it_and_one_above_is_not() -> None:
    story = on_the_bench()
    story.sends("measurement_recorded", deviation="5001 nm", room_temperature="20 Cel")
    assert kept_by(story.sends("release_instrument")) == ("deviation_within_limit",)

    story.sends("measurement_recorded", deviation="5 um")
    assert story.sends("release_instrument").verdict == "accepted"
    assert story.state == "in_service"


def test_a_warm_room_is_overridden_with_a_reason_and_a_large_deviation_never() -> None:
    story = on_the_bench()
    story.sends("measurement_recorded", deviation="6 um", room_temperature="25 Cel")
    named = {"override": ("deviation_within_limit", "room_near_reference"),
             "code": "expansion-corrected"}  # fmt: skip
    assert story.sends("release_instrument", **named).refused

    story.sends("measurement_recorded", deviation="4 um")
    answer = story.sends("release_instrument", **named)

    assert passed(answer) == {"room_near_reference": "no"}


def test_an_instrument_out_of_its_limit_leaves_service_at_once() -> None:
    story = in_service()
    story.advance(days=3)
    answer = story.sends("measurement_recorded", deviation="12 um")

    assert (fired(answer), advised(answer)) == (("deviation_above_limit",), ("recall_parts",))
    assert story.state == "withdrawn"
    assert story.timers == {}


def test_a_missed_calibration_comes_back_a_week_after_it_was_due() -> None:
    story = in_service()
    window = story.visits["recalibration"]
    assert (window.earliest, window.target, window.latest) == (
        date(2027, 1, 31), date(2027, 3, 2), date(2027, 3, 9),
    )  # fmt: skip

    story.until("2027-03-09 23:58")
    assert story.state == "in_service"

    story.until("2027-03-09 23:59")
    assert story.state == "overdue"
    story.verify()


def test_a_measurement_of_a_withdrawn_instrument_is_kept_as_a_deviation() -> None:
    story = in_service()
    story.sends("measurement_recorded", deviation="12 um")
    answer = story.sends("measurement_recorded", deviation="3 um")

    assert (answer.verdict, story.state) == ("deviation", "withdrawn")
    story.verify()
