"""Two definitions are told apart in clinical words, and nothing differs in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.core.blueprint import prose_json, semantic_json, workflow_from
from engine.core.definition import Signature, Workflow
from engine.core.difference import Change, How, compare
from engine.core.quantity import q
from tests.core.crane import CRANE
from workflows.instrument_calibration import WORKFLOW as GAUGES
from workflows.intralesional_il2 import WORKFLOW as IL2


def only(changes: tuple[Change, ...]) -> Change:
    (one,) = changes
    return one


def details(change: Change) -> list[tuple[str, str | None, str | None]]:
    return [(d.what, d.before, d.after) for d in change.details]


def test_a_definition_does_not_differ_from_itself() -> None:
    found = compare(IL2, IL2)

    assert (found.semantic, found.prose) == ((), ())


def test_a_set_parameter_is_told_with_every_threshold_that_it_moves() -> None:
    found = compare(IL2, IL2.with_parameters(platelet_limit=q("50", "10*3/uL")))

    parameter, *guards = found.semantic
    assert (parameter.section, parameter.name) == ("parameters", "platelet_limit")
    assert details(parameter) == [("value", "30 10*3/uL", "50 10*3/uL")]
    assert parameter.cite is not None
    assert "sustained at <30,000" in parameter.cite
    assert {guard.section for guard in guards} == {"guards"}
    once = next(g for g in guards if g.name == "N06_platelets_below_30_once")
    assert details(once) == [
        (
            "threshold",
            "platelets < 30 10*3/uL (by platelet_limit)",
            "platelets < 50 10*3/uL (by platelet_limit)",
        )
    ]
    assert found.prose == ()


def test_a_changed_citation_is_prose_and_nothing_else() -> None:
    guard = GAUGES.guards[0]
    cited = replace(guard, cite=replace(guard.cite, text="Another sentence."))

    found = compare(GAUGES, replace(GAUGES, guards=(cited, *GAUGES.guards[1:])))

    assert found.semantic == ()
    change = only(found.prose)
    assert (change.section, change.name) == ("guards", guard.name)
    assert "Another sentence." in (change.details[0].after or "")


def test_a_dropped_requirement_is_told_with_who_could_pass_it() -> None:
    release = next(t for t in GAUGES.transitions if t.name == "release")
    fewer = replace(release, requires=release.requires[:1])

    change = only(compare(GAUGES, replace(GAUGES, transitions=tuple(
        fewer if t is release else t for t in GAUGES.transitions))).semantic)  # fmt: skip

    assert (change.section, change.name, change.how) == ("transitions", "release", How.CHANGED)
    ((what, before, after),) = details(change)
    assert (what, after) == ("requires room_near_reference", None)
    assert before is not None
    assert "expansion-corrected" in before


def test_what_came_is_told_with_its_title_and_citation() -> None:
    fewer = replace(GAUGES, rules=(), actions=(), advice=())

    changes = compare(fewer, GAUGES).semantic

    assert {(c.section, c.name, c.how) for c in changes} == {
        ("actions", "withdraw", How.ADDED),
        ("rules", "deviation_above_limit", How.ADDED),
        ("advice", "recall_parts", How.ADDED),
    }
    rule = next(c for c in changes if c.section == "rules")
    assert rule.title == "The deviation is above the limit"
    assert ("action", None, "withdraw") in details(rule)


def test_another_order_of_declarations_is_told_since_it_may_decide() -> None:
    first, second, *others = GAUGES.transitions

    change = only(compare(GAUGES, replace(GAUGES, transitions=(second, first, *others))).semantic)

    assert (change.section, change.how) == ("transitions", How.REORDERED)


def test_trees_that_read_alike_are_told_by_their_stored_forms() -> None:
    """A horizon is not in the words of every window, and yet it decides."""
    timer = GAUGES.timers[0]
    later = replace(timer, due=replace(timer.due, time="23:58"))
    change = only(compare(GAUGES, replace(GAUGES, timers=(later,))).semantic)

    assert details(change)[0][0] == "due at"
    assert all("23:5" in str(said) for said in details(change)[0][1:])


@pytest.mark.parametrize("workflow", [GAUGES, CRANE], ids=lambda w: w.name)
def test_no_member_of_a_stored_definition_differs_in_silence(workflow: Workflow) -> None:
    """Each kind of member is taken away once, wherever it may be left out."""
    semantic, prose = semantic_json(workflow), prose_json(workflow)
    seen: set[str] = set()
    compared = 0
    for place, fewer in without_one_member(semantic, seen):
        try:
            found = compare(workflow, workflow_from(fewer, prose))
        except ValueError:
            continue  # without it, it is no definition
        assert found.semantic, place
        compared += 1
    assert compared > 20


def without_one_member(value: Any, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """The same JSON without one member, for each section and key once."""
    for path in paths(value, ()):
        place = "/".join(part for part in path if isinstance(part, str))
        if place in seen or place in ("format", "semantics", "version"):
            continue
        seen.add(place)
        fewer = json.loads(json.dumps(value))
        holder = fewer
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]
        yield place, fewer


def paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*path, key)
            if len(path) < 4:
                yield from paths(part, (*path, key))
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from paths(part, (*path, n))


def test_what_is_to_be_signed_is_told_in_words() -> None:
    asked = Signature(meaning="measured", second=True, roles=("metrologist",))
    event, *others = GAUGES.events
    found = compare(GAUGES, replace(GAUGES, events=(replace(event, signature=asked), *others)))

    assert details(only(found.semantic)) == [
        (
            "signature",
            None,
            "by who sends it, as measured, and by another person (metrologist), as verified",
        )
    ]
