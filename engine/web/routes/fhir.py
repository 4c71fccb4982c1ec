"""FHIR R4: due visits and records out, bookings and observations in, errors as OperationOutcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from engine.answer import Answer
from engine.calendars import AHEAD
from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.core.wire import IDENTIFIER, NAME
from engine.errors import InvalidInput, NotPermitted, RegimenError
from engine.fhir import audit, booking, capability, observation, outcome, plan, proposal, visit
from engine.fhir.shape import SHAPES
from engine.fhir.term import MEDIA_TYPE, valid
from engine.item import Item
from engine.listing import Listing
from engine.sharing import Place
from engine.web.bodies import DecimalBody
from engine.web.callers import Anybody, Booker, Desk, LogReader, Reader, Sender, VisitReader
from engine.web.entry import etag, permit
from engine.web.office import Exchange
from engine.web.problems import Problem
from engine.web.routes.courses import Course
from engine.worklist import MOST, Ask


class FhirResponse(JSONResponse):
    """A resource."""

    media_type = MEDIA_TYPE


router = APIRouter(prefix="/fhir", tags=["fhir"])

_OUTCOME = {"schema": {"type": "object", "title": "OperationOutcome"}}
_STATUSES = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503)
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}, "description": "A resource"},
    **{
        status: {"content": {MEDIA_TYPE: _OUTCOME}, "description": outcome.CODES.get(status, "")}
        for status in _STATUSES
    },
}
_RECORDED = _RESPONSES | {201: {**_RESPONSES[200], "description": "It was recorded"}}


def _shape(kind: str) -> dict[str, Any]:
    """What of a resource is read; it may have more elements."""
    content = {MEDIA_TYPE: {"schema": SHAPES[kind]}}
    return {"requestBody": {"required": True, "content": content}}


Site = Annotated[str | None, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
OfCourse = Annotated[str | None, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
Count = Annotated[int, Query(alias="_count", ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(description="That of the `next` link of the page before.")]
Id = Annotated[str, Path(pattern="^[A-Za-z0-9.-]{1,64}$")]
Role = Annotated[
    str, Query(pattern=f"^(?:{NAME.pattern})$", description="`actor.role` of the event.")
]
Actor = Annotated[
    str | None,
    Query(pattern=f"^(?:{IDENTIFIER.pattern})$", description="`actor.id`, else the caller's."),
]


def _get(path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return router.get(path, response_class=FhirResponse, responses=_RESPONSES)


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
        return FhirResponse(_bundle(request, [outcome.outcome([said])], None, mode="outcome"))
    desk.place(course)
    after, until = (0, None) if cursor is None else map(int, cursor.split(":"))
    page = desk.service.page(course, after=after, until=until, limit=count)
    last = page.records[-1].seq if page.records else page.until
    following = f"{last}:{page.until}" if last < page.until else None
    return FhirResponse(_bundle(request, map(audit.audit_event, page.records), following))


@router.put(
    "/Appointment/{id}",
    response_class=FhirResponse,
    responses=_RECORDED,
    openapi_extra=_shape(booking.KIND),
)
def put_appointment(
    *,
    id: Id,  # noqa: A002  # FHIR's word
    desk: Booker,
    body: DecimalBody,
    role: Role = "scheduler",
    actor: Actor = None,
) -> FhirResponse:
    """What became of an appointment, as the event of a booking: a fact, so never refused."""
    return _booking(desk, body, role, actor, name=id)


@router.post(
    "/Appointment",
    response_class=FhirResponse,
    responses=_RECORDED,
    openapi_extra=_shape(booking.KIND),
)
def post_appointment(
    *, desk: Booker, body: DecimalBody, role: Role = "scheduler", actor: Actor = None
) -> FhirResponse:
    """The same; the id is the scheduling system's own, in the resource."""
    return _booking(desk, body, role, actor)


@router.put(
    "/Observation/{id}",
    response_class=FhirResponse,
    responses=_RECORDED,
    openapi_extra=_shape(observation.KIND),
)
def put_observation(
    *,
    id: Id,  # noqa: A002  # FHIR's word
    desk: Sender,
    body: DecimalBody,
    role: Role = "laboratory",
    actor: Actor = None,
) -> FhirResponse:
    """A measurement, as the event that brings its readings, or as their correction."""
    return _observation(desk, body, role, actor, name=id)


@router.post(
    "/Observation",
    response_class=FhirResponse,
    responses=_RECORDED,
    openapi_extra=_shape(observation.KIND),
)
def post_observation(
    *, desk: Sender, body: DecimalBody, role: Role = "laboratory", actor: Actor = None
) -> FhirResponse:
    """The same; the id is the source's own, in the resource."""
    return _observation(desk, body, role, actor)


# --- in -------------------------------------------------------------------------------------------


def _booking(
    desk: Desk, body: Mapping[str, Any], role: str, actor: str | None, *, name: str | None = None
) -> FhirResponse:
    course = booking.course(body)
    desk.place(course)
    _require_id(body, name, booking.KIND)
    begins = booking.prefix(body)
    # Versions of one appointment are taken one after the other, so that none overtakes another.
    with desk.office.in_hand.one(desk.caller.tenant, course, begins):
        status = desk.service.status(course)
        event = booking.event(
            body,
            patient=str(status.row["patient"]),
            bookings=status.snapshot.bookings,
            told=_exchange(desk).told.versions(desk.caller.tenant, course, begins),
            actor={"id": actor or desk.caller.id, "role": role},
        )
        if event is None:
            return _nothing_new()
        return _answered(_sent(desk, [event], booking.PATHS))


def _observation(
    desk: Desk, body: Mapping[str, Any], role: str, actor: str | None, *, name: str | None = None
) -> FhirResponse:
    course = observation.course(body)
    place = desk.place(course)
    _require_id(body, name, observation.KIND)
    begins = observation.prefix(body)
    by, workflow = {"id": actor or desk.caller.id, "role": role}, place.machine.workflow
    with desk.office.in_hand.one(desk.caller.tenant, course, begins):
        told = _exchange(desk).told.versions(desk.caller.tenant, course, begins)
        # Before it is compared with what the course knows: a guess is else told from a hit.
        event = observation.event_of(body, workflow=workflow, told=told, role=role)
        permit(desk, {"event": event, "actor": by, "course": course})
        _require_role(place.machine, event, role)
        sent = observation.sent(
            body, workflow=workflow, patient=str(place.row["patient"]), told=told, actor=by
        )
        if not sent.events:
            return _nothing_new()
        return _answered(_sent(desk, sent.events, sent.paths), sent.left_out)


def _require_role(machine: Machine, event: str, role: str) -> None:
    """Raises NotPermitted where the workflow takes no such event from a role."""
    declared = machine.events.get(event)
    if declared is not None and role not in declared.roles:
        raise NotPermitted(event, role, declared.roles)


def _sent(
    desk: Desk, events: Sequence[Mapping[str, Any]], paths: Mapping[str, str]
) -> list[Answer]:
    """The answers to events that are decided together. Raises what stopped the first of them."""
    for event in events:
        permit(desk, event)
    try:
        if len(events) == 1:
            return [desk.service.submit(dict(events[0]))]
        answers = []
        for found in desk.service.submit_many(map(dict, events)):
            if isinstance(found, RegimenError):
                raise found
            answers.append(found)
        return answers
    except InvalidInput as wrong:
        raise InvalidInput(
            _element(wrong.field, paths), wrong.expected, found=wrong.found
        ) from wrong


def _element(field: str, paths: Mapping[str, str]) -> str:
    """The element that a member of the event was made of; what is none stays as it is."""
    for member, path in paths.items():
        if field == member or field.startswith(f"{member}."):
            return path
    return field


def _answered(answers: Sequence[Answer], left_out: Sequence[str] = ()) -> FhirResponse:
    """What was recorded, with what speaks against a booking."""
    last = answers[-1]
    said = [
        outcome.issue("information", "informational", text=f"{one.event}: record {one.seq}")
        for one in answers
    ]
    said += [
        outcome.issue("warning", "business-rule", text=word)
        for one in answers
        for word in one.decision.get("conflicts", ())
    ]
    said += [
        outcome.issue("information", "incomplete", text="left out: no value", expression=path)
        for path in left_out
    ]
    headers = etag(last.revision)
    headers["Location"] = f"/v1/courses/{last.course}/records/{last.seq}"
    status = 200 if last.repeated else 201
    return FhirResponse(outcome.outcome(said), status, headers=headers)


def _nothing_new() -> FhirResponse:
    text = "nothing that concerns the course has changed"
    return FhirResponse(outcome.outcome([outcome.issue("information", "informational", text=text)]))


def _require_id(body: Mapping[str, Any], name: str | None, kind: str) -> None:
    """Raises InvalidInput where the path names another resource."""
    if name is not None and body.get("id") != name:
        raise InvalidInput(f"{kind}.id", "the id of the path")


# --- out ------------------------------------------------------------------------------------------


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
        self._exchange = _exchange(desk)
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
        return FhirResponse(_bundle(request, [r for r in resources if r], self.cursor))


def _bundle(
    request: Request,
    resources: Iterable[Json],
    cursor: str | None,
    *,
    mode: str = "match",
) -> dict[str, Json]:
    """A page of what was searched, with a link to the next one."""
    asked = f"?{request.url.query}" if request.url.query else ""
    links = [{"relation": "self", "url": f"{request.url.path}{asked}"}]
    if cursor is not None:
        following = request.url.include_query_params(cursor=cursor)
        links.append({"relation": "next", "url": f"{following.path}?{following.query}"})
    return valid(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": links,
            "entry": [{"resource": one, "search": {"mode": mode}} for one in resources],
        }
    )


def _exchange(desk: Desk) -> Exchange:
    if desk.office.exchange is None:
        raise Problem("not-found")
    return desk.office.exchange


def told(problem: Problem) -> FhirResponse:
    """A problem as FHIR says it."""
    return FhirResponse(
        outcome.problem(problem.document()), problem.kind.status, headers=problem.headers
    )
