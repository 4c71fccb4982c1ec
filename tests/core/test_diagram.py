"""The picture of a workflow shows its stages, its ways and where a course stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

import workflows
from engine.core.definition import ANYWHERE, State, Transition, Workflow
from engine.core.diagram import graphviz, mermaid
from tests.core.crane import CRANE, amended, extended

Draw = Callable[..., str]
BOTH = pytest.mark.parametrize("draw", [mermaid, graphviz])


def lines(drawing: str) -> list[str]:
    return [line.strip() for line in drawing.splitlines()]


def arrows_of(drawing: str) -> list[str]:
    return [line for line in lines(drawing) if "-->" in line or "-.->" in line or "==>" in line]


def test_states_stand_in_their_stages() -> None:
    drawn = lines(mermaid(CRANE))
    work = drawn.index('subgraph stage_work["work"]')

    assert drawn[work : work + 4] == [
        'subgraph stage_work["work"]',
        'state_idle["idle"]',
        'state_lifting["lifting"]',
        "end",
    ]
    assert 'state_retired(["retired"])' in drawn


def test_events_and_actions_stand_on_arrows_and_what_stays_has_none() -> None:
    assert arrows_of(mermaid(CRANE)) == [
        "start(( )) --> state_idle",
        'state_idle -->|"lift"| state_lifting',
        'state_lifting -->|"lowered"| state_idle',
        'state_stopped -->|"checked"| state_idle',
        'stage_work -->|"check_missed"| state_stopped',
        'state_stopped -->|"scrapped"| state_retired',
        'stage_work -.->|"stop"| state_stopped',
    ]


def test_graphviz_draws_the_same_arrows() -> None:
    assert [line for line in lines(graphviz(CRANE)) if "->" in line] == [
        "start -> state_idle;",
        'state_idle -> state_lifting [label="lift"];',
        'state_lifting -> state_idle [label="lowered"];',
        'state_stopped -> state_idle [label="checked"];',
        'state_idle -> state_stopped [label="check_missed", ltail=cluster_stage_work];',
        'state_stopped -> state_retired [label="scrapped"];',
        'state_idle -> state_stopped [label="stop", ltail=cluster_stage_work, style=dotted];',
    ]


def test_two_events_between_the_same_states_share_an_arrow() -> None:
    both = extended(transitions=(
        Transition(name="give_up", event="checked", sources=("lifting",), target="idle"),
    ))  # fmt: skip

    assert 'state_lifting -->|"lowered<br>checked"| state_idle' in lines(mermaid(both))
    assert 'state_lifting -> state_idle [label="lowered\\nchecked"];' in lines(graphviz(both))


def test_a_deviation_is_dotted_and_says_so() -> None:
    drawn = arrows_of(mermaid(amended("transitions", "lower", deviation=True)))

    assert 'state_lifting -.->|"lowered (deviation)"| state_idle' in drawn


def test_what_leads_away_from_everywhere_is_one_arrow() -> None:
    states = tuple(State(name=f"more_{n}", stage="more") for n in range(3))
    left = extended(states=states, transitions=(
        Transition(name="flee", event="scrapped", sources=(ANYWHERE,), target="retired"),
    ))  # fmt: skip

    assert [a for a in arrows_of(mermaid(left)) if "scrapped" in a] == [
        'anywhere -->|"scrapped"| state_retired'
    ]
    assert 'anywhere{{"any other open state"}}' in lines(mermaid(left))
    assert 'anywhere -> state_retired [label="scrapped"];' in lines(graphviz(left))


STATES = tuple(State(name=f"more_{n}", stage=f"more_{n}") for n in range(5))
NAMES = tuple(state.name for state in STATES)


def test_what_leads_from_many_states_starts_at_one_that_names_them() -> None:
    left = extended(states=STATES, transitions=(
        Transition(name="flee", event="scrapped", sources=NAMES, target="idle"),
    ))  # fmt: skip
    drawn = lines(mermaid(left))

    assert 'several_1{{"more 0<br>more 1<br>more 2<br>more 3<br>more 4"}}' in drawn
    assert 'several_1 -->|"scrapped"| state_idle' in drawn
    assert 'several_1 -> state_idle [label="scrapped"];' in lines(graphviz(left))


def test_what_leads_to_many_states_ends_at_one_that_names_them() -> None:
    spread = extended(states=STATES, transitions=tuple(
        Transition(name=name, event="checked", sources=("retired",), target=name)
        for name in NAMES
    ))  # fmt: skip
    drawn = lines(mermaid(spread))

    assert 'several_1{{"more 0<br>more 1<br>more 2<br>more 3<br>more 4"}}' in drawn
    assert [line for line in drawn if line.startswith("state_retired -")] == [
        'state_retired -->|"checked"| several_1'
    ]


@BOTH
def test_only_the_current_state_is_marked(draw: Draw) -> None:
    assert "current" not in draw(CRANE)
    marked = [line for line in lines(draw(CRANE, "lifting")) if "current" in line]

    assert all("lifting" in line or line.startswith("classDef") for line in marked)
    assert marked


def test_the_moves_of_a_course_are_thick() -> None:
    drawn = arrows_of(mermaid(CRANE, "stopped", [("idle", "lifting"), ("lifting", "stopped")]))

    assert 'state_idle ==>|"lift"| state_lifting' in drawn
    # No single arrow goes from lifting alone: the stage has one, and the course its own.
    assert "state_lifting ==> state_stopped" in drawn
    assert "state_lifting -> state_stopped [style=bold, penwidth=3];" in lines(
        graphviz(CRANE, "stopped", [("lifting", "stopped")])
    )


def test_a_course_that_stays_where_it_is_makes_no_move() -> None:
    assert mermaid(CRANE, taken=[("idle", "idle")]) == mermaid(CRANE)


def test_no_title_can_break_the_drawing() -> None:
    titled = amended("states", "idle", title='"end" <b> & #1; \\')

    assert 'state_idle["#quot;end#quot; #lt;b#gt; #amp; #35;1; \\"]' in lines(mermaid(titled))
    assert 'state_idle [label="\\"end\\" <b> & #1; \\\\"];' in lines(graphviz(titled))


@BOTH
@pytest.mark.parametrize("workflow", workflows.ALL, ids=lambda w: w.name)
def test_every_state_of_every_workflow_is_drawn_once(draw: Draw, workflow: Workflow) -> None:
    drawn = lines(draw(workflow))

    for state in workflow.states:
        nodes = [line for line in drawn if re.match(rf"state_{state.name} ?[\[(]", line)]
        assert len(nodes) == 1


def test_a_drawing_is_the_same_every_time() -> None:
    assert mermaid(replace(CRANE)) == mermaid(CRANE)
