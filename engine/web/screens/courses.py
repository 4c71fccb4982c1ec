"""Courses as pages: the list, and one at a glance with its whole time in one picture."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from engine.audit import NOT_TOLD
from engine.core.wire import IDENTIFIER, civil_day
from engine.errors import UnknownWorkflow
from engine.pages import course as view
from engine.pages.frame import COURSES
from engine.pages.states import diagram, steps, ways
from engine.ports import CourseLine, Search
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.overview import Overview
from engine.web.callers import Desk
from engine.web.routes.courses import Course
from engine.web.screens.seat import CourseSight, RecordSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)

PAGE = 100

# A form sends what was left empty as an empty text.
Word = Annotated[str, Query(pattern=f"^(?:{IDENTIFIER.pattern})?$")]
Day = Annotated[str, Query(pattern=r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?$")]


@router.get("/courses")
def courses(
    *,
    desk: CourseSight,
    course: Word = "",
    site: Word = "",
    waits: Literal["", "hold", "decision"] = "",
    open: Literal["", "yes", "no"] = "",  # noqa: A002  # the word of the row
    after: Word = "",
) -> Response:
    """Courses by name."""
    wanted = Search(
        sites=desk.caller.sites,
        site=site or None,
        waits=waits or None,
        open={"": None, "yes": True, "no": False}[open],
    )
    # A name is looked for from where it would stand: what begins so comes first.
    found = desk.service.search(wanted, after=after or _before(course), limit=PAGE)
    chosen = {"course": course, "site": site, "waits": waits, "open": open}
    return screen(
        desk,
        COURSES,
        "courses.html",
        courses=found,
        states=_titles(desk, found),
        chosen=chosen,
        sites=desk.seen_sites or (),
        next=found[-1].course if len(found) == PAGE else None,
    )


@router.get("/courses/{course}")
def course(
    *,
    course: Course,
    desk: RecordSight,
    round: Annotated[int | None, Query(ge=1, le=1000)] = None,  # noqa: A002  # the word of a course
    first: Annotated[Day, Query(alias="from")] = "",
    last: Annotated[Day, Query(alias="until")] = "",
) -> Response:
    """Where a course stands, and its time in one picture."""
    desk.place(course)
    now = desk.office.now()
    status = desk.service.status(course, at=now)
    records = desk.service.records(course)
    believed = desk.auditor.believed_variables(course)
    overview = Overview.of(status, records, now, believed=believed)
    zone = ZoneInfo(status.row["zone"])
    choice = view.Choice(
        round=round,
        first=_midnight(first, "from", zone),
        last=_midnight(last, "until", zone, days=1),
    )
    return screen(
        desk,
        COURSES,
        "course.html",
        head=view.head(status),
        tab="",
        overview=overview,
        not_told=NOT_TOLD if believed is None else "",
        told=overview.json(),
        questions=view.questions(overview),
        findings=view.findings(overview),
        options=view.options(overview),
        readings=view.readings(overview),
        picture=view.picture(status, entries(records), choice),
        chosen={"from": first, "until": last},
    )


@router.get("/courses/{course}/states")
def states(*, course: Course, desk: RecordSight) -> Response:
    """The states of the course's workflow, with the way that it took."""
    desk.place(course)
    status = desk.service.status(course)
    told = entries(desk.service.records(course))
    lexicon, wording = Lexicon(status.machine), view.wording_of(status)
    return screen(
        desk,
        COURSES,
        "states.html",
        head=view.head(status),
        tab="states",
        diagram=diagram(lexicon, told),
        steps=tuple(steps(told, lexicon, {one.seq: wording.instant(one.at) for one in told})),
        ways=tuple(ways(lexicon, told)),
    )


def _titles(desk: Desk, courses: Iterable[CourseLine]) -> dict[str, str]:
    """The titles of the states that courses are in, by course; of one without, its name in words.

    A definition that is gone is for `verify` to tell: the list shows the others all the same.
    """
    lexicons: dict[str, Lexicon | None] = {}
    titles = {}
    for one in courses:
        if one.digest not in lexicons:
            try:
                lexicons[one.digest] = Lexicon(desk.service.workflow(one.digest).machine)
            except UnknownWorkflow:
                lexicons[one.digest] = None
        lexicon = lexicons[one.digest]
        title = one.state if lexicon is None else lexicon.state(one.state)
        titles[one.course] = one.state.replace("_", " ") if title == one.state else title
    return titles


def _midnight(day: str, field: str, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    if not day:
        return None
    return datetime.combine(civil_day(day, field) + timedelta(days=days), time(), tzinfo=zone)


def _before(name: str) -> str:
    """A name that stands just before all those that begin so.

    >>> _before("GAR"), _before("")
    ('GAQ~', '')
    """
    return f"{name[:-1]}{chr(ord(name[-1]) - 1)}~" if name else ""
