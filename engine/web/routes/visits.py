"""Visits: due windows with proposals and bookings, of every course or of one; and holds."""

from __future__ import annotations

from fastapi import APIRouter

from engine.listing import Listing
from engine.web import visits
from engine.web.callers import Reader, VisitReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course, Day
from engine.web.routes.worklists import AsOf, AtSites, Cursor, Limit, Soon, named, page
from engine.worklist import PAGE, SOON_DAYS, Ask

router = APIRouter(tags=["visits"])


@router.get("/visits", response_model=visits.ItemList, responses=PROBLEMS["read"])
def all_visits(
    *,
    desk: VisitReader,
    site: AtSites = None,
    day: Day = None,
    as_of: AsOf = None,
    soon_days: Soon = SOON_DAYS,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> CanonicalResponse:
    """Every visit whose window has opened, or opens within `soon_days`, the earliest first."""
    ask = Ask(
        listing=Listing.VISITS,
        as_of=named(as_of, "as_of"),
        sites=desk.scope(site),
        day=named(day, "day"),
        soon_days=soon_days,
        cursor=cursor,
        limit=limit,
    )
    return page(desk, ask)


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
def holds(
    *,
    desk: Reader,
    site: AtSites = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> CanonicalResponse:
    """Every course that is on hold, with the visit that reviews it, by course."""
    ask = Ask(
        listing=Listing.HOLDS,
        as_of=named(as_of, "as_of"),
        sites=desk.scope(site),
        cursor=cursor,
        limit=limit,
    )
    return page(desk, ask)
