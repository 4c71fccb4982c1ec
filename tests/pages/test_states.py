"""The picture of the states: nothing stands on anything else, and nothing is left out."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest

from engine.core.definition import Workflow
from engine.core.diagram import edges
from engine.pages.layout import HIGH, layout
from engine.pages.states import diagram, moves, ways
from engine.registry import compiled, stored_form
from engine.telling.lexicon import Lexicon
from tests.pages import shipped
from workflows import ALL, intralesional_il2

SVG = "{http://www.w3.org/2000/svg}"
EACH = pytest.mark.parametrize("workflow", ALL, ids=lambda one: one.label)


@EACH
def test_every_state_stands_in_the_row_of_its_stage_and_on_no_other(workflow: Workflow):
    found = layout(workflow)
    rows = dict(found.rows)

    assert set(found.boxes) == {state.name for state in workflow.states}
    for state in workflow.states:
        assert found.boxes[state.name].y == rows[state.stage]
    for one, other in combinations(found.boxes.values(), 2):
        apart = abs(one.x - other.x) >= (one.width + other.width) / 2
        assert apart or abs(one.y - other.y) > HIGH, (one.name, other.name)


@EACH
def test_no_arrow_passes_through_a_state(workflow: Workflow):
    found = layout(workflow)
    for arrow in found.arrows:
        for x, y in arrow.points:
            for box in found.boxes.values():
                inside = abs(x - box.x) < box.width / 2 and abs(y - box.y) < HIGH / 2
                assert not inside, (arrow.source, arrow.target, box.name)
        gates = arrow.points[1:-1]
        for (x1, y1), (x2, y2) in zip(gates[::2], gates[1::2], strict=True):
            if x1 == x2:  # through a row
                for box in found.boxes.values():
                    beside = abs(x1 - box.x) > box.width / 2
                    assert beside or not min(y1, y2) <= box.y <= max(y1, y2), box.name


@EACH
def test_every_way_is_in_the_picture_or_beside_it(workflow: Workflow):
    found = layout(workflow)
    drawn = {(arrow.source, arrow.target) for arrow in found.arrows}
    told = {edge for many in found.wide.values() for edge in many}
    for edge in edges(workflow):
        assert edge in told or (edge.source.names[0], edge.target.names[0]) in drawn
    lexicon = Lexicon(compiled(stored_form(workflow)))
    assert len(list(ways(lexicon))) == len(drawn) + len(told)


@EACH
def test_the_same_workflow_is_laid_out_alike(workflow: Workflow):
    assert layout(workflow) == layout(workflow)


@pytest.mark.parametrize("course", ["DEH-constructed", "DEMO-constructed", "GAR-Z"])
def test_the_way_of_a_course_and_its_present_state_are_marked(course: str):
    entries = shipped(course)
    lexicon = Lexicon(compiled(stored_form(intralesional_il2.WORKFLOW)))
    root = ElementTree.fromstring(diagram(lexicon, entries))
    gone = [one for one in root.iter(f"{SVG}path") if one.get("class") == "way gone"]
    current = [one for one in root.iter(f"{SVG}g") if "current" in one.get("class", "").split()]

    assert len(gone) == len(moves(entries))
    assert [one.findtext(f"{SVG}title", "").split("\n")[0] for one in current] == [
        lexicon.state(entries[-1].states[1])
    ]
    assert "current" not in diagram(lexicon)
