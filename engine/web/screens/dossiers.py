"""The dossier of a course: everything about it in one page to print, or in one PDF.

Both are exports, and noted in the access log as such, whoever asks.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from engine.core.history import verify
from engine.log_entry import Logged
from engine.pages import course as view
from engine.pages.dossier import Dossier, can_be_set, news, pdf, standing
from engine.pages.frame import COURSES
from engine.pages.records import Chain
from engine.pages.states import diagram
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.overview import Overview
from engine.web.callers import Desk
from engine.web.problems import Problem
from engine.web.routes.courses import Course
from engine.web.screens.records import book_of
from engine.web.screens.seat import RecordSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)


@router.get("/courses/{course}/dossier")
def dossier(*, course: Course, desk: RecordSight) -> Response:
    """The dossier as a page to print."""
    found = _dossier(desk, course)
    return screen(
        desk,
        COURSES,
        "dossier.html",
        head=found.head,
        tab="dossier",
        pdf=can_be_set(),
        chain=found.chain,
        standing=found.standing,
        timeline=found.timeline,
        busiest=found.busiest,
        states=found.states,
        records=found.lines,
        questions=found.questions,
        readings=found.readings,
        variables=found.variables,
    )


@router.get("/courses/{course}/dossier.pdf")
def dossier_pdf(*, course: Course, desk: RecordSight) -> Response:
    """The dossier as a PDF."""
    if not can_be_set():
        raise Problem("not-found", detail="a PDF needs regimen-engine[dossier]")
    made = pdf(_dossier(desk, course))
    headers = {"Content-Disposition": f'inline; filename="{course}.pdf"'}
    return Response(made, media_type="application/pdf", headers=headers)


def _dossier(desk: Desk, course: str) -> Dossier:
    """The dossier of a course as it was left by its last record: it says nothing of today."""
    desk.place(course)
    records = desk.service.records(course)
    until = records[-1].recorded_at
    status = desk.service.status(course, at=until)
    told = entries(records)
    overview = Overview.of(status, records, until)
    picture = view.picture(status, told, view.Choice())
    book = book_of(desk, status, records, range(1, len(records) + 1))
    if picture is None:
        raise Problem("not-found", course=course)
    if desk.office.access is not None:
        desk.office.access.log.note(
            desk.caller, Logged.EXPORTED, {"what": "dossier", "course": course}
        )
    lines, said = news(book.line(one.seq) for one in told), overview.json()
    return Dossier(
        head=view.head(status),
        chain=Chain.of(records, verify(records, course=course, tenant=desk.service.tenant)),
        standing=tuple(standing(said, lines)),
        timeline=picture.drawn,
        busiest=view.busiest(status, told),
        states=diagram(Lexicon(status.machine), told),
        lines=lines,
        questions=view.questions(overview),
        readings=view.readings(overview),
        variables=said["variables"],
        until=until,
    )
