"""Where a running course stands under two definitions at one moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from engine.core.definition import Rule, State, Workflow
from engine.core.inquiry import blank
from engine.core.standpoint import Otherwise, otherwise
from engine.registry import compiled, stored_form
from engine.testing import Story
from engine.zones import Zones
from tests.core.test_what_if import bell, rung
from tests.core.tiny import colour, level, tiny, way


def seen(story: Story, other: Workflow, at: datetime | None = None) -> Otherwise:
    recorded, amended = (compiled(stored_form(w)) for w in (story.workflow, other))
    when = at or story.clock.now()
    return otherwise(
        story.records,
        recorded=lambda _: recorded,
        other=lambda _: amended,
        zones=Zones().of,
        blank=lambda machine, name: blank(machine, story.course, name, when),
    )


def watching(limit: int, *requires: str, **guards: Any) -> Workflow:
    return tiny(
        guards={"enough": level > 10, "much": level > limit, **guards},
        ways=[way("rise", "enough", *requires)],
        rules=[Rule(guard="much", action="tell")],
    )


def at_level(value: int) -> Story:
    story = Story(watching(90), start="2026-03-02 08:00")
    story.sends("told", level=value)
    return story


def test_a_course_that_both_see_alike_does_not_differ() -> None:
    assert not seen(at_level(50), watching(80)).differs


def test_a_rule_that_would_hold_now_is_told() -> None:
    found = seen(at_level(50), watching(40))

    ((name, before, after),) = [(t.name, t.before, t.after) for t in found.rules]
    assert (name, before, after) == ("much", "no", "yes")
    assert found.decides
    assert found.options == ()


def test_an_option_that_would_close_names_what_closes_it() -> None:
    found = seen(at_level(50), watching(90, "is_green", is_green=colour.is_("green")))

    (turn,) = found.options
    assert (turn.name, turn.before, turn.after, turn.unmet) == (
        "rise", "yes", "unknown", ("is_green",),
    )  # fmt: skip


def test_a_reading_that_is_too_old_by_then_is_unknown_to_both() -> None:
    story = at_level(50)

    found = seen(story, watching(40), at=story.clock.now() + timedelta(hours=2))

    assert not found.differs


def test_a_timer_that_waits_for_another_time_only_waits_otherwise() -> None:
    story = Story(bell(6), start="2026-03-02 08:00")
    story.sends("noted")

    found = seen(story, bell(3))

    assert [(w.kind, w.name) for w in found.waits] == [("timer", "bell")]
    assert not found.decides


def test_a_state_that_the_other_does_not_have_is_told_and_nothing_else() -> None:
    story = rung()
    other = replace(
        bell(6),
        states=tuple(
            State(name=s.name.replace("halted", "stopped"), stage=s.stage, closed=s.closed)
            for s in bell(6).states
        ),
        transitions=tuple(
            replace(
                t,
                sources=tuple(s.replace("halted", "stopped") for s in t.sources),
                target="stopped" if t.target == "halted" else t.target,
            )
            for t in bell(6).transitions
        ),
    )

    found = seen(story, other)

    assert (found.lost, found.state, found.options) == (True, "halted", ())
