"""The published shape of an event and the reading of it agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.core.definition import Event, Field, Input, Kind, State, Variable, Workflow
from engine.core.envelope import parse_enrolment
from engine.core.event import ADOPTED, CORRECTED, ENROLLED
from engine.core.forms import Forms
from engine.core.schema import DIALECT, event_schema
from engine.errors import InvalidInput, UnknownEvent

KINDS = ("number", "yesno", "date", "instant", "text")
WORKFLOW = Workflow(
    name="clinic",
    version="1",
    title="A made-up clinic",
    initial="waiting",
    states=(State(name="waiting", stage="before"),),
    inputs=(
        Input(name="urine", kind="quantity", unit="mL", interval=True),
        Input(name="heat", kind="quantity", unit="Cel", low=Decimal(25), high=Decimal(45),
              title="body temperature"),
        Input(name="rhythm", kind="code", codes=("sinus", "svt")),
        Input(name="steps", kind="number", interval=True),
    ),
    variables=(
        Variable(name="doses", kind="number"),
        Variable(name="total", kind="quantity", unit="mg"),
        Variable(name="tolerated", kind="yesno"),
        Variable(name="begun", kind="date"),
        Variable(name="seen", kind="instant"),
        Variable(name="phase", kind="code", codes=("early", "late")),
    ),
    events=(
        Event(
            name="everything",
            kind=Kind.REPORT,
            roles=("nurse",),
            fields=(
                *(Field(name=f"a-{kind}", kind=kind) for kind in KINDS),
                *(Field(name=name, input=name) for name in ("urine", "heat", "rhythm", "steps")),
                Field(name="dose", kind="quantity", unit="mg", required=True, high=Decimal("0.5")),
                Field(name="sites", kind="list", members=(
                    Field(name="size", kind="quantity", unit="mm", required=True),)),
            ),
            reason_codes=("planned",),
            reason_required=True,
        ),
        Event(name="bare", kind=Kind.REQUEST, roles=("clinician", "nurse")),
        Event(name="due", kind=Kind.REPORT, roles=("engine",), timer=True),
    ),
    roles=("nurse", "clinician"),
)  # fmt: skip
FORMS = Forms(WORKFLOW)
SENDABLE = ("everything", "bare", CORRECTED)


@pytest.mark.parametrize("name", SENDABLE)
def test_the_example_of_a_schema_is_read_as_an_event(name: str) -> None:
    schema = event_schema(WORKFLOW, name)

    assert schema["$schema"] == DIALECT
    for example in schema["examples"]:
        event = FORMS.parse(json.loads(json.dumps(example)))
        assert event.name == name
        assert [r.flaw for r in event.readings if r.flaw] == []


@pytest.mark.parametrize("name", [ENROLLED, ADOPTED])
def test_the_example_of_how_a_course_begins_is_read_and_fits_the_workflow(name: str) -> None:
    schema = event_schema(WORKFLOW, name)

    for example in schema["examples"]:
        event, enrolment = parse_enrolment(json.loads(json.dumps(example)))
        assert event.name == name
        assert enrolment.workflow == WORKFLOW.label
        attested = FORMS.attested(event, enrolment)
        assert attested.keys() == {v.name for v in WORKFLOW.variables if name == ADOPTED}


@pytest.mark.parametrize("name", [ENROLLED, ADOPTED])
def test_what_a_beginning_requires_is_missed_when_absent(name: str) -> None:
    schema = event_schema(WORKFLOW, name)
    for member in schema["required"]:
        example = {k: v for k, v in schema["examples"][0].items() if k != member}
        with pytest.raises(InvalidInput) as caught:
            parse_enrolment(example)

        assert caught.value.field.split(".")[0] == member


def test_the_example_shows_every_field() -> None:
    (example,) = event_schema(WORKFLOW, "everything")["examples"]

    assert list(example["data"]) == [f.name for f in WORKFLOW.events[0].fields]


@pytest.mark.parametrize("name", SENDABLE)
def test_what_a_schema_requires_is_missed_when_absent(name: str) -> None:
    schema = event_schema(WORKFLOW, name)
    for member in schema["required"]:
        example = {k: v for k, v in schema["examples"][0].items() if k != member}
        with pytest.raises(InvalidInput) as caught:
            FORMS.parse(example)

        assert caught.value.field.split(".")[0] == member


@pytest.mark.parametrize("name", [*SENDABLE, ENROLLED, ADOPTED])
def test_every_object_in_a_schema_is_closed_and_requires_only_what_it_has(name: str) -> None:
    for part in objects(event_schema(WORKFLOW, name)):
        assert part["additionalProperties"] is False
        assert set(part["required"]) <= part["properties"].keys()


def test_a_schema_says_what_is_possible_and_in_which_unit() -> None:
    heat = event_schema(WORKFLOW, "everything")["properties"]["data"]["properties"]["heat"]

    assert heat["title"] == "body temperature"
    assert heat["description"] == "possible: from 25 Cel up to 45 Cel"
    assert "'Cel'" in heat["anyOf"][0]["properties"]["unit"]["description"]


def test_only_the_senders_of_an_event_are_offered() -> None:
    schema = event_schema(WORKFLOW, "bare")

    assert schema["properties"]["actor"]["properties"]["role"] == {"enum": ["clinician", "nurse"]}


@pytest.mark.parametrize("name", ["due", "nothing"])
def test_an_event_that_nobody_may_send_has_no_schema(name: str) -> None:
    with pytest.raises(UnknownEvent):
        event_schema(WORKFLOW, name)


def test_a_workflow_without_inputs_still_tells_how_to_correct() -> None:
    bare = replace(WORKFLOW, inputs=(), events=WORKFLOW.events[1:])

    assert event_schema(bare, CORRECTED)["properties"]["event"] == {"const": CORRECTED}


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        parts = [v for k, v in schema.items() if k not in ("examples", "oneOf")]
    else:
        parts = schema if isinstance(schema, list) else []
    for part in parts:
        yield from objects(part)
