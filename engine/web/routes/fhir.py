"""FHIR R4 going out: due visits, courses and records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

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

Site = Annotated[str | None, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
OfCourse = Annotated[str | None, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
Count = Annotated[int, Query(alias="_count", ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(description="That of the `next` link of the page before.")]


def _get(path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return router.get(path, response_class=FhirResponse, responses=RESPONSES)


@_get("/metadata")
def metadata(*, desk: Anybody, request: Request) -> FhirResponse:
    """What the service does of FHIR."""
    today = desk.office.now().date()
    return FhirResponse(capability.statement(version=request.app.version, on=today))


@_get("/Appointment")
def appointments(
    *,
    desk: VisitReader,
    request: Request,
    course: OfCourse = None,
    site: Site = None,
    cursor: Cursor = None,
    count: Count = 50,
) -> FhirResponse:
    """The visits that are proposed and not booked; nothing is booked here."""
    found = _Visits(desk, Listing.UNBOOKED, course, site, cursor, count)
    return found.bundle(request, proposal.appointment)


@_get("/Task")
def tasks(
    *,
    desk: VisitReader,
    request: Request,
    course: OfCourse = None,
    site: Site = None,
    cursor: Cursor = None,
    count: Count = 50,
) -> FhirResponse:
    """The due visits, booked or not."""
    found = _Visits(desk, Listing.VISITS, course, site, cursor, count)
    return found.bundle(request, visit.task)


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
    course: OfCourse = None,
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


class _Visits:
    """A page of visits, of a course or of sites."""

    def __init__(  # noqa: PLR0917  # as they are asked for
        self,
        desk: Desk,
        listing: Listing,
        course: str | None,
        site: str | None,
        cursor: str | None,
        count: int,
    ) -> None:
        self._exchange = exchange(desk)
        self._tenant = desk.caller.tenant
        self.cursor: str | None = None
        sites = None if desk.caller.sites is None else frozenset(desk.caller.sites)
        lists = desk.worklists
        if course is not None:
            found = lists.of_course(course, sites=sites)
            self.items: Sequence[Item] = [
                item for item in found.items if site is None or item.site == site
            ]
            return
        if site is not None:
            sites = frozenset({site}) if sites is None else sites & {site}
        ask = Ask(listing=listing, sites=sites, soon_days=AHEAD, cursor=cursor, limit=count)
        page = lists.page(ask)
        self.items, self.cursor = page.items, page.cursor

    def bundle(
        self, request: Request, made: Callable[[Item, Place], dict[str, Any] | None]
    ) -> FhirResponse:
        """The visits as resources; those that have none are left out."""
        courses = list(dict.fromkeys(item.course for item in self.items))
        places = self._exchange.places(self._tenant, courses)
        resources = [made(item, places[item.course]) for item in self.items]
        return FhirResponse(bundle(request, [r for r in resources if r], self.cursor))
