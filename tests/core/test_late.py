"""What is entered late is weighed at its own time, and the rules once more at the latest time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from engine.core.definition import Rule, Variable
from engine.core.expression import Constant, Late, LatestDay, Sustained, Today, Truth, hours
from engine.testing import Story, fired, missing, step, unweighed
from tests.core.tiny import colour, level, n_of, tiny, way

n = n_of("n")
HALTS_WHEN_FULL = tiny(
    guards={"flooded": level > 90}, rules=[Rule(guard="flooded", action="halt", advice=("pump",))]
)


def test_a_late_event_is_marked_late() -> None:
    story = Story(HALTS_WHEN_FULL).advance(hours=3).given(step("told", level=1))

    assert story.sends("noted", at="10:30").decision["late"] is True
    assert "late" not in story.sends("noted").decision


def test_the_same_time_again_is_not_late() -> None:
    story = Story(HALTS_WHEN_FULL).given(step("told", level=1))

    assert "late" not in story.sends("noted").decision


def test_a_late_request_does_not_see_what_came_after_its_time() -> None:
    story = Story(tiny(guards={"full": level >= 50}, ways=[way("rise", "full")]))
    story.sends("told", at="09:00", level=10)
    story.sends("told", at="10:00", level=60)

    assert story.sends("rise", at="09:30").decision["reason"] == "guard-failed"
    assert story.sends("rise", at="10:00").verdict == "accepted"


def test_a_late_request_finds_what_was_fresh_at_its_time() -> None:
    story = Story(tiny(guards={"full": level >= 50}, ways=[way("rise", "full")]))
    story.sends("told", at="09:00", level=60)
    story.sends("noted", at="12:00")

    assert missing(story.sends("rise", at="12:00")) == ("level",)
    assert story.sends("rise", at="09:45").verdict == "accepted"


def test_a_rule_that_held_at_the_late_time_acts_now() -> None:
    story = Story(HALTS_WHEN_FULL)
    story.sends("told", at="12:00", level=10)
    answer = story.sends("told", at="09:00", level=95)

    assert fired(answer) == ("flooded",)
    assert answer.state == "halted"
    story.verify()


def test_a_late_reading_does_not_take_the_place_of_a_later_one() -> None:
    story = Story(HALTS_WHEN_FULL)
    story.sends("told", at="12:00", level=10)
    story.sends("told", at="09:00", level=95)

    assert story.snapshot.latest["level"].value == 10


def test_what_held_only_at_the_late_time_does_not_go_on_holding() -> None:
    story = Story(HALTS_WHEN_FULL)
    story.sends("told", at="12:00", level=10)
    story.sends("told", at="09:00", level=95)

    assert fired(story.sends("noted")) == ()


LOW_TWICE = Sustained(
    "level", "<", Constant(Decimal(30)), Constant(Decimal(2)), Constant(hours(24)),
    hours(24 * 7), Truth.NO, Truth.NO,
)  # fmt: skip


def test_a_run_that_a_late_reading_completes_counts() -> None:
    """At its own time the first count of a run is no run yet; with the one already known it is."""
    workflow = tiny(guards={"low_twice": LOW_TWICE}, rules=[Rule(guard="low_twice", action="halt")])
    story = Story(workflow, start="2026-03-02 08:00").advance(days=2)
    story.sends("told", level=29)
    answer = story.sends("told", at="2026-03-03 08:00", level=29)

    assert fired(answer) == ("low_twice",)
    assert answer.state == "halted"
    story.verify()


def test_a_run_that_a_late_reading_breaks_no_longer_counts() -> None:
    workflow = tiny(
        guards={"low_twice": LOW_TWICE},
        rules=[Rule(guard="low_twice", action="tell", advice=("look",))],
    )
    story = Story(workflow, start="2026-03-02 08:00")
    story.sends("told", level=29)
    story.advance(hours=25)
    assert fired(story.sends("told", level=29)) == ("low_twice",)

    story.sends("told", at="2026-03-02 20:00", level=31)
    assert fired(story.sends("noted")) == ()


def test_a_question_of_a_late_event_is_asked_of_the_present() -> None:
    """A value that was missing at its own time is known by now: there is nothing left to ask."""
    story = Story(HALTS_WHEN_FULL)
    story.sends("told", at="12:00", level=10)
    answer = story.sends("noted", at="09:00")

    assert unweighed(answer) == {}
    assert story.questions == {}


def test_whether_it_was_late_can_be_asked() -> None:
    workflow = tiny(
        guards={"late": Late()}, rules=[Rule(guard="late", action="tell", advice=("late",))]
    )
    story = Story(workflow).given(step("noted", at="12:00"))

    assert fired(story.sends("noted", at="11:00")) == ("late",)
    assert fired(story.sends("noted", at="12:00")) == ()


def test_a_late_event_knows_on_which_day_it_was_learnt() -> None:
    learnt = Variable(name="learnt", kind="date")
    workflow = tiny(
        variables=[learnt], updates={"noted": {"learnt": LatestDay()}},
        guards={"today": learnt.is_(Today())}, ways=[way("rise", "today")],
    )  # fmt: skip
    story = Story(workflow, start="2026-03-02 12:00").advance(days=3)
    story.given(step("noted"))
    assert story.variables["learnt"] == date(2026, 3, 5)

    story.sends("noted", at="2026-03-02 11:00")
    assert story.variables["learnt"] == date(2026, 3, 5)
    story.verify()


def test_updates_of_a_late_event_are_made_on_the_course_as_it_is() -> None:
    workflow = tiny(
        variables=[n], updates={"noted": {"n": n + 1}},
        guards={"many": n >= 2, "red": colour.is_("red")}, ways=[way("rise", "many", "red")],
    )  # fmt: skip
    story = Story(workflow).given(step("noted", at="12:00"), step("noted", at="09:00"))

    assert story.variables["n"] == 2
    story.verify()


def test_the_latest_time_known_does_not_go_back() -> None:
    story = Story(HALTS_WHEN_FULL).given(step("noted", at="12:00"))
    latest = story.snapshot.last_at
    story.sends("noted", at="09:00")

    assert story.snapshot.last_at == latest
