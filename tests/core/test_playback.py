"""A course replayed in four senses, step by step, and what was known on both time axes."""

from __future__ import annotations

from typing import NoReturn

import pytest

from engine.core.definition import Rule, Variable
from engine.core.expression import Latest
from engine.core.playback import Playback, Sense
from engine.errors import InvalidInput, NotFound, UnknownWorkflow
from engine.registry import Registry
from engine.testing import Story
from engine.zones import Zones
from tests.core.tiny import level, tiny, way

SEEN = Variable(name="seen", kind="number")
WORKFLOW = tiny(
    guards={"flooded": level > 90, "full": level >= 50, "seen_full": SEEN >= 50},
    ways=[way("rise", "full", "seen_full")],
    rules=[Rule(guard="flooded", action="tell", advice=("pump",))],
    variables=[SEEN],
    updates={"told": {"seen": Latest("level")}},
)


def _unknown(_: Registry, digest: str, __: object) -> NoReturn:
    raise UnknownWorkflow(digest, ())


@pytest.fixture
def story() -> Story:
    """Record 2 says 40 and should have said 60; 3 is refused for it; 4 corrects it."""
    told = Story(WORKFLOW)
    wrong = told.sends("told", at="09:00", level=40)
    told.sends("rise", at="09:10")
    told.advance(minutes=5)
    told.corrects(wrong, "level", 60)
    return told


def test_a_corrected_value_is_marked_as_recorded_and_not_as_it_was_known(story: Story) -> None:
    playback = story.auditor.playback("course-1")
    recorded = playback.shown(3, Sense.RECORDED)["readings"]
    known = playback.shown(3, Sense.KNOWN)["readings"]

    assert [(r["value"], r["record"], r["corrected_by"]) for r in recorded] == [("40", 2, 4)]
    assert [(r["value"], r["record"], r["corrected_by"]) for r in known] == [("40", 2, None)]


def test_a_step_as_now_believed_is_weighed_with_the_corrected_value(story: Story) -> None:
    shown = story.auditor.playback("course-1").shown(3, Sense.BELIEVED)

    assert [(r["value"], r["record"], r["first"]) for r in shown["readings"]] == [("60", 4, 2)]
    assert shown["record"]["verdict"] == "refused"
    assert (shown["outcome"]["verdict"], shown["outcome"]["state"]) == ("accepted", "high")
    assert shown["differs"] == {"believed": True, "again": False}


def test_what_a_variable_took_from_a_wrong_value_is_believed_to_be_another(story: Story) -> None:
    playback = story.auditor.playback("course-1")

    assert playback.shown(2)["believed_variables"] == {"seen": "60"}
    assert playback.step(2).row["variables"]["seen"] == "40"


def test_what_a_course_remembers_otherwise_than_is_believed_is_told_until_it_is_derived_anew(
    story: Story,
) -> None:
    assert story.auditor.believed_variables("course-1") == {"seen": 60}

    story.sends("told", at="09:20", level=60)

    assert story.auditor.believed_variables("course-1") == {}


def test_what_is_believed_counts_a_correction_of_which_nobody_recorded_what_it_changes(
    story: Story,
) -> None:
    """As an engine of before made them."""
    whole = story.auditor.playback("course-1")
    older = Playback("course-1", story.records[:4], lambda _: whole.machine, Zones().of)

    assert older.believed_variables() == {"seen": 60}


def test_of_a_course_whose_definition_is_gone_it_is_told_that_nothing_can_be_believed(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registry, "machine", _unknown)

    assert story.auditor.believed_variables("course-1") is None


def test_only_the_steps_that_would_come_to_something_else_differ(story: Story) -> None:
    assert story.auditor.playback("course-1").differing() == [3]


def test_a_value_that_is_lower_than_believed_takes_its_rules_back() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=95)
    story.corrects(wrong, "level")
    playback = story.auditor.playback("course-1")

    assert playback.step(2).outcome.fired == ("flooded",)
    assert playback.believed(2).outcome.fired == ()
    assert playback.believed(2).readings == {}
    assert playback.differing() == [2]


def test_a_late_entry_is_believed_of_the_time_at_which_it_happened() -> None:
    story = Story(WORKFLOW)
    story.sends("told", at="09:00", level=60)
    story.sends("told", at="09:20", colour="red")
    story.sends("told", at="09:10", level=95)
    playback = story.auditor.playback("course-1")

    assert playback.step(3).readings["level"].reading.value == 60
    assert playback.believed(3).readings["level"].reading.value == 95
    assert playback.believed(3).outcome.fired == ("flooded",)
    assert playback.differing() == [3]


def test_each_decision_weighed_again_is_the_recorded_one(story: Story) -> None:
    playback = story.auditor.playback("course-1")

    for step in playback:
        assert playback.again(step.seq).differences == ()
        assert playback.shown(step.seq, Sense.AGAIN)["decision"] == step.body["decision"]


def test_steps_forward_and_back_are_the_same_steps_made_once(story: Story) -> None:
    playback = story.auditor.playback("course-1")
    last, first = playback.step(4), playback.step(1)

    assert playback.step(4) is last
    assert playback.step(1) is first
    assert [step.seq for step in playback] == [1, 2, 3, 4, 5]
    assert playback.step(5).row == story.auditor.replay("course-1")


def test_the_step_at_an_instant_is_what_had_been_recorded_by_then(story: Story) -> None:
    playback = story.auditor.playback("course-1")

    assert playback.at(story.at("09:00")).seq == 2
    assert playback.at(story.at("09:12")).seq == 3
    with pytest.raises(InvalidInput, match="at: expected an instant from"):
        playback.at(story.at("07:00"))


def test_a_step_that_is_not_there_is_an_error_that_says_how_many_there_are(story: Story) -> None:
    with pytest.raises(InvalidInput, match="1 to 5"):
        story.auditor.playback("course-1").step(6)


def test_a_course_without_records_is_not_found(story: Story) -> None:
    with pytest.raises(NotFound):
        story.auditor.playback("course-9")
    with pytest.raises(NotFound):
        Playback("course-1", (), lambda _: None, lambda _: None)  # type: ignore[arg-type]


def test_readings_are_asked_for_on_both_time_axes() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", at="09:00", level=40)
    story.sends("told", at="09:30", level=70)
    story.sends("told", at="09:10", level=50)
    story.until("10:00").corrects(wrong, "level", 41)

    def values(**by: str) -> list[tuple[int, int | None]]:
        asked = {name: story.at(when) for name, when in by.items()}
        found = story.auditor.readings("course-1", **asked).get("level", [])
        return [(int(one.reading.value), one.corrected_by) for one in found]

    assert values() == [(41, None), (50, None), (70, None)]
    assert values(happened_by="09:20") == [(41, None), (50, None)]
    assert values(recorded_by="09:00") == [(40, 6)]
    assert values(recorded_by="09:30", happened_by="09:00") == [(40, 6)]
    assert values(recorded_by="09:30", happened_by="09:20") == [(40, 6), (50, None)]
