"""What becomes of one event: requirements open a way, rules watch, unknown opens nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.core.definition import Rule, Variable
from engine.core.expression import OpenQuestion, Sent, any_of
from engine.errors import InvalidInput, NotPermitted
from engine.testing import (
    Story,
    advised,
    delivered,
    fired,
    kept_by,
    missing,
    step,
    unweighed,
)
from tests.core.tiny import colour, level, tiny, way

n = Variable(name="n", kind="number", initial=Decimal(0))
m = Variable(name="m", kind="number", initial=Decimal(5))

FULL = {"full": level >= 50}
RISES_WHEN_FULL = tiny(guards=FULL, ways=[way("rise", "full")])


# --- requests ---------------------------------------------------------------------------------


def test_a_request_is_granted_when_its_requirement_is_yes() -> None:
    story = Story(RISES_WHEN_FULL)
    story.sends("told", level=50)

    assert story.sends("rise").verdict == "accepted"
    assert story.state == "high"


def test_a_request_is_refused_when_its_requirement_is_no_and_names_the_guard() -> None:
    story = Story(RISES_WHEN_FULL)
    story.sends("told", level=49)
    answer = story.sends("rise")

    assert answer.decision["reason"] == "guard-failed"
    assert kept_by(answer) == ("full",)
    assert story.state == "low"


def test_a_refusal_says_which_value_of_which_record_failed_against_which_threshold() -> None:
    story = Story(RISES_WHEN_FULL)
    brought = story.sends("told", level=49)
    (attempt,) = story.sends("rise").decision["attempts"]
    (finding,) = attempt["kept_by"][0]["findings"]

    assert finding["what"] == "level"
    assert finding["value"] == "49"
    assert finding["threshold"] == "50"
    assert finding["verdict"] == "no"
    assert finding["record"] == brought.seq


def test_a_request_without_the_value_is_undecided_and_names_it() -> None:
    answer = Story(RISES_WHEN_FULL).sends("rise")

    assert answer.decision["reason"] == "guard-undecided"
    assert missing(answer) == ("level",)


@pytest.mark.parametrize(
    ("age", "verdict"),
    [({"minutes": 59}, "accepted"), ({"minutes": 60}, "accepted"), ({"minutes": 61}, "refused")],
    ids=["younger", "just-as-old", "older"],
)
def test_a_value_older_than_its_age_is_no_value(age: dict[str, int], verdict: str) -> None:
    story = Story(RISES_WHEN_FULL).given(step("told", level=50)).advance(**age)

    assert story.sends("rise").verdict == verdict


def test_a_physically_impossible_value_is_recorded_and_opens_nothing() -> None:
    story = Story(RISES_WHEN_FULL)
    assert story.sends("told", level=101).verdict == "accepted"
    answer = story.sends("rise")

    assert answer.decision["reason"] == "guard-undecided"
    assert missing(answer) == ("level",)
    story.verify()


def test_an_impossible_value_hides_the_good_one_before_it() -> None:
    story = Story(RISES_WHEN_FULL)
    story.sends("told", level=60)
    story.sends("told", level=101)

    assert story.sends("rise").decision["reason"] == "guard-undecided"


def test_a_refused_request_is_a_record_and_changes_neither_course_nor_revision() -> None:
    story = Story(RISES_WHEN_FULL)
    story.sends("told", level=1)
    before = story.snapshot
    story.sends("rise")
    after = story.snapshot

    assert after.seq == before.seq + 1
    assert after.revision == before.revision
    assert (after.state, after.variables, after.latest) == (
        before.state, before.variables, before.latest)  # fmt: skip
    story.verify()


def test_a_request_that_the_state_does_not_foresee_is_refused_as_illegal() -> None:
    story = Story(tiny()).given(step("rise"))

    assert story.sends("rise").decision["reason"] == "illegal-transition"


def test_one_no_outweighs_what_is_unknown_beside_it() -> None:
    workflow = tiny(
        guards=FULL | {"green": colour.is_("green")}, ways=[way("rise", "full", "green")]
    )
    story = Story(workflow)
    story.sends("told", colour="red")
    answer = story.sends("rise")

    assert answer.decision["reason"] == "guard-failed"
    assert set(kept_by(answer)) == {"full", "green"}


def test_a_role_that_may_not_send_an_event_writes_nothing() -> None:
    workflow = tiny()
    only_chief = tuple(
        replace(e, roles=("chief",)) if e.name == "rise" else e for e in workflow.events
    )
    story = Story(replace(workflow, events=only_chief))

    with pytest.raises(NotPermitted):
        story.sends("rise", role="worker")
    assert len(story.records) == 1


@pytest.mark.parametrize(
    ("late_by", "reason"), [("08:00", None), ("07:59", "too-old")], ids=["as-old", "older"]
)
def test_a_request_may_be_as_old_as_declared_and_no_older(late_by: str, reason: str | None) -> None:
    story = Story(tiny(), start="2026-03-02 08:00").advance(hours=24)
    answer = story.sends("rise", at=f"2026-03-02 {late_by}")

    assert answer.decision.get("reason") == reason


def test_a_back_dated_request_cannot_freshen_a_stale_value() -> None:
    """The age of a reading counts at the event's time, so the event's own age is bounded."""
    story = Story(RISES_WHEN_FULL, start="2026-03-02 08:00").given(step("told", level=60))
    story.advance(hours=25)

    assert story.sends("rise").decision["reason"] == "guard-undecided"
    assert story.sends("rise", at="2026-03-02 08:30").decision["reason"] == "too-old"


def test_a_report_is_never_too_old() -> None:
    story = Story(tiny()).advance(days=900)

    assert story.sends("told", level=3, at="2026-03-02 09:00").verdict == "accepted"


def test_what_happens_in_the_future_is_no_event() -> None:
    story = Story(tiny())
    body = {
        "format": 1, "id": "x", "course": story.course, "event": "told", "data": {},
        "at": "2026-03-02T16:06:00Z", "actor": {"id": "w", "role": "worker"},
    }  # fmt: skip

    with pytest.raises(InvalidInput, match="future"):
        story.service.submit(body)
    assert story.service.submit({**body, "at": "2026-03-02T16:05:00Z"}).verdict == "accepted"


# --- which way is taken -----------------------------------------------------------------------

TWO_WAYS = tiny(
    guards=FULL | {"green": colour.is_("green")},
    ways=[
        way("slowly", "green", event="rise", target="high"),
        way("at_once", "full", event="rise", target="halted", priority=1),
    ],
)


def test_of_two_open_ways_the_one_of_higher_priority_is_taken() -> None:
    story = Story(TWO_WAYS).given(step("told", level=60, colour="green"), step("rise"))

    assert story.state == "halted"


def test_a_way_that_is_closed_leaves_the_next_one() -> None:
    story = Story(TWO_WAYS).given(step("told", level=40, colour="green"), step("rise"))

    assert story.state == "high"


def test_an_unknown_stops_the_search_before_a_way_that_is_open() -> None:
    """An unknown stop before a true "continue" would let the patient continue."""
    story = Story(TWO_WAYS).given(step("told", colour="green"))
    answer = story.sends("rise")

    assert answer.decision["reason"] == "guard-undecided"
    assert next(a["transition"] for a in answer.decision["attempts"]) == "at_once"
    assert story.state == "low"


def test_an_unknown_below_an_open_way_does_not_matter() -> None:
    story = Story(TWO_WAYS).given(step("told", level=60), step("rise"))

    assert story.state == "halted"


# --- reports ----------------------------------------------------------------------------------

FOLDS = tiny(
    guards=FULL,
    ways=[
        way("fell_full", "full", event="fell", sources=("low",), target="high"),
        way("fell", sources=("high", "halted"), target="low"),
        way("fell_anyhow", event="fell", sources=("low",), target="halted", deviation=True),
    ],
)


def test_a_report_takes_the_way_that_foresees_it() -> None:
    story = Story(FOLDS).given(step("told", level=50))
    answer = story.sends("fell")

    assert (answer.verdict, answer.state) == ("accepted", "high")


@pytest.mark.parametrize("known", [{"level": 49}, {}], ids=["no", "unknown"])
def test_a_report_that_a_guard_would_have_refused_is_a_deviation_and_goes_to_safety(
    known: dict[str, int],
) -> None:
    story = Story(FOLDS).given(step("told", **known))
    answer = story.sends("fell")

    assert (answer.verdict, answer.state) == ("deviation", "halted")
    assert kept_by(answer) == ("full",)
    story.verify()


def test_a_report_that_no_way_foresees_is_recorded_and_the_course_stays() -> None:
    story = Story(tiny(variables=[n], updates={"fell": {"n": n + 1}}))
    answer = story.sends("fell")

    assert (answer.verdict, answer.state) == ("deviation", "low")
    assert story.variables["n"] == 1
    story.verify()


def test_the_facts_of_a_deviation_are_kept() -> None:
    workflow = tiny(guards=FULL, ways=[way("told", "full", sources=("low",)), way("rise", "full")])
    story = Story(workflow)

    assert story.sends("told", level=10).verdict == "deviation"
    assert story.snapshot.latest["level"].value == 10


def test_a_reading_counts_in_the_decision_that_it_arrives_with() -> None:
    workflow = tiny(guards=FULL, ways=[way("told", "full", sources=("low",), target="high")])
    story = Story(workflow)
    story.sends("told", level=70)

    assert story.state == "high"


# --- updates ----------------------------------------------------------------------------------


def test_all_updates_are_weighed_before_any_is_made() -> None:
    story = Story(tiny(variables=[n, m], updates={"fell": {"n": m.tree(), "m": n.tree()}}))
    story.sends("fell")

    assert (story.variables["n"], story.variables["m"]) == (5, 0)


def test_a_transition_sees_what_its_event_changed() -> None:
    workflow = tiny(
        variables=[n, m],
        guards={"enough": m >= 42},
        updates={"noted": {"n": Sent("amount")}},
        ways=[way("noted", updates={"m": n + 1}), way("rise", "enough")],
    )
    story = Story(workflow)
    story.sends("noted", amount=41)

    assert story.variables["m"] == 42


def test_a_requirement_sees_what_its_report_changed() -> None:
    workflow = tiny(
        variables=[n],
        guards={"enough": n >= 3},
        updates={"noted": {"n": n + Sent("amount")}},
        ways=[
            way("noted", "enough", sources=("low",), target="halted", priority=1),
            way("noted_so_far", event="noted"),
        ],
    )
    story = Story(workflow)

    assert story.sends("noted", amount=2).state == "low"
    assert story.sends("noted", amount=1).state == "halted"


def test_a_refused_request_updates_nothing() -> None:
    workflow = tiny(guards=FULL, variables=[n], ways=[way("rise", "full", updates={"n": n + 1})])
    story = Story(workflow)
    story.sends("rise")

    assert story.variables["n"] == 0


def test_an_update_from_what_is_unknown_leaves_the_variable_unset() -> None:
    workflow = tiny(
        variables=[n],
        guards={"enough": n >= 0},
        updates={"noted": {"n": Sent("amount")}},
        ways=[way("rise", "enough")],
    )
    story = Story(workflow)
    story.sends("noted")

    assert story.variables["n"] is None
    assert missing(story.sends("rise")) == ("n",)
    story.verify()


# --- rules ------------------------------------------------------------------------------------

WATCHED = tiny(
    guards={"flooded": level > 90, "wet": level > 50, "red": colour.is_("red")},
    variables=[n, m],
    rules=[
        Rule(guard="red", action="tell", advice=("look",), updates={"n": n * 0 + 3, "m": m + 1}),
        Rule(guard="wet", action="raise", advice=("mop",), updates={"n": n * 0 + 2}),
        Rule(guard="flooded", action="halt", advice=("pump",), updates={"n": n * 0 + 1}),
    ],
)


def test_every_rule_that_holds_is_recorded_and_none_hides_another() -> None:
    answer = Story(WATCHED).sends("told", level=95, colour="red")

    assert set(fired(answer)) == {"flooded", "wet", "red"}
    assert set(advised(answer)) == {"pump", "mop", "look"}


def test_the_action_of_lowest_rank_moves_the_course() -> None:
    answer = Story(WATCHED).sends("told", level=95, colour="red")

    assert answer.state == "halted"
    assert answer.decision["moved_by"] == "flooded"


def test_an_action_that_has_no_target_here_leaves_the_next_one_to_move() -> None:
    """`halt` has a target in the running states only, `raise` only in `low`."""
    story = Story(WATCHED)
    story.sends("told", level=60)
    assert story.state == "high"

    answer = story.sends("told", level=60, colour="red")
    assert answer.state == "high"
    assert set(fired(answer)) == {"wet", "red"}


def test_the_updates_of_the_highest_precedence_are_made_last() -> None:
    story = Story(WATCHED)
    story.sends("told", level=95, colour="red")

    assert story.variables["n"] == 1
    assert story.variables["m"] == 6


def test_a_rule_that_goes_on_holding_is_not_delivered_again() -> None:
    story = Story(WATCHED).given(step("told", colour="red"))
    answer = story.sends("noted")

    assert fired(answer) == ("red",)
    assert delivered(answer) == ()
    assert advised(answer) == ()
    assert story.variables["m"] == 6


def test_a_rule_is_delivered_again_when_the_event_brings_what_it_reads() -> None:
    story = Story(WATCHED).given(step("told", colour="red"))
    answer = story.sends("told", colour="red")

    assert delivered(answer) == ("red",)
    assert story.variables["m"] == 7


def test_a_rule_that_ceased_to_hold_is_delivered_when_it_holds_again() -> None:
    workflow = tiny(
        guards={"much": n > 2},
        variables=[n],
        updates={"noted": {"n": Sent("amount")}},
        rules=[Rule(guard="much", action="tell", advice=("look",))],
    )
    story = Story(workflow)

    assert delivered(story.sends("noted", amount=3)) == ("much",)
    assert delivered(story.sends("told")) == ()
    assert delivered(story.sends("noted", amount=1)) == ()
    assert delivered(story.sends("noted", amount=3)) == ("much",)


def test_a_rule_watches_only_in_its_places() -> None:
    workflow = tiny(
        guards={"red": colour.is_("red")},
        rules=[Rule(guard="red", action="tell", places=("high",))],
    )
    story = Story(workflow)

    assert fired(story.sends("told", colour="red")) == ()
    assert fired(story.sends("rise")) == ("red",), "the place is the one where the event leads"


def test_a_rule_with_events_watches_only_at_these() -> None:
    workflow = tiny(
        guards={"red": colour.is_("red")},
        rules=[Rule(guard="red", action="tell", events=("noted",))],
    )
    story = Story(workflow)

    assert fired(story.sends("told", colour="red")) == ()
    assert fired(story.sends("noted")) == ("red",)


def test_a_rule_acts_on_the_state_in_which_the_event_ends() -> None:
    story = Story(WATCHED).given(step("told", level=10), step("halts"))
    answer = story.sends("told", level=99)

    assert "flooded" in fired(answer)
    assert answer.state == "halted"


def test_a_rule_sees_what_the_transition_changed() -> None:
    workflow = tiny(
        variables=[n], guards={"many": n >= 1}, ways=[way("rise", updates={"n": n + 1})],
        rules=[Rule(guard="many", action="halt")],
    )  # fmt: skip
    story = Story(workflow)

    assert story.sends("rise").state == "halted"


# --- open questions ---------------------------------------------------------------------------

ASKING = tiny(
    guards={"flooded": level > 90, "asked": ~OpenQuestion("flooded")},
    ways=[way("rise", "asked")],
    rules=[Rule(guard="flooded", action="halt")],
)


def test_a_rule_that_cannot_be_weighed_is_an_open_question_and_moves_nothing() -> None:
    story = Story(ASKING)
    answer = story.sends("noted")

    assert answer.verdict == "accepted"
    assert unweighed(answer) == {"flooded": ("level (missing)",)}
    assert story.questions == {"flooded": ("level (missing)",)}


def test_a_requirement_can_ask_whether_a_question_is_open() -> None:
    story = Story(ASKING).given(step("noted"))

    assert kept_by(story.sends("rise")) == ("asked",)


def test_an_answered_question_is_closed() -> None:
    story = Story(ASKING).given(step("noted"), step("told", level=10))

    assert story.questions == {}
    assert story.sends("rise").verdict == "accepted"


def test_a_question_opens_again_when_the_value_has_become_stale() -> None:
    story = Story(ASKING).given(step("told", level=10)).advance(hours=2)
    answer = story.sends("noted")

    assert unweighed(answer) == {"flooded": ("level (stale)",)}


ASKING_AT_EVENTS = tiny(
    guards={"much": any_of(Sent("amount") > 9, level > 90), "asked": ~OpenQuestion("much")},
    ways=[way("rise", "asked")],
    rules=[Rule(guard="much", action="halt", places=("running",), events=("noted",))],
)


def test_the_question_of_a_rule_with_events_stays_until_such_an_event_answers_it() -> None:
    story = Story(ASKING_AT_EVENTS).given(step("noted"))
    assert set(story.questions) == {"much"}

    story.sends("told", level=10)
    assert set(story.questions) == {"much"}, "this event does not weigh the rule"

    story.sends("noted", amount=1)
    assert story.questions == {}


def test_the_question_of_a_rule_ends_where_the_rule_is_out_of_place() -> None:
    story = Story(ASKING_AT_EVENTS).given(step("noted"), step("halts"))

    assert story.questions == {}


# --- asking without writing -------------------------------------------------------------------


def test_a_dry_run_gives_the_answer_and_writes_nothing() -> None:
    story = Story(RISES_WHEN_FULL).given(step("told", level=60))
    body = {
        "format": 1, "id": "dry", "course": story.course, "event": "rise", "data": {},
        "at": "2026-03-02T16:00:00Z", "actor": {"id": "w", "role": "worker"},
    }  # fmt: skip
    answer = story.service.dry_run(body)

    assert (answer.verdict, answer.state) == ("accepted", "high")
    assert story.state == "low"
    assert len(story.records) == 2


def test_what_next_tells_how_far_each_request_is_open() -> None:
    story = Story(RISES_WHEN_FULL)
    verdicts = []
    for value in (None, 10, 60):
        if value is not None:
            story.sends("told", level=value)
        (option,) = [o for o in story.options if o.event == "rise"]
        verdicts.append(option.verdict.value)

    assert verdicts == ["unknown", "no", "yes"]
