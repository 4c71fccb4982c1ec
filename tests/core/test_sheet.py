"""The sheet that a clinician signs says what the engine weighs, one row a guard."""

from __future__ import annotations

from decimal import Decimal

import pytest

import workflows
from engine.core.definition import (
    Citation,
    Field,
    Guard,
    Input,
    Parameter,
    Provenance,
    Requirement,
    Rule,
    Transition,
    Workflow,
)
from engine.core.expression import (
    Constant,
    Expression,
    Sent,
    Sustained,
    Total,
    Truth,
    choose,
    hours,
    lift,
)
from engine.core.quantity import q
from engine.core.sheet import SheetRow, parameter_sheet, sheet, sheet_markdown
from tests.core.crane import (
    CITE,
    CRANE,
    amended,
    extended,
    lifts,
    limit,
    load,
    sending,
    watching,
    wind,
)

UNKNOWN = Truth.UNKNOWN


def row(guard: str, workflow: Workflow = CRANE) -> SheetRow:
    (found,) = [row for row in sheet(workflow) if row.guard == guard]
    return found


def thresholds(condition: Expression, workflow: Workflow = CRANE, **rule: object) -> list[str]:
    return [str(t) for t in row("watched", watching(condition, workflow, **rule)).thresholds]


@pytest.mark.parametrize("workflow", workflows.ALL, ids=lambda w: w.name)
def test_every_guard_and_every_parameter_has_exactly_one_row(workflow: Workflow) -> None:
    assert [row.guard for row in sheet(workflow)] == [guard.name for guard in workflow.guards]
    assert [row.parameter for row in parameter_sheet(workflow)] == [
        parameter.name for parameter in workflow.parameters
    ]


@pytest.mark.parametrize("workflow", workflows.ALL, ids=lambda w: w.name)
def test_every_row_says_what_it_asks_what_follows_and_on_what_it_rests(workflow: Workflow) -> None:
    for found in sheet(workflow):
        assert all((found.title, found.what, found.action, found.source, found.citation))
        assert found.provenance in set(Provenance)


def test_a_rule_says_its_action_and_its_advice() -> None:
    found = row("gale", amended("actions", "stop", title="Stop work"))

    assert (found.what, found.threshold, found.unit) == ("wind is gale", "wind is gale", "")
    assert (found.action, found.overridable) == ("Stop work", "")
    assert found.advice == ("Leave the cabin.",)
    assert (found.source, found.citation, found.provenance) == (
        "House rules, 1", "Lift no more than permitted.", "local",
    )  # fmt: skip


def test_a_requirement_says_what_it_opens_and_who_may_override_it() -> None:
    assert row("within_limit").action == "requirement of start"
    assert row("within_limit").overridable == "nobody"
    assert row("calm").overridable == "chief (urgent)"


def test_a_guard_in_both_uses_says_both() -> None:
    both = extended(rules=(Rule(guard="calm", action="stop", places=("rest",)),))

    assert row("calm", both).action == "stop; requirement of start"


def test_an_override_that_differs_between_transitions_is_told_for_each() -> None:
    again = Transition(name="again", event="lift", sources=("stopped",), target="lifting",
                       requires=(Requirement(guard="calm"),))  # fmt: skip

    assert row("calm", extended(transitions=(again,))).overridable == (
        "start: chief (urgent); again: nobody"
    )


def test_a_threshold_has_the_value_and_unit_that_it_was_written_with() -> None:
    assert thresholds(load > q("2000", "g")) == ["load > 2000 g"]
    assert thresholds(lift(q("5", "kg")) < load) == ["load > 5 kg"]
    assert thresholds(~(lifts >= 3)) == ["lifts ≥ 3"]
    assert thresholds(wind.one_of("calm", "breeze")) == ["wind is one of calm, breeze"]
    assert thresholds((load > limit) | (lifts.is_(2) & wind.known())) == [
        "load > 100 kg",
        "lifts is 2",
    ]


def test_a_threshold_names_the_parameters_that_set_it() -> None:
    (found,) = row("within_limit").thresholds

    assert (found.what, found.op, found.value, found.unit) == ("load", "≤", "100", "kg")
    assert found.parameters == ("limit",)
    assert row("within_limit", CRANE.with_parameters(limit=q("80", "kg"))).threshold == "load ≤ 80"


def test_a_threshold_that_only_the_course_knows_is_told_in_words() -> None:
    assert thresholds(load > limit * lifts) == ["load > limit × lifts"]  # noqa: RUF001  # the sign of multiplication
    assert thresholds(load > choose(lifts > 3, limit, q("9", "kg"))) == [
        "load > limit if lifts > 3 else 9 kg",
        "lifts > 3",
    ]


def test_a_yes_or_no_has_no_threshold() -> None:
    fragile = Field(name="fragile", kind="yesno")

    assert thresholds(Sent("fragile").is_(other=True), sending(fragile), events=("weighed",)) == []


def test_a_sustained_run_says_how_many_readings_over_how_long() -> None:
    run = Sustained(
        input="load",
        op=">",
        threshold=limit.tree(),
        count=Constant(Decimal(3)),
        span=Constant(hours(2)),
        horizon=hours(8),
        zero=UNKNOWN,
        few=UNKNOWN,
    )

    assert thresholds(run) == [
        "load > 100 kg",
        "readings in the run ≥ 3",
        "from first to last ≥ 2 hours",
    ]


def test_a_total_says_over_how_long() -> None:
    flow = Input(name="flow", kind="quantity", unit="mL", low=Decimal(0), high=Decimal(99),
                 interval=True)  # fmt: skip
    total = Total(input="flow", op="<", threshold=Constant(q("80", "mL")), span=Constant(hours(8)),
                  horizon=hours(8), zero=UNKNOWN, few=UNKNOWN)  # fmt: skip

    assert thresholds(total, extended(inputs=(flow,))) == [
        "total flow < 80 mL",
        "completely covered ≥ 8 hours",
    ]


def test_a_parameter_says_how_far_a_site_may_move_it_and_what_reads_it() -> None:
    cite = Citation(source="Maker", text="At most 100 kg.", provenance=Provenance.PUBLISHED)
    (found,) = parameter_sheet(amended("parameters", "limit", cite=cite, title="Limit"))

    assert (found.value, found.unit, found.range) == ("100", "kg", "at least 10 kg, at most 200 kg")
    assert (found.site, found.guards) == (True, ("within_limit",))
    assert (found.source, found.citation, found.provenance) == (
        "Maker", "At most 100 kg.", "published",
    )  # fmt: skip


@pytest.mark.parametrize("workflow", workflows.ALL, ids=lambda w: w.name)
def test_the_markdown_has_a_line_for_every_row(workflow: Workflow) -> None:
    printed = sheet_markdown(workflow)

    for name in [g.name for g in workflow.guards] + [p.name for p in workflow.parameters]:
        assert printed.count(f"(`{name}`)") == 1
    for line in printed.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_what_is_signed_is_in_words_and_only_names_to_type_are_not() -> None:
    printed = sheet_markdown(workflows.intralesional_il2.WORKFLOW)
    guards = printed.partition("## Guards")[2].partition("## Parameters")[0]
    rows = [line.split(" | ") for line in guards.splitlines() if line.startswith("| ")][2:]

    assert len(rows) == len(workflows.intralesional_il2.WORKFLOW.guards)
    for row in rows:
        for cell in row[1:5]:
            assert "_" not in cell, cell


def test_no_text_can_break_the_table() -> None:
    guard = Guard(name="odd", condition=lifts > 1, title="A | B\nC", cite=CITE)
    printed = sheet_markdown(extended(guards=(guard,)))

    assert "| A \\| B C (`odd`) | lifts > 1 |" in printed


def test_parameters_set_by_the_protocol_alone_are_marked() -> None:
    fixed = extended(parameters=(Parameter(name="fixed", value=Decimal(3), site=False),))

    assert "| fixed (`fixed`) | 3 |  |  | fixed |" in sheet_markdown(fixed)
