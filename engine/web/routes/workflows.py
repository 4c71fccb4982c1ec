"""Workflows, and what may be sent to courses of each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from engine.core.definition import Kind
from engine.core.event import OWN
from engine.core.machine import Machine
from engine.core.schema import FIRST, event_schema
from engine.core.wire import NAME, WORKFLOW
from engine.errors import UnknownEvent, UnknownWorkflow
from engine.service import Known
from engine.web import documents, schemas
from engine.web.callers import Desk, WorkflowReader
from engine.web.canonical import CanonicalResponse
from engine.web.problems import Problem
from engine.web.responses import PROBLEMS

router = APIRouter(tags=["workflows"])

SCHEMA = "application/schema+json"


class SchemaResponse(CanonicalResponse):
    """A JSON Schema."""

    media_type = SCHEMA


Workflow = Annotated[
    str,
    Path(pattern=f"^(?:{WORKFLOW.pattern})$", description="A name, name@version or digest."),
]


@router.get("/workflows", response_model=schemas.WorkflowList, responses=PROBLEMS["read"])
def workflows(*, desk: WorkflowReader) -> CanonicalResponse:
    """Every workflow that is stored, and which of them courses are enrolled in by name."""
    found = desk.service.workflows()
    return CanonicalResponse(
        {
            "workflows": [
                documents.workflow_line(one.machine.workflow, one.digest, enrolling=one.enrolling)
                for one in found
            ]
        }
    )


@router.get(
    "/workflows/{workflow}", response_model=schemas.WorkflowDocument, responses=PROBLEMS["one"]
)
def workflow(*, workflow: Workflow, desk: WorkflowReader) -> CanonicalResponse:
    """A workflow: its states, and what may be sent."""
    one = known(desk, workflow)
    made = one.machine.workflow
    line = documents.workflow_line(made, one.digest, enrolling=one.enrolling)
    return CanonicalResponse(
        {
            **line,
            "roles": list(made.roles),
            "states": [
                {
                    "name": state.name,
                    "stage": state.stage,
                    "title": state.title or state.name,
                    "closed": state.closed,
                    "waits": None if state.waits is None else state.waits.value,
                }
                for state in made.states
            ],
            "events": _events(one.machine),
            "visits": [visit.name for visit in made.visits],
        }
    )


@router.get(
    "/workflows/{workflow}/events/{event}",
    responses=PROBLEMS["one"]
    | {200: {"content": {SCHEMA: {"schema": {"type": "object"}}}, "description": "JSON Schema"}},
    response_class=SchemaResponse,
)
def schema(
    *,
    workflow: Workflow,
    event: Annotated[str, Path(pattern=f"^(?:{NAME.pattern})$")],
    desk: WorkflowReader,
) -> SchemaResponse:
    """The JSON Schema of an event's envelope, with an example."""
    machine = known(desk, workflow).machine
    try:
        return SchemaResponse(event_schema(machine.workflow, event))
    except UnknownEvent as unknown:
        raise Problem("not-found", detail=str(unknown)) from unknown


def known(desk: Desk, workflow: str) -> Known:
    """The stored workflow that a path names. Raises Problem when there is none."""
    try:
        return desk.service.workflow(workflow)
    except UnknownWorkflow as unknown:
        raise Problem("not-found", detail=str(unknown)) from unknown


def _events(machine: Machine) -> list[dict[str, object]]:
    made = machine.workflow
    own = [
        {
            "name": event.name,
            "kind": event.kind.value,
            "title": event.title or event.name,
            "roles": sorted(event.roles),
            "engine": False,
        }
        for event in made.events
        if not event.timer
    ]
    engine = [
        {
            "name": name,
            "kind": (Kind.REQUEST if machine.asks(name) else Kind.REPORT).value,
            "title": event_schema(made, name)["title"],
            "roles": sorted(machine.permitted(name)),
            "engine": True,
        }
        for name in (*FIRST, *OWN)
    ]
    return [*own, *engine]
