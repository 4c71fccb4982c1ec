"""Hindsight against an independent account: the same course, told right from the start."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.definition import Rule, Variable
from engine.core.expression import Constant, Latest, Sustained, Truth
from engine.core.hindsight import Hindsight
from engine.core.reconsideration import reconsider
from engine.testing import Story
from engine.zones import Zones
from tests.core.tiny import level, tiny, way

SEEN = Variable(name="seen", kind="number")
TWO, AN_HOUR = Constant(Decimal(2)), Constant(timedelta(hours=1))
THREE_HOURS = timedelta(hours=3)
WORKFLOW = tiny(
    guards={
        "flooded": level > 90,
        "long_low": Sustained(
            "level", "<", Constant(Decimal(30)), TWO, AN_HOUR, THREE_HOURS, Truth.NO, Truth.NO
        ),
        "seen_full": SEEN >= 50,
    },
    ways=[way("rise", "seen_full")],
    rules=[
        Rule(guard="flooded", action="halt", advice=("pump",)),
        Rule(guard="long_low", action="tell", advice=("fill",)),
    ],
    variables=[SEEN],
    updates={"told": {"seen": Latest("level")}},
)
"""A limit, a window, a requirement, and a variable that is made of readings."""

LEVELS = st.sampled_from([10, 20, 40, 60, 85, 95])
STEP = st.one_of(
    st.tuples(st.just("told"), LEVELS, st.one_of(st.none(), st.just("gone"), LEVELS)),
    st.tuples(st.sampled_from(["rise", "noted", "fell"]), st.none(), st.none()),
)
WAITS = st.sampled_from([5, 20, 45, 90, 200])
"""Minutes."""


def sent(story: Story, name: str, value: int | None) -> Any:
    return story.sends(name) if value is None else story.sends(name, level=value)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.tuples(STEP, WAITS), min_size=1, max_size=10))
def test_up_to_a_first_difference_it_is_what_had_been_decided_of_the_right_values(
    steps: list[Any],
) -> None:
    wrong, right = Story(WORKFLOW), Story(WORKFLOW)
    corrections = []
    for (name, value, better), wait in steps:
        answer = sent(wrong, name, value)
        if better is not None:
            corrections.append((answer, better))
        if name == "told":
            then = value if better is None else None if better == "gone" else better
            sent(right, "told", then) if then is not None else right.sends("told", colour="red")
        else:
            sent(right, name, None)
        for story in (wrong, right):
            story.advance(minutes=wait)
    for answer, better in corrections:
        if better == "gone":
            wrong.retracts(answer, "level")
        else:
            wrong.corrects(answer, "level", better)
    believed = wrong.auditor.playback("course-1")
    told_right = right.auditor.playback("course-1")

    for number in range(1, len(steps) + 2):
        assert believed.believed(number).outcome == told_right.step(number).outcome, number
        if believed.step(number).outcome != told_right.step(number).outcome:
            break  # from here on the two are different courses
    wrong.verify()


REMEMBERING_NOTHING = tiny(
    guards={
        "flooded": level > 90,
        "long_low": Sustained(
            "level", "<", Constant(Decimal(30)), TWO, AN_HOUR, THREE_HOURS, Truth.NO, Truth.NO
        ),
        "full": level >= 50,
    },
    ways=[way("rise", "full")],
    rules=[
        Rule(guard="flooded", action="halt", advice=("pump",)),
        Rule(guard="long_low", action="tell", advice=("fill",)),
    ],
)

EVENTS = st.tuples(st.sampled_from(["told", "told", "rise", "noted"]), LEVELS, st.integers(0, 5))


def course_of(workflow: Any, steps: list[Any], fixes: list[Any]) -> Story:
    """Events in and out of time, then corrections of what they told."""
    story = Story(workflow)
    told = []
    for (name, value, late), wait in steps:
        at = story.now - timedelta(minutes=30 * late)
        if name == "told":
            told.append(story.sends("told", at=at, level=value))
        else:
            story.sends(name, at=at)
        story.advance(minutes=wait)
    for which, better in fixes:
        if told and better == "gone":
            story.retracts(told[which % len(told)], "level")
        elif told:
            story.corrects(told[which % len(told)], "level", better)
    return story


@settings(max_examples=100, deadline=None)
@given(
    workflow=st.sampled_from([WORKFLOW, REMEMBERING_NOTHING]),
    steps=st.lists(st.tuples(EVENTS, WAITS), min_size=2, max_size=10),
    fixes=st.lists(st.tuples(st.integers(0, 9), st.one_of(st.just("gone"), LEVELS)), max_size=4),
)
def test_what_cannot_have_seen_what_is_new_is_rightly_not_weighed(
    workflow: Any, steps: list[Any], fixes: list[Any]
) -> None:
    """What a late entry or correction changes is the same when every record is weighed with it."""
    story = course_of(workflow, steps, fixes)
    told = [body["event"]["data"] for body in story.events("course.reconsidered")]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.core.reconsideration._first", lambda *_: 1)
        patched.setattr("engine.core.reconsideration._Weighing._is_apart", lambda *_: True)
        records, machine = story.records, story.auditor.playback("course-1").machine
        again = [
            reconsider(records[: record.seq - 1], lambda _: machine, Zones().of(story.zone.key))
            for record in records
            if record.event == "course.reconsidered"
        ]

    assert again == told
    story.verify()


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.tuples(EVENTS, WAITS), min_size=2, max_size=10),
    fixes=st.lists(st.tuples(st.integers(0, 9), st.one_of(st.just("gone"), LEVELS)), max_size=4),
)
def test_what_is_too_old_to_be_seen_is_rightly_not_compared(
    steps: list[Any], fixes: list[Any]
) -> None:
    """Late entries and corrections in any order: the short cut changes no outcome."""
    story = course_of(WORKFLOW, steps, fixes)
    short = story.auditor.playback("course-1")
    found = [short.believed(step.seq).outcome for step in short]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Hindsight, "may_matter", lambda *_, **__: True)
        whole = story.auditor.playback("course-1")
        assert [whole.believed(step.seq).outcome for step in whole] == found
    story.verify()
