"""What another protocol would have made of a course, as a page: a form, and both side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from engine.core.supposition import Supposition
from engine.core.what_if import Policy
from engine.core.wire import WORKFLOW
from engine.pages import course as view
from engine.pages.frame import COURSES
from engine.pages.lanes import lanes
from engine.pages.records import Book
from engine.pages.what_if import Beside, changed
from engine.pages.what_if_form import MOST, PREFIX, Wanted, form
from engine.permission import Action
from engine.service import Status
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.seen import lacked
from engine.web.callers import Desk
from engine.web.problems import Problem
from engine.web.routes.courses import Course
from engine.web.screens.seat import Screen, Sight, screen
from engine.what_if import Amendment, Courses, Question, Supposing, Unreadable

router = APIRouter(include_in_schema=False, route_class=Screen)

Asked = Annotated[Desk, Depends(Sight(Action.READ_RECORDS, prefix=PREFIX))]


@router.get("/courses/{course}/what-if")
def what_if(  # the fields of the form
    *,
    request: Request,
    course: Course,
    desk: Asked,
    policy: Policy | None = None,
    definition: Annotated[str, Query(pattern=f"^(?:{WORKFLOW.pattern})?$")] = "",
    show: Annotated[str, Query(pattern="^(?:every)?$")] = "",
    start: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """The form, and the answer where something was asked; what is wrong is told at its field."""
    desk.place(course)
    typed = _typed(request)
    wanted = Wanted(typed=typed, policy=policy, definition=definition)
    if wanted.asked and "" in (*typed.values(), request.query_params.get("definition")):
        # A form sends what was left empty: the address that people keep is without.
        return RedirectResponse(f"/courses/{course}/what-if{wanted.query()}", status_code=303)
    status = desk.service.status(course)
    known = {
        one.digest: one.machine
        for one in desk.service.workflows()
        if one.machine.workflow.name == status.machine.workflow.name
    }
    asked = form(status.machine, known, wanted)
    answer = _answer(desk, status, wanted) if wanted.asked and not asked.wrong else {}
    return screen(
        desk,
        COURSES,
        "what_if.html",
        status=422 if asked.wrong else 200,
        head=view.head(status),
        tab="what-if",
        form=asked,
        wanted=wanted,
        every=bool(show),
        start=start,
        **{"answer": None, "said": None, **answer},
    )


def _typed(request: Request) -> dict[str, str]:
    sent = request.query_params.items()
    typed = {
        name.removeprefix(PREFIX): value.strip() for name, value in sent if name.startswith(PREFIX)
    }
    if len(typed) > MOST:
        raise Problem("invalid", detail=f"at most {MOST} parameters")
    return typed


def _answer(desk: Desk, status: Status, wanted: Wanted) -> dict[str, object]:
    """What the page tells: the two sides, or why there is nothing to lay side by side."""
    course, service = status.row["course"], desk.service
    courses = Courses(store=service.store, registry=service.setting.registry, tenant=service.tenant)
    amendment = Amendment(
        definition=courses.definition(wanted.definition) if wanted.definition else None,
        settings={name: value for name, value in wanted.typed.items() if value},
    )
    question = Question(amendment=amendment, policy=wanted.policy or Policy.FOLLOW_RECORDED)
    found, pairs = courses.side_by_side(course, Supposing(question))
    if not isinstance(found, Supposition):
        return {"said": found.what if isinstance(found, Unreadable) else _NOT_CONCERNED}
    records = service.records(course)[: found.records]
    amended = amendment.of(status.machine) or status.machine
    beside = Beside(
        found=found,
        pairs=pairs,
        policy=question.policy,
        other=amended,
        book=Book(
            records=records,
            entries=entries(records),
            lexicon=Lexicon(status.machine),
            wording=view.wording_of(status),
            lacking=lacked(service, course),
        ),
    )
    return {
        "answer": beside,
        "changed": tuple(changed(amended, amendment.changes([status.machine]))),
        "picture": lanes(beside, f"Course {course} under two definitions over time"),
    }


_NOT_CONCERNED = "It is a course of another workflow."
