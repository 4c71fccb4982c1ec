"""What follows from a decision: timers and visits that wait, moved only by what they look at."""

from __future__ import annotations

from datetime import timedelta

from engine.core.definition import Timer, Transition, Visit
from engine.core.expression import Constant, Now, Today, days, hours
from engine.core.quantity import q
from engine.registry import compiled, stored_form
from engine.testing import Story
from tests.core.tiny import n_of, tiny

ONE = Constant(q(1, "1").value)
AMOUNT = n_of("amount", 3)
BY_THE_CLOCK = Timer(name="soon", event="rang", due=Now() + hours(1), places=("running",))
BY_AMOUNT = Visit(
    name="look",
    places=("running",),
    number=AMOUNT.tree(),
    earliest=Today(),
    target=Today() + days(1),
    latest=Today() + days(2),
)
RINGS = Transition(name="rang", event="rang", sources=("running",))
PLANNED = Timer(name="soon", event="rang", due=Constant(None), places=("low",))


def test_a_timer_set_by_the_time_moves_with_every_event_though_nothing_is_remembered() -> None:
    story = Story(tiny(timers=[BY_THE_CLOCK], ways=[RINGS]))
    story.sends("noted")
    story.advance(minutes=30)
    story.sends("noted")

    assert story.timers["soon"].due == story.now + timedelta(hours=1)
    story.verify()


def test_a_visit_dated_by_the_day_moves_with_every_event() -> None:
    counted = {"ended": {"amount": AMOUNT + 1}}
    story = Story(tiny(visits=[BY_AMOUNT], variables=[AMOUNT], updates=counted))
    story.advance(days=1)
    story.sends("noted")

    assert story.visits["look"].earliest == story.on(story.now)
    story.verify()


def test_what_is_planned_from_what_is_remembered_waits_unchanged() -> None:
    by_the_clock = compiled(stored_form(tiny(timers=[BY_THE_CLOCK])))
    planned = compiled(stored_form(tiny(timers=[PLANNED])))

    assert not by_the_clock.steady("low")
    assert not by_the_clock.steady("high")
    assert by_the_clock.steady("halted"), "nothing waits there"
    assert planned.steady("low")
