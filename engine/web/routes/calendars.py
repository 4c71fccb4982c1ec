"""Shared calendars: made, listed and revoked by whoever may; read by whoever has the URL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response

from engine import ical
from engine.calendars import SharedCalendars
from engine.sharing import Scope, Shared
from engine.web.bodies import Body
from engine.web.calendars import CALENDAR_REQUEST, Calendar, CalendarList, MadeCalendar
from engine.web.callers import CalendarKeeper, CalendarReader
from engine.web.canonical import CanonicalResponse
from engine.web.office import Office, office_of
from engine.web.problems import Problem
from engine.web.responses import PROBLEMS, problems
from engine.web.routes.courses import Limit

router = APIRouter(tags=["calendars"])

NAME = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="As it is listed.")]
AFTER = "^[0-9]{1,16}_[0-9a-f]{16}$"
_EPOCH = datetime.fromtimestamp(0, UTC)


@router.post(
    "/calendar-feeds",
    status_code=201,
    response_model=MadeCalendar,
    responses=PROBLEMS["write"] | problems((404,)),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": CALENDAR_REQUEST}},
        }
    },
)
def share(*, desk: CalendarKeeper, body: Body) -> CanonicalResponse:
    """Share a calendar of a site, a role or a course. Its secret path is shown this once."""
    made = _calendars(desk.office).share(desk.caller, body)
    return CanonicalResponse(
        {**made.shared.json(), "path": made.path}, 201, headers={"Cache-Control": "no-store"}
    )


@router.get("/calendar-feeds", response_model=CalendarList, responses=PROBLEMS["read"])
def calendars(
    *,
    desk: CalendarReader,
    after: Annotated[
        str | None, Query(pattern=AFTER, description="The `next` of the page before.")
    ] = None,
    limit: Limit = 100,
) -> CanonicalResponse:
    """The calendars that are shared, oldest first, revoked ones too; never their secrets."""
    start = None
    if after is not None:
        made, _, name = after.partition("_")
        start = (_EPOCH + timedelta(microseconds=int(made)), name)
    found = _calendars(desk.office).page(desk.caller, after=start, limit=limit)
    following = _next(found[-1]) if len(found) == limit else None
    return CanonicalResponse({"calendars": [one.json() for one in found], "next": following})


@router.delete("/calendar-feeds/{calendar}", response_model=Calendar, responses=PROBLEMS["one"])
def revoke(*, calendar: NAME, desk: CalendarKeeper) -> CanonicalResponse:
    """Revoke a calendar, at once and for good: its URL finds nothing any more."""
    return CanonicalResponse(_calendars(desk.office).revoke(desk.caller, calendar).json())


@router.get(
    "/calendars/{key}.ics",
    response_class=Response,
    responses=problems((404, 429, 500, 503))
    | {
        200: {
            "content": {"text/calendar": {"schema": {"type": "string"}}},
            "description": "iCalendar",
        },
        304: {"description": "Nothing changed"},
    },
)
def calendar(
    *,
    request: Request,
    key: Annotated[str, Path(description="The calendar's id, a dot and its secret.")],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The calendar of a secret URL, for calendar programs: no token is asked for."""
    calendars = _calendars(office_of(request))
    shared = calendars.opened(key)
    if shared is None:
        raise Problem("not-found")
    course = shared.subject if shared.scope is Scope.COURSE else None
    body = ical.written(calendars.slots(shared), course=course)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer"}
    if _has(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=ical.MEDIA_TYPE, headers=headers)


def _calendars(office: Office) -> SharedCalendars:
    if office.calendars is None:
        raise Problem("not-found")
    return office.calendars


def _has(if_none_match: str | None, tag: str) -> bool:
    """Whether what the caller has already is this; a weak tag of the same name will do."""
    said = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return "*" in said or tag in said


def _next(last: Shared) -> str:
    return f"{(last.created_at - _EPOCH) // timedelta(microseconds=1)}_{last.id}"
