"""A workflow is stored in two halves, and read again as it was."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.blueprint import (
    WORKFLOW,
    Part,
    prose_digest,
    prose_json,
    semantic_json,
    workflow_digest,
    workflow_from,
)
from engine.core.definition import (
    Action,
    Citation,
    Event,
    Guard,
    Kind,
    Parameter,
    Signature,
    State,
    Workflow,
)
from engine.core.encoding import canonical, parse
from engine.core.expression import Constant, Expression, Not, Now
from engine.core.notation import NODES
from engine.core.quantity import q
from engine.core.shape import REQUIRED, Member
from tests.definitions import WORKFLOWS, changed, declarations, hints, sample
from workflows import ALL

FULL: Workflow = sample(Workflow)
STORED = Path(__file__).with_name("stored_workflow.json")

PLAIN = Workflow(
    name="drip", version="1", title="Drip", initial="open",
    states=(State(name="open", stage="only", title="Open"),),
    parameters=(Parameter(name="most", value=q("30", "mg"), low=q(1, "mg")),),
    guards=(
        Guard(
            name="late", condition=Now() > Now(), title="Late",
            cite=Citation(source="Paper", text="Table 3, row 4"),
        ),
    ),
)  # fmt: skip


def _parts(part: Part) -> list[Part]:
    inner = [each for each in part.parts.values() if each is not part]
    return [part, *(found for each in inner for found in _parts(each))]


def again(workflow: Workflow) -> Workflow:
    return workflow_from(
        parse(canonical(semantic_json(workflow))), parse(canonical(prose_json(workflow)))
    )


@settings(max_examples=60)
@given(WORKFLOWS)
def test_any_workflow_is_read_as_it_was_written(workflow: Workflow) -> None:
    read = again(workflow)

    assert read == workflow
    assert semantic_json(read) == semantic_json(workflow)
    assert (workflow_digest(read), prose_digest(read)) == (
        workflow_digest(workflow),
        prose_digest(workflow),
    )


@pytest.mark.parametrize("workflow", ALL, ids=lambda workflow: str(workflow.label))
def test_the_workflows_that_come_with_the_engine_are_read_as_they_were_written(
    workflow: Workflow,
) -> None:
    assert again(workflow) == workflow
    assert workflow_digest(again(workflow)) == workflow_digest(workflow)


def test_a_workflow_with_everything_in_it_is_read_as_it_was_written() -> None:
    assert again(FULL) == FULL
    assert again(PLAIN) == PLAIN


def test_what_was_stored_is_read_for_ever() -> None:
    """The file may gain members, by a new one beside it; it is never edited."""
    stored = json.loads(STORED.read_text())
    read = workflow_from(stored["semantic"], stored["prose"])

    assert workflow_digest(read) == stored["workflow_digest"]
    assert prose_digest(read) == stored["prose_digest"]


@pytest.mark.parametrize("kind", declarations(), ids=lambda kind: kind.__name__)
def test_every_declaration_is_known_with_every_member(kind: type) -> None:
    """A new member of the vocabulary is met here before it is missing from a digest."""
    if kind in (Citation, Signature):
        return  # members of others; the next test changes each of their attributes
    [part] = {id(part): part for part in _parts(WORKFLOW) if part.made is kind}.values()
    known = [member.name for member in (*part.semantic, *part.prose)] + list(part.parts)

    assert sorted(known) == sorted(hints(kind))


LEFT_OUT = [(kind, members) for kind, members in NODES.items()] + [
    (part.made, (*part.semantic, *part.prose))
    for part in {id(p): p for p in _parts(WORKFLOW)}.values()
]


@pytest.mark.parametrize(("kind", "members"), LEFT_OUT, ids=[kind.__name__ for kind, _ in LEFT_OUT])
def test_what_is_left_out_means_what_it_always_meant(
    kind: type, members: tuple[Member, ...]
) -> None:
    """Should a class get another default one day, its old one is written down here."""
    meant = {each.name: _default(each) for each in fields(kind)}
    stored = {member.name: member.default for member in members}
    for name in {"title", "semantics"} & stored.keys():
        meant[name] = "" if name == "title" else REQUIRED

    assert {name: repr(value) for name, value in stored.items()} == {
        name: repr(meant[name]) for name in stored
    }


PROSE = ("title", "cite")
CHANGES = list(changed(FULL))


def test_every_member_of_every_declaration_is_changed_below() -> None:
    met = {(kind, name) for kind, name, _ in CHANGES} | {(Workflow, "semantics")}

    assert met == {(kind, name) for kind in declarations() for name in hints(kind)}


@pytest.mark.parametrize(
    ("kind", "name", "other"),
    CHANGES,
    ids=[f"{n}-{kind.__name__}-{name}" for n, (kind, name, _) in enumerate(CHANGES)],
)
def test_whatever_is_changed_changes_its_digest(kind: type, name: str, other: Workflow) -> None:
    """Titles and citations change the prose only, everything else changes the identity."""
    prose = kind is Citation or name in PROSE

    assert (workflow_digest(other) != workflow_digest(FULL)) is not prose
    if prose:
        assert prose_digest(other) != prose_digest(FULL)
    assert again(other) == other


def test_an_event_that_needs_no_signature_is_stored_as_before_there_were_any() -> None:
    event = Event(name="opened", kind=Kind.REPORT, roles=("nurse",))
    plain = replace(PLAIN, events=(event,))
    signed = replace(PLAIN, events=(replace(event, signature=Signature(meaning="witnessed")),))

    assert semantic_json(plain)["events"] == [
        {"name": "opened", "kind": "report", "roles": ["nurse"]}
    ]
    assert semantic_json(signed)["events"][0]["signature"] == {"meaning": "witnessed"}
    assert workflow_digest(signed) != workflow_digest(plain)


def test_a_title_is_no_part_of_the_identity() -> None:
    other = replace(PLAIN, title="A drip", states=(replace(PLAIN.states[0], title="Opened"),))

    assert workflow_digest(other) == workflow_digest(PLAIN)
    assert prose_digest(other) != prose_digest(PLAIN)


def test_a_threshold_that_a_site_sets_is_part_of_the_identity() -> None:
    other = PLAIN.with_parameters(most=q("20", "mg"))

    assert workflow_digest(other) != workflow_digest(PLAIN)
    assert prose_digest(other) == prose_digest(PLAIN)


def test_equal_thresholds_have_equal_digests() -> None:
    assert workflow_digest(PLAIN.with_parameters(most=q("30.0", "mg"))) == workflow_digest(PLAIN)


def test_the_order_of_declarations_is_part_of_the_identity() -> None:
    """The first of two open transitions of one priority is taken."""
    two = replace(PLAIN, states=(*PLAIN.states, State(name="shut", stage="only")))

    assert workflow_digest(replace(two, states=two.states[::-1])) != workflow_digest(two)


def test_the_two_halves_are_readable() -> None:
    assert semantic_json(PLAIN) == {
        "format": 1,
        "semantics": 2,
        "name": "drip",
        "version": "1",
        "initial": "open",
        "states": [{"name": "open", "stage": "only"}],
        "parameters": [
            {
                "name": "most",
                "value": {"quantity": ["30", "mg"]},
                "low": {"quantity": ["1", "mg"]},
            }
        ],
        "guards": [
            {"name": "late", "condition": {"op": ">", "of": [{"now": True}, {"now": True}]}}
        ],
    }
    assert prose_json(PLAIN) == {
        "format": 1,
        "title": "Drip",
        "states": {"open": {"title": "Open"}},
        "guards": {
            "late": {"title": "Late", "cite": {"source": "Paper", "text": "Table 3, row 4"}}
        },
    }


SEMANTIC, WORDS = semantic_json(PLAIN), prose_json(PLAIN)
STATE = {"name": "open", "stage": "only"}


@pytest.mark.parametrize(
    ("semantic", "prose", "said"),
    [
        ({"format": 2}, {}, r"^semantic\.format: expected 1"),
        ({"format": True}, {}, r"^semantic\.format: expected 1"),
        ({}, {"format": "1"}, r"^prose\.format: expected 1"),
        ({"semantics": 99}, {}, "^semantics: this engine reads 1 to"),
        ({"mood": 1}, {}, "^mood: unknown member"),
        ({"title": "Drip"}, {}, "^title: unknown member"),
        ({"states": {}}, {}, "^states: expected list, found dict"),
        ({"states": [3]}, {}, r"^states\[0\]: expected dict, found int"),
        ({"states": [{**STATE, "colour": "red"}]}, {}, r"^states\.open\.colour: unknown member"),
        ({"states": [{"name": "open"}]}, {}, r"^states\.open\.stage: missing"),
        ({"states": [{**STATE, "name": []}]}, {"states": {}}, r"^states\.0\.name: expected str"),
        ({"states": [{**STATE, "closed": 1}]}, {}, r"^states\.open\.closed: expected bool"),
        ({"states": [{**STATE, "closed": False}]}, {}, "^semantic: not in the form"),
        ({"timers": []}, {}, "^semantic: not in the form"),
        ({}, {"guards": {}}, r"^guards\.late\.cite: missing"),
        ({}, {"guards": {**WORDS["guards"], "x": {}}}, r"^guards\.x: prose about what does not"),
        ({}, {"states": {"open": {"title": 3}}}, r"^states\.open\.title: expected str"),
        ({}, {"states": {"open": {}}}, "^prose: not in the form"),
        ({}, {"states": []}, "^states: expected dict"),
        ({}, {"rules": {}}, "^rules: unknown member"),
        ({"guards": [{**SEMANTIC["guards"][0], "condition": {"not": {}}}]}, {}, r"^guards\.late"),
    ],
    ids=range(21),
)  # fmt: skip
def test_what_is_not_known_is_refused_with_its_place(
    semantic: dict[str, Any], prose: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        workflow_from({**SEMANTIC, **semantic}, {**WORDS, **prose})


@pytest.mark.parametrize("half", [None, [], "semantic", 1], ids=repr)
def test_what_is_no_object_is_refused(half: Any) -> None:
    with pytest.raises(ValueError, match="^semantic: expected dict"):
        workflow_from(half, WORDS)
    with pytest.raises(ValueError, match="^prose: expected dict"):
        workflow_from(SEMANTIC, half)


@given(st.data())
def test_a_damaged_half_is_refused_or_read_as_another_workflow(data: st.DataObject) -> None:
    """Nothing that is taken away goes unnoticed, and no damage raises anything else."""
    halves = parse(canonical([semantic_json(FULL), prose_json(FULL)]))
    holder = data.draw(
        st.sampled_from([part for part in _containers(halves) if part is not halves])
    )
    place = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else [0]))
    del holder[place]
    try:
        read = workflow_from(*halves)
    except ValueError:
        return
    assert read != FULL


ODD: list[tuple[dict[str, Any], str]] = [
    ({"parameters": (Parameter(name="a", value=3),)}, r"^parameters\.a\.value: no constant can be"),  # type: ignore[arg-type]  # what is refused
    ({"parameters": (Parameter(name="a", value=1.5),)}, r"^parameters\.a\.value: no constant can"),  # type: ignore[arg-type]  # what is refused
    ({"actions": (Action(name="a", rank=1.5),)}, r"^actions\.a\.rank: expected int, found float"),  # type: ignore[arg-type]  # what is refused
    ({"actions": (Action(name="a", rank=True),)}, r"^actions\.a\.rank: expected int, found bool"),
    ({"actions": (Action(name="a", rank=1, targets=()),)}, r"^actions\.a\.targets: expected a map"),  # type: ignore[arg-type]  # what is refused
    ({"roles": ["nurse"]}, "^roles: expected tuple, found list"),
    ({"roles": "nurse"}, "^roles: expected tuple, found str"),
    ({"version": 1}, "^version: expected str, found int"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "said"), ODD, ids=range(len(ODD)))
def test_a_value_of_another_type_is_not_written(members: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        workflow_digest(replace(PLAIN, **members))


def test_what_cannot_be_read_again_is_not_written() -> None:
    deep: Expression = Now()
    for _ in range(70):
        deep = Not(deep)
    guards = (replace(PLAIN.guards[0], condition=deep),)
    actions = (Action(name="a", rank=2**53),)

    with pytest.raises(ValueError, match="nested deeper than 64"):
        semantic_json(replace(PLAIN, guards=guards))
    with pytest.raises(ValueError, match=r"^actions\[0\]\.rank: beyond"):
        semantic_json(replace(PLAIN, actions=actions))
    with pytest.raises(ValueError, match=r"^states\.open: given twice"):
        prose_json(replace(PLAIN, states=PLAIN.states * 2))


def test_a_constant_keeps_its_type() -> None:
    """Python holds yes and 1 for equal; their digests differ."""
    yes, one = (
        replace(PLAIN, guards=(replace(PLAIN.guards[0], condition=Constant(value)),))
        for value in (True, Decimal(1))
    )

    assert workflow_digest(yes) != workflow_digest(one)
    assert again(yes).guards[0].condition.value is True  # type: ignore[attr-defined]  # a constant


def _default(member: Field[Any]) -> Any:
    if member.default_factory is not MISSING:
        return member.default_factory()
    return REQUIRED if member.default is MISSING else member.default


def _containers(value: Any) -> list[Any]:
    if not (isinstance(value, dict | list) and value):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for part in inner for found in _containers(part))]
