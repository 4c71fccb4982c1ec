"""Timers and visits follow from state and variables; nobody arms them and nobody forgets to."""

from __future__ import annotations

from datetime import date

import pytest

from engine.core.definition import Timer, Transition, Variable, Visit
from engine.core.expression import CivilInstant, Now, Sent, Today, days, hours
from engine.errors import InvalidInput
from engine.testing import Story, step
from tests.core.tiny import n_of, rang, tiny, way

since = Variable(name="since", kind="instant")
on = Variable(name="on", kind="date")
n = n_of("n")

RINGS_6_HOURS_LATER = tiny(
    variables=[since, n],
    updates={"noted": {"since": Now()}},
    guards={"often": n >= 9},
    ways=[
        Transition(name="rang", event="rang", sources=("running",), updates={"n": n + 1}),
        way("rise", "often"),
    ],
    timers=[Timer(name="bell", event="rang", due=since + hours(6), places=("running",))],
)


def rings(story: Story) -> list[str]:
    return [body["event"]["at"] for body in story.events(rang.name)]


def test_a_timer_is_armed_as_soon_as_its_time_is_known() -> None:
    story = Story(RINGS_6_HOURS_LATER, start="2026-03-02 08:00")
    assert story.timers == {}

    story.sends("noted")
    assert story.timers["bell"].due == story.at("2026-03-02 14:00")


def test_a_timer_comes_back_as_an_event_at_its_own_time() -> None:
    story = Story(RINGS_6_HOURS_LATER, start="2026-03-02 08:00").given(step("noted"))
    story.advance(hours=5, minutes=59)
    assert rings(story) == []

    story.advance(minutes=1)
    assert rings(story) == ["2026-03-02T22:00:00Z"]
    assert story.variables["n"] == 1
    story.verify()


def test_a_timer_that_rang_does_not_ring_again_for_the_same_time() -> None:
    story = Story(RINGS_6_HOURS_LATER).given(step("noted")).advance(days=30)
    story.given(step("told"), step("fell"), step("told")).advance(days=30)

    assert len(rings(story)) == 1
    assert story.timers == {}


def test_a_timer_moves_when_its_time_moves() -> None:
    story = Story(RINGS_6_HOURS_LATER, start="2026-03-02 08:00").given(step("noted"))
    story.advance(hours=3).given(step("noted")).advance(hours=4)
    assert rings(story) == []

    story.advance(hours=2)
    assert rings(story) == ["2026-03-03T01:00:00Z"]


def test_a_timer_is_armed_again_for_another_time() -> None:
    story = Story(RINGS_6_HOURS_LATER).given(step("noted")).advance(days=1)
    story.given(step("noted")).advance(days=1)

    assert len(rings(story)) == 2
    story.verify()


def test_a_timer_ends_when_the_course_leaves_its_places() -> None:
    story = Story(RINGS_6_HOURS_LATER).given(step("noted"), step("halts"))

    assert story.timers == {}
    assert rings(story.advance(days=1)) == []


def test_a_timer_that_was_left_is_armed_again_on_return_and_rings_at_its_own_time() -> None:
    """Its time has passed meanwhile; what was due is decided at the time at which it was due."""
    story = Story(RINGS_6_HOURS_LATER, start="2026-03-02 08:00").given(step("noted"), step("halts"))
    story.advance(days=1).given(step("fell"))
    story.advance(minutes=1)

    assert rings(story) == ["2026-03-02T22:00:00Z"]
    story.verify()


def test_what_is_due_before_an_event_is_decided_before_it() -> None:
    """No answer depends on how far a worker lags."""
    story = Story(RINGS_6_HOURS_LATER, start="2026-03-02 08:00").given(step("noted"))
    story.clock.move(story.at("2026-03-02 20:00"))
    story.sends("told", at="2026-03-02 19:00")

    assert [b["event"]["event"] for b in story.events()][-2:] == ["rang", "told"]
    story.verify()


def test_an_event_before_the_time_of_a_timer_is_decided_before_it() -> None:
    story = Story(RINGS_6_HOURS_LATER, start="2026-03-02 08:00").given(step("noted"))
    story.clock.move(story.at("2026-03-02 20:00"))
    story.sends("told", at="2026-03-02 13:00")
    story.advance()

    assert [b["event"]["event"] for b in story.events()][-2:] == ["told", "rang"]
    story.verify()


def test_nobody_but_a_timer_sends_its_event() -> None:
    story = Story(RINGS_6_HOURS_LATER)
    for role in ("worker", "engine"):
        with pytest.raises(InvalidInput):
            story.sends("rang", role=role)
    assert len(story.records) == 1


def test_nobody_takes_the_identity_of_a_timer_in_advance() -> None:
    story = Story(RINGS_6_HOURS_LATER).given(step("noted"))
    body = {
        "format": 1, "id": "timer:bell:2", "course": story.course, "event": "told", "data": {},
        "at": "2026-03-02T16:00:00Z", "actor": {"id": "w", "role": "worker"},
    }  # fmt: skip

    with pytest.raises(InvalidInput, match="id"):
        story.service.submit(body)


def test_ticking_twice_has_one_effect() -> None:
    story = Story(RINGS_6_HOURS_LATER).given(step("noted"))
    story.clock.move(story.at("2026-03-04"))

    assert [story.service.tick(), story.service.tick()] == [1, 0]
    assert story.variables["n"] == 1


# --- civil time -------------------------------------------------------------------------------

RINGS_AT_NIGHT = tiny(
    variables=[on, n],
    updates={"noted": {"on": Today()}},
    guards={"often": n >= 9},
    ways=[
        way("rise", "often"),
        Transition(name="rang", event="rang", sources=("running",), updates={"n": n + 1}),
    ],
    timers=[Timer(name="bell", event="rang", due=CivilInstant(on + days(2), "23:59"),
                  places=("running",))],
    visits=[Visit(name="call", places=("low",), number=n.tree(), earliest=on + days(1),
                  target=on + days(2), latest=on + days(3))],
)  # fmt: skip


def test_four_calendar_days_over_a_clock_change_are_an_hour_short() -> None:
    """Clocks go forward in Los Angeles on 8 March 2026."""
    story = Story(RINGS_AT_NIGHT, start="2026-03-06 23:59").given(step("noted"))

    assert story.timers["bell"].due == story.at("2026-03-08 23:59")
    assert story.timers["bell"].due - story.clock.now() == hours(47)


def test_a_visit_is_a_window_of_dates_at_the_site() -> None:
    story = Story(RINGS_AT_NIGHT, start="2026-03-06 23:30").given(step("noted"))
    window = story.visits["call"]

    assert (window.earliest, window.target, window.latest) == (
        date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9))  # fmt: skip


def test_a_visit_ends_when_the_course_leaves_its_places() -> None:
    story = Story(RINGS_AT_NIGHT).given(step("noted"), step("halts"))

    assert story.visits == {}
    assert set(story.given(step("fell")).visits) == {"call"}


# --- rounds -----------------------------------------------------------------------------------

kept, reset = n_of("kept"), n_of("reset", 1, per_round=True)
ROUNDS = tiny(
    variables=[kept, reset],
    updates={"noted": {"kept": kept + Sent("amount"), "reset": reset + Sent("amount")}},
    guards={"much": (kept >= 99) & (reset >= 99)},
    ways=[
        way("fell", sources=("high", "halted"), target="low", opens_round=True,
            updates={"kept": kept + reset}),
        way("rise"),
        way("told_much", "much", event="told", target="halted", priority=1, sources=("low",)),
        way("told"),
    ],
)  # fmt: skip


def test_a_new_round_forgets_what_belongs_to_the_round_and_keeps_the_rest() -> None:
    story = Story(ROUNDS).given(step("noted", amount=7), step("rise"))
    assert (story.round, story.variables["kept"], story.variables["reset"]) == (1, 7, 8)

    story.sends("fell")
    assert story.round == 2
    assert story.variables["reset"] == 1
    story.verify()


def test_the_updates_of_the_opening_see_the_new_round() -> None:
    story = Story(ROUNDS).given(step("noted", amount=7), step("rise"), step("fell"))

    assert story.variables["kept"] == 8
