"""Nothing is overwritten: a correction names the record, and what follows is weighed with it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.core.definition import Rule, Variable
from engine.core.expression import Constant, Revised, Sum, Sustained, Truth, hours
from engine.errors import InvalidInput
from engine.testing import Story, fired, kept_by, missing, step
from tests.core.tiny import colour, level, tiny, way

WORKFLOW = tiny(
    guards={"flooded": level > 90, "full": level >= 50},
    ways=[way("rise", "full")],
    rules=[Rule(guard="flooded", action="halt", advice=("pump",))],
)


def test_a_corrected_value_is_the_one_that_is_weighed() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    story.corrects(wrong, "level", 60)

    assert story.sends("rise").verdict == "accepted"
    story.verify()


def test_the_wrong_value_stays_readable_in_its_record() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    story.corrects(wrong, "level", 60)
    (before,) = story.events("told")
    (correction,) = story.events("course.corrected")

    assert before["event"]["data"] == {"level": 40}
    assert correction["event"]["data"] == {"record": wrong.seq, "input": "level", "value": 60}


def test_a_rule_that_holds_with_the_corrected_value_acts() -> None:
    story = Story(WORKFLOW)
    answer = story.corrects(story.sends("told", level=9), "level", 99)

    assert fired(answer) == ("flooded",)
    assert answer.state == "halted"
    story.verify()


def test_a_rule_that_fired_on_a_wrong_value_ceases_and_the_course_is_not_moved_back() -> None:
    story = Story(WORKFLOW)
    answer = story.corrects(story.sends("told", level=99), "level", 9)

    assert fired(answer) == ()
    assert answer.state == "halted", "what was decided is flagged, never rewritten"


def test_what_was_entered_in_error_is_no_value_and_says_so() -> None:
    """In a definition that was written when a reading in error hid the one before it."""
    story = Story(replace(WORKFLOW, semantics=1))
    story.sends("told", at="08:50", level=70)
    story.corrects(story.sends("told", level=60), "level")
    answer = story.sends("rise")

    assert answer.decision["reason"] == "guard-undecided"
    assert missing(answer) == ("level",)
    (finding,) = answer.decision["attempts"][0]["kept_by"][0]["findings"]
    assert finding["missing"] == ["level (entered-in-error)"]
    story.verify()


def test_what_was_entered_in_error_is_as_if_it_had_never_been_taken() -> None:
    story = Story(WORKFLOW)
    story.sends("told", at="08:50", level=70)
    story.corrects(story.sends("told", level=40), "level")

    assert story.snapshot.latest["level"].value == 70
    assert story.sends("rise").verdict == "accepted"
    story.verify()


def test_where_everything_was_entered_in_error_there_is_no_value() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=60)
    story.corrects(wrong, "level")
    answer = story.sends("rise")

    assert answer.decision["reason"] == "guard-undecided"
    (finding,) = answer.decision["attempts"][0]["kept_by"][0]["findings"]
    assert finding["missing"] == ["level (missing)"]
    story.verify()


def test_an_earlier_value_that_is_entered_late_counts_after_a_later_one_in_error() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", at="09:00", level=40)
    story.corrects(wrong, "level")
    story.sends("told", at="08:30", level=60)

    assert story.snapshot.latest["level"].value == 60
    assert story.sends("rise").verdict == "accepted"
    story.corrects(wrong, "level", 10)
    assert story.snapshot.latest["level"].value == 10
    story.verify()


def test_a_value_that_cannot_be_stays_unknown_and_is_named() -> None:
    story = Story(WORKFLOW)
    story.sends("told", at="08:50", level=70)
    story.sends("told", level=400)
    answer = story.sends("rise")

    (finding,) = answer.decision["attempts"][0]["kept_by"][0]["findings"]
    assert finding["missing"] == ["level (impossible)"]


TALLY = Variable(name="tally", kind="number")
RECOUNTED = tiny(
    guards={"revised": Revised("level"), "many": TALLY > 99},
    ways=[way("rise", "many")],
    variables=[TALLY],
    rules=[
        Rule(
            guard="revised",
            action="tell",
            updates={"tally": Sum("level", hours(240), Truth.NO)},
            advice=("look",),
        )
    ],
)


def test_what_was_added_up_is_added_up_again_when_a_reading_before_the_latest_changes() -> None:
    story = Story(RECOUNTED)
    first = story.sends("told", at="08:00", level=10)
    assert fired(story.sends("told", at="09:00", level=20)) == ()
    assert fired(story.sends("told", at="08:30", level=5)) == ("revised",)
    assert story.variables["tally"] == 35

    story.corrects(first, "level", 1)
    assert story.variables["tally"] == 26
    story.corrects(first, "level")
    assert story.variables["tally"] == 25
    assert fired(story.sends("noted")) == ()
    story.verify()


def test_a_correction_keeps_the_time_of_what_it_corrects() -> None:
    """A stale value is not freshened by correcting it."""
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    story.advance(hours=2)
    story.corrects(wrong, "level", 60)

    assert story.sends("rise").decision["reason"] == "guard-undecided"


def test_an_earlier_reading_is_corrected_in_its_place() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", at="09:00", level=40)
    story.sends("told", at="09:30", level=70)
    story.corrects(wrong, "level", 30)

    assert story.snapshot.latest["level"].value == 70
    assert story.sends("rise").verdict == "accepted"
    story.verify()


def test_a_correction_is_corrected_again_under_either_record() -> None:
    for named in (0, 1):
        story = Story(WORKFLOW)
        first = story.sends("told", level=10)
        second = story.corrects(first, "level", 20)
        story.corrects((first, second)[named], "level", 70)

        assert story.snapshot.latest["level"].value == 70
        assert story.sends("rise").verdict == "accepted"
        story.verify()


def test_a_third_correction_still_finds_the_first_record() -> None:
    story = Story(WORKFLOW)
    first = story.sends("told", level=10)
    story.corrects(first, "level", 20)
    story.corrects(first, "level", 30)
    story.corrects(first, "level", 70)

    assert story.snapshot.latest["level"].value == 70
    story.verify()


def test_a_value_entered_in_error_can_be_put_right_again() -> None:
    story = Story(WORKFLOW)
    first = story.sends("told", level=60)
    story.corrects(first, "level")
    story.corrects(first, "level", 60)

    assert story.sends("rise").verdict == "accepted"
    story.verify()


def test_a_correction_of_what_is_not_there_is_malformed_and_no_record() -> None:
    story = Story(WORKFLOW)
    answer = story.sends("told", colour="red")
    for input_name in ("level", "colour"):
        if input_name == "level":
            with pytest.raises(InvalidInput, match="record"):
                story.corrects(answer, "level", 3)
    assert len(story.records) == 2


def test_a_correction_without_a_reason_is_malformed() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)

    with pytest.raises(InvalidInput, match="reason"):
        story.sends("course.corrected", record=wrong.seq, input="level", value="41")


def test_a_window_is_read_with_the_correction() -> None:
    low_twice = Sustained(
        "level", "<", Constant(Decimal(30)), Constant(Decimal(2)), Constant(hours(24)),
        hours(24 * 7), Truth.NO, Truth.NO,
    )  # fmt: skip
    workflow = tiny(guards={"low_twice": low_twice}, rules=[Rule(guard="low_twice", action="halt")])
    story = Story(workflow)
    story.sends("told", level=29)
    story.advance(hours=12)
    wrong = story.sends("told", level=92)
    story.advance(hours=12)
    assert fired(story.sends("told", level=29)) == ()

    assert fired(story.corrects(wrong, "level", 29)) == ("low_twice",)
    assert story.state == "halted"
    story.verify()


def test_later_decisions_that_relied_on_the_wrong_value_are_listed_and_stay() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=60)
    relied = story.sends("rise")
    story.corrects(wrong, "level", 10)
    after = story.sends("noted")
    listed = story.auditor.relied_on(story.course, wrong.seq, "level")

    assert relied.seq in [found.seq for found in listed]
    assert after.seq not in [found.seq for found in listed]
    assert story.state == "high"
    (found,) = [f for f in listed if f.seq == relied.seq]
    assert "full" in found.guards


def test_a_correction_that_makes_a_requirement_fail_is_seen_by_the_next_request() -> None:
    story = Story(WORKFLOW).given(step("told", level=60))
    story.corrects(story.answers[-1], "level", 10)

    assert kept_by(story.sends("rise")) == ("full",)


def test_a_correction_is_weighed_as_of_the_corrected_readings_own_time_too() -> None:
    """Entered late, the same value would have acted at its own time; corrected, it must as well."""
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=9)
    story.advance(minutes=20).sends("told", level=10)
    story.advance(minutes=20)
    answer = story.corrects(wrong, "level", 99)

    assert fired(answer) == ("flooded",)
    assert answer.state == "halted"
    story.verify()


def test_a_correction_delivers_no_rule_that_reads_nothing_of_what_was_corrected() -> None:
    workflow = tiny(
        guards={"flooded": level > 90, "full": level >= 50, "is_red": colour.is_("red")},
        ways=[way("rise", "full")],
        rules=[Rule(guard="flooded", action="halt", advice=("pump",)),
               Rule(guard="is_red", action="tell")],
    )  # fmt: skip
    story = Story(workflow)
    wrong = story.sends("told", level=9, colour="red")
    story.advance(minutes=20).sends("told", level=10, colour="green")
    story.advance(minutes=20)

    assert fired(story.corrects(wrong, "level", 11)) == ()
