"""Visits: due windows with proposals and bookings, of every course or of one; and holds."""

from __future__ import annotations

from fastapi import APIRouter

from engine.listing import Listing
from engine.web import visits
from engine.web.asked import AsOf, Filtered, Paged, Scoped, answered, ask, named
from engine.web.callers import Reader, VisitReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course

router = APIRouter(tags=["visits"])


@router.get("/visits", response_model=visits.ItemList, responses=PROBLEMS["read"])
def all_visits(*, desk: VisitReader, wanted: Filtered, page: Paged) -> CanonicalResponse:
    """Every visit whose window has opened, or opens within `soon_days`, the earliest first."""
    return answered(desk, ask(desk, Listing.VISITS, wanted, page))


@router.get(
    "/courses/{course}/visits",
    response_model=visits.CourseVisitsDocument,
    responses=PROBLEMS["one"],
)
def of_course(*, course: Course, desk: VisitReader, as_of: AsOf = None) -> CanonicalResponse:
    """The due visits of a course with their proposals, and all that was ever booked."""
    desk.place(course)
    found = desk.worklists.of_course(course, as_of=named(as_of, "as_of"), sites=desk.caller.sites)
    return CanonicalResponse(found.json())


@router.get("/holds", response_model=visits.ItemList, responses=PROBLEMS["read"])
def holds(*, desk: Reader, wanted: Scoped, page: Paged) -> CanonicalResponse:
    """Every course that is on hold, with the visit that reviews it, by course."""
    return answered(desk, ask(desk, Listing.HOLDS, wanted, page))
