"""FHIR R4 going out: due visits, courses and records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from engine.calendars import AHEAD
from engine.core.wire import IDENTIFIER
from engine.fhir import audit, capability, outcome, plan, proposal, visit
from engine.item import Item
from engine.listing import Listing
from engine.sharing import Place
from engine.web.callers import Anybody, Desk, LogReader, Reader, VisitReader
from engine.web.routes.courses import Course
from engine.web.spoken import RESPONSES, FhirResponse, bundle, exchange
from engine.worklist import MOST, Ask

router = APIRouter(prefix="/fhir", tags=["fhir"])

Named = Annotated[str | None, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
Count = Annotated[int, Query(alias="_count", ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(description="That of the `next` link of the page before.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which visits are asked for, of a course or of sites, and which page of them."""

    course: str | None
    site: str | None
    cursor: str | None
    count: int


def _search(
    course: Named = None, site: Named = None, cursor: Cursor = None, count: Count = 50
) -> Search:
    return Search(course=course, site=site, cursor=cursor, count=count)


Searched = Annotated[Search, Depends(_search)]


def _get(path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return router.get(path, response_class=FhirResponse, responses=RESPONSES)


@_get("/metadata")
def metadata(*, desk: Anybody, request: Request) -> FhirResponse:
    """What the service does of FHIR."""
    today = desk.office.now().date()
    return FhirResponse(capability.statement(version=request.app.version, on=today))


@_get("/Appointment")
def appointments(*, desk: VisitReader, request: Request, wanted: Searched) -> FhirResponse:
    """The visits that are proposed and not booked; nothing is booked here."""
    return _visits(desk, request, wanted, Listing.UNBOOKED, proposal.appointment)


@_get("/Task")
def tasks(*, desk: VisitReader, request: Request, wanted: Searched) -> FhirResponse:
    """The due visits, booked or not."""
    return _visits(desk, request, wanted, Listing.VISITS, visit.task)


@_get("/CarePlan/{course}")
def care_plan(*, course: Course, desk: Reader) -> FhirResponse:
    """Where a course stands."""
    place = desk.place(course)
    headers = {"ETag": f'W/"{place.row["revision"]}"'}
    return FhirResponse(plan.care_plan(place.row, place.machine), headers=headers)


@_get("/AuditEvent")
def audit_events(
    *,
    desk: LogReader,
    request: Request,
    course: Named = None,
    cursor: Annotated[str | None, Query(pattern="^[0-9]{1,15}:[0-9]{1,15}$")] = None,
    count: Count = 50,
) -> FhirResponse:
    """The records of a course, without what was measured or found."""
    if course is None:
        said = outcome.issue("warning", "incomplete", text="name a course", expression="course")
        return FhirResponse(bundle(request, [outcome.outcome([said])], None, mode="outcome"))
    desk.place(course)
    after, until = (0, None) if cursor is None else map(int, cursor.split(":"))
    page = desk.service.page(course, after=after, until=until, limit=count)
    last = page.records[-1].seq if page.records else page.until
    following = f"{last}:{page.until}" if last < page.until else None
    return FhirResponse(bundle(request, map(audit.audit_event, page.records), following))


def _visits(
    desk: Desk,
    request: Request,
    wanted: Search,
    listing: Listing,
    made: Callable[[Item, Place], dict[str, Any] | None],
) -> FhirResponse:
    """A page of visits as resources; those that have none are left out."""
    items, cursor = _found(desk, wanted, listing)
    courses = list(dict.fromkeys(item.course for item in items))
    places = exchange(desk).places(desk.caller.tenant, courses)
    resources = [made(item, places[item.course]) for item in items]
    return FhirResponse(bundle(request, [r for r in resources if r], cursor))


def _found(desk: Desk, wanted: Search, listing: Listing) -> tuple[Sequence[Item], str | None]:
    """The visits of a page, and where the next one begins. A course has one page."""
    site, lists = wanted.site, desk.worklists
    if wanted.course is not None:
        found = lists.of_course(wanted.course, sites=desk.caller.sites)
        return [item for item in found.items if site is None or item.site == site], None
    page = lists.page(
        Ask(
            listing=listing,
            sites=desk.scope(None if site is None else [site]),
            soon_days=AHEAD,
            cursor=wanted.cursor,
            limit=wanted.count,
        )
    )
    return page.items, page.cursor
