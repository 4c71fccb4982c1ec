"""Definitions as pages: those that are stored, the sheet of one, and what differs between two."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from engine.core.difference import compare
from engine.core.wire import WORKFLOW
from engine.pages.definition import guard_rows, parameter_rows, sections
from engine.pages.frame import WORKFLOWS
from engine.pages.states import diagram, ways
from engine.telling.lexicon import Lexicon
from engine.web.routes.workflows import Workflow, known
from engine.web.screens.seat import Screen, WorkflowSight, screen

router = APIRouter(include_in_schema=False, route_class=Screen)


@router.get("/workflows")
def workflows(*, desk: WorkflowSight) -> Response:
    """Every stored definition."""
    return screen(desk, WORKFLOWS, "workflows.html", known=desk.service.workflows())


@router.get("/workflows/{workflow}")
def workflow(*, workflow: Workflow, desk: WorkflowSight) -> Response:
    """The sheet of a definition: its states, every guard, every parameter."""
    one = known(desk, workflow)
    lexicon = Lexicon(one.machine)
    return screen(
        desk,
        WORKFLOWS,
        "workflow.html",
        one=one,
        made=one.machine.workflow,
        guards=tuple(guard_rows(one.machine.workflow)),
        parameters=parameter_rows(one.machine.workflow),
        diagram=diagram(lexicon),
        ways=tuple(ways(lexicon)),
        others=[other for other in desk.service.workflows() if other.digest != one.digest],
    )


@router.get("/workflows/{workflow}/difference")
def difference(
    *,
    workflow: Workflow,
    desk: WorkflowSight,
    since: Annotated[str, Query(pattern=f"^(?:{WORKFLOW.pattern})?$")] = "",
) -> Response:
    """What differs from another definition, in the words of the sheet."""
    after = known(desk, workflow)
    before = known(desk, since or workflow)
    found = compare(before.machine.workflow, after.machine.workflow)
    return screen(
        desk,
        WORKFLOWS,
        "difference.html",
        found=found,
        sections=sections(found),
        others=desk.service.workflows(),
        after=after,
        before=before,
    )
