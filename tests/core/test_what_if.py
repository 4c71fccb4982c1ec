"""What another definition would have decided, and what nobody can know."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.core.contrast import Aspect, outcome_of
from engine.core.definition import Event, Field, Rule, State, Timer, Transition, Workflow
from engine.core.expression import Now, hours, minutes
from engine.core.supposition import Pair, Supposition, Why
from engine.core.what_if import Policy, side_by_side, what_if
from engine.registry import compiled, stored_form
from engine.testing import Story
from engine.zones import Zones
from tests.core.test_reconsideration import WORKFLOW as CORRECTED
from tests.core.test_reconsideration import disposes, refused_for_a_typing_error
from tests.core.test_timers import since
from tests.core.tiny import colour, level, n_of, soft, tiny, told, way
from workflows.instrument_calibration import WORKFLOW as GAUGES

RISES = tiny(guards={"enough": level > 10}, ways=[way("rise", "enough")])
EVERY = pytest.mark.parametrize("policy", Policy)


def suppose(story: Story, other: Workflow, policy: Policy = Policy.FOLLOW_RECORDED) -> Supposition:
    recorded, amended = (compiled(stored_form(w)) for w in (story.workflow, other))
    return what_if(
        story.records,
        recorded=lambda _: recorded,
        other=lambda _: amended,
        zones=Zones().of,
        policy=policy,
    )


def beside(story: Story, other: Workflow, policy: Policy) -> tuple[Supposition, tuple[Pair, ...]]:
    recorded, amended = (compiled(stored_form(w)) for w in (story.workflow, other))
    return side_by_side(
        story.records,
        recorded=lambda _: recorded,
        other=lambda _: amended,
        zones=Zones().of,
        policy=policy,
    )


def turned(found: Supposition) -> list[tuple[int, str, str, str]]:
    return [(d.seq, f.guard, f.recorded, f.again) for d in found.divergences for f in d.flips]


def silent(found: Supposition) -> list[tuple[int, Why]]:
    return [(one.seq, one.why) for one in found.unjudged]


def rising(*levels: int) -> Story:
    """Each level told and a rise asked for, and back down after it."""
    story = Story(RISES, start="2026-03-02 08:00")
    for one in levels:
        story.sends("told", level=one)
        if not story.sends("rise").refused:
            story.sends("fell")
    return story


def enough(limit: int, **more: Any) -> Workflow:
    return tiny(guards={"enough": level > limit}, ways=[way("rise", "enough")], **more)


# --- the policies ---------------------------------------------------------------------------------


@EVERY
def test_nothing_diverges_where_the_amended_definition_decides_alike(policy: Policy) -> None:
    found = suppose(rising(50, 5, 50), enough(9), policy)

    assert (found.records, found.judged, found.first) == (9, 9, None)
    assert not found.unjudged


def test_each_decision_is_made_by_itself_from_the_recorded_course() -> None:
    found = suppose(rising(15, 50, 15), enough(20))

    assert turned(found) == [(3, "enough", "yes", "no"), (9, "enough", "yes", "no")]
    assert found.judged == found.records == 10
    first = found.first
    assert first is not None
    assert first.recorded is not None
    assert (first.recorded.said, first.again.said) == ("accepted", "refused (guard-failed)")
    assert first.flipped


def test_after_the_first_difference_a_policy_may_stop() -> None:
    found = suppose(rising(15, 50, 15), enough(20), Policy.STOP)

    assert turned(found) == [(3, "enough", "yes", "no")]
    assert (found.records, found.judged) == (10, 3)


def test_what_belongs_to_the_recorded_way_is_not_judged_when_the_other_is_followed() -> None:
    """The rise would have been refused, so nobody would have told of the fall after it."""
    found = suppose(rising(15, 50), enough(20), Policy.FOLLOW_NEW)

    assert turned(found) == [(3, "enough", "yes", "no")]
    assert silent(found) == [(4, Why.OTHER_WAY)]
    assert found.judged == found.records - 1


def test_what_a_report_of_the_recorded_way_observed_stays_known() -> None:
    story = Story(tiny(guards={"enough": level > 10}, ways=[
        way("rise", "enough"), way("told", sources=("low",)), way("high_told", event="told",
                                                                   sources=("high",)),
    ]), start="2026-03-02 08:00")  # fmt: skip
    story.sends("told", level=15)
    story.sends("rise")
    story.sends("told", level=30)
    other = tiny(guards={"enough": level > 20}, ways=[
        way("rise", "enough"), way("high_told", event="told", sources=("high",)),
    ])  # fmt: skip
    story.sends("rise")

    found = suppose(story, other, Policy.FOLLOW_NEW)

    assert (4, Why.OTHER_WAY) in silent(found)
    last = found.divergences[-1]
    assert (last.seq, last.again.said, last.again.state) == (5, "accepted", "high")


# --- what was never recorded ----------------------------------------------------------------------


def test_a_decision_that_only_lacks_what_was_not_recorded_is_not_a_flipped_one() -> None:
    other = tiny(
        guards={"enough": level > 10, "is_green": colour.is_("green")},
        ways=[way("rise", "enough", "is_green")],
    )

    found = suppose(rising(50), other)

    first = found.first
    assert first is not None
    assert first.again.said == "refused (guard-undecided)"
    assert (first.judged, first.flipped) == (False, False)
    assert first.lacks == ("colour (missing)",)
    assert turned(found) == [(3, "is_green", "not weighed", "unknown")]


def test_a_decision_that_would_be_refused_all_the_same_is_a_flipped_one() -> None:
    other = tiny(
        guards={"enough": level > 90, "is_green": colour.is_("green")},
        ways=[way("rise", "enough", "is_green")],
    )

    found = suppose(rising(50), other)

    assert found.first is not None
    assert found.first.flipped


def test_an_event_that_lacks_a_new_field_is_not_judged_and_its_readings_stay_known() -> None:
    asks = replace(told, fields=(*told.fields, Field(name="who", kind="code", codes=("me",),
                                                     required=True)))  # fmt: skip
    other = with_event(enough(20), asks)

    found = suppose(rising(15, 50), other)

    assert silent(found) == [(2, Why.UNREADABLE), (5, Why.UNREADABLE)]
    assert "data.who" in found.unjudged[0].what
    assert turned(found) == [(3, "enough", "yes", "no")]


def test_a_field_that_the_amended_definition_does_not_have_keeps_nothing_from_being_read() -> None:
    other = with_event(enough(20), replace(told, fields=told.fields[:1]))
    story = Story(RISES, start="2026-03-02 08:00")
    story.sends("told", level=15, colour="red")

    found = suppose(story, other)

    assert not found.unjudged


def test_a_state_that_it_does_not_have_is_told_until_the_course_leaves_it() -> None:
    states = tuple(
        State(name=s.name if s.name != "high" else "higher", stage=s.stage, closed=s.closed)
        for s in RISES.states
    )
    other = replace(
        RISES,
        states=states,
        transitions=tuple(
            replace(
                t,
                target="higher" if t.target == "high" else t.target,
                sources=tuple("higher" if s == "high" else s for s in t.sources),
            )
            for t in RISES.transitions
        ),
    )

    found = suppose(rising(50, 50), other)

    assert [why for _, why in silent(found)] == [Why.NO_SUCH_STATE, Why.NO_SUCH_STATE]
    assert [d.again.state for d in found.divergences] == ["higher", "higher"]


def test_an_override_of_a_guard_that_it_does_not_have_keeps_nothing_from_being_read() -> None:
    story = Story(
        tiny(guards={"enough": level > 10, "calm": level < 5},
             ways=[way("rise", "enough", soft("calm"))]),
        start="2026-03-02 08:00",
    )  # fmt: skip
    story.sends("told", level=50)
    assert not story.sends("rise", role="chief", override=["calm"], code="urgent").refused

    found = suppose(story, enough(10))

    assert not found.unjudged
    assert not any(Aspect.DECISION in d.aspects for d in found.divergences)


@EVERY
def test_what_is_said_of_records_is_taken_as_it_was_recorded(policy: Policy) -> None:
    """A finding that a correction opened, and its disposal, are no matter of the definition."""
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)
    disposes(story)
    watched = replace(
        CORRECTED,
        rules=(*CORRECTED.rules, Rule(guard="full", action="tell", places=("stopping",))),
        variables=(n_of("n"),),
    )

    found = suppose(story, watched, policy)

    assert found.judged == found.records == 6
    assert not found.divergences


def test_a_finding_stays_open_after_a_difference() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)
    story.sends("told", level=65)
    disposes(story)
    watched = replace(CORRECTED, rules=(*CORRECTED.rules, Rule(guard="low", action="tell")),
                      guards=(*CORRECTED.guards, replace(CORRECTED.guards[0], name="low",
                              condition=(level < 70).tree())))  # fmt: skip

    found = suppose(story, watched)

    assert found.judged == found.records == 7
    assert found.divergences
    assert not any(Aspect.DECISION in one.aspects for one in found.divergences)


# --- what only the amended definition knows -------------------------------------------------------


def test_what_only_the_amended_definition_remembers_it_remembers_by_itself() -> None:
    n = n_of("rises")
    other = tiny(
        variables=[n],
        guards={"enough": level > 10, "few": n < 2},
        ways=[replace(way("rise", "enough", "few"), updates={"rises": (n + 1).tree()})],
    )

    found = suppose(rising(50, 50, 50), other)

    assert turned(found) == [(9, "few", "not weighed", "no")]


def test_a_rule_that_only_it_has_fires_from_the_recorded_readings() -> None:
    other = enough(10, rules=[Rule(guard="enough", action="tell")])

    found = suppose(rising(50), other)

    assert turned(found)[0] == (2, "enough", "not weighed", "yes")
    assert Aspect.TOLD in found.divergences[0].aspects


def test_another_unit_of_an_input_changes_no_decision() -> None:
    story = Story(GAUGES, start="2026-03-02 08:00")
    story.sends("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
    story.sends("release_instrument")
    story.sends("measurement_recorded", deviation="9 um")
    inputs = (replace(GAUGES.inputs[0], unit="mm", high=Decimal(1)), *GAUGES.inputs[1:])

    found = suppose(story, replace(GAUGES, inputs=inputs))

    assert (found.judged, found.divergences) == (4, ())


# --- timers ---------------------------------------------------------------------------------------


RANG = Transition(name="rang", event="rang", sources=("running",), target="halted")


def bell(after: int) -> Workflow:
    return tiny(
        variables=[since],
        updates={"noted": {"since": Now()}},
        ways=[RANG],
        timers=[Timer(name="bell", event="rang", due=since + hours(after), places=("running",))],
    )


def rung() -> Story:
    story = Story(bell(6), start="2026-03-02 08:00")
    story.sends("noted")
    story.advance(hours=8).sends("told", level=1)
    return story


def test_a_timer_that_waits_for_another_time_is_told_where_it_was_armed() -> None:
    found = suppose(rung(), bell(3))

    (first,) = found.divergences
    assert (first.seq, first.aspects) == (2, (Aspect.WAITING,))
    (wait,) = first.waits
    assert (wait.name, wait.recorded, wait.again) == (
        "bell", "2026-03-02T22:00:00Z", "2026-03-02T19:00:00Z",
    )  # fmt: skip
    assert silent(found) == [(3, Why.TIMER_NOT_WAITING)]


def test_when_the_other_is_followed_its_own_timers_come_at_their_own_times() -> None:
    found = suppose(rung(), bell(3), Policy.FOLLOW_NEW)

    armed, rang = found.divergences
    assert (armed.seq, rang.seq, rang.recorded) == (2, 2, None)
    assert rang.at is not None
    assert (rang.at.hour, rang.again.state) == (19, "halted")
    assert silent(found) == [(3, Why.TIMER_NOT_WAITING)]


def test_timers_that_do_not_end_end_the_course_and_not_the_question() -> None:
    story = Story(bell(6), start="2026-03-02 08:00")
    story.sends("noted")
    story.advance(days=1).sends("told", level=1)
    every_minute = tiny(
        variables=[since],
        updates={"noted": {"since": Now()}, "rang": {"since": Now()}},
        ways=[replace(RANG, target=None)],
        timers=[Timer(name="bell", event="rang", due=since + minutes(1), places=("running",))],
    )

    found = suppose(story, every_minute, Policy.FOLLOW_NEW)

    assert found.records == len(story.records) == 4
    assert silent(found) == [(4, Why.ENDLESS)]  # its 360th came with the recorded one


def with_event(workflow: Workflow, event: Event) -> Workflow:
    return replace(
        workflow,
        events=tuple(event if e.name == event.name else e for e in workflow.events),
    )


# --- side by side ---------------------------------------------------------------------------------


@EVERY
def test_side_by_side_finds_what_is_counted_and_leaves_no_record_out(policy: Policy) -> None:
    story, other = rising(15, 50, 15), enough(20)
    found, pairs = beside(story, other, policy)

    assert found == suppose(story, other, policy)
    assert [p.record.seq for p in pairs if p.record is not None] == list(range(1, 11))
    assert [p.divergence for p in pairs if p.divergence is not None] == list(found.divergences)
    assert [p.unjudged for p in pairs if p.unjudged is not None] == list(found.unjudged)
    for pair in pairs:
        if pair.divergence is not None and pair.decision is not None:
            assert outcome_of(pair.decision) == pair.divergence.again


def test_side_by_side_says_where_the_course_would_be_after_each_record() -> None:
    new = [p.state for p in beside(rising(15), enough(20), Policy.FOLLOW_NEW)[1]]
    stopped = [p.state for p in beside(rising(15), enough(20), Policy.STOP)[1]]

    assert new == ["low", "low", "low", "low"]
    assert stopped == ["low", "low", "high", None]  # as recorded, and then nobody asked
