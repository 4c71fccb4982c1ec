"""Sites: on which days they are open. The gate looks at the site of a path."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Path

from engine import clinic
from engine.core.wire import IDENTIFIER
from engine.log_entry import Logged
from engine.web import visits
from engine.web.bodies import Body
from engine.web.callers import SiteManager, SiteReader
from engine.web.canonical import CanonicalResponse
from engine.web.condition import Condition, condition
from engine.web.responses import PROBLEMS

router = APIRouter(tags=["sites"])

IfMatch = Annotated[
    str | None, Header(description="The calendar's ETag as it was read; without one, whichever.")
]
Site = Annotated[str, Path(pattern=f"^(?:{IDENTIFIER.pattern})$")]


@router.get("/sites/{site}/calendar", response_model=visits.SiteDocument, responses=PROBLEMS["one"])
def calendar(*, site: Site, desk: SiteReader) -> CanonicalResponse:
    """The calendar of a site; one that nobody set is open every day. The ETag is its content's."""
    return _shown(desk.sites.get(site))


@router.put(
    "/sites/{site}/calendar",
    response_model=visits.SiteDocument,
    responses=PROBLEMS["put"],
    openapi_extra=visits.CALENDAR,
)
def set_calendar(
    *, desk: SiteManager, site: Site, body: Body, if_match: IfMatch = None
) -> CanonicalResponse:
    """Set the calendar of a site; it replaces the one before.

    With If-Match it replaces that one only, so that nobody overwrites what nobody looked at.
    """
    entry = desk.told
    told = None if entry is None else partial(entry, Logged.SITE_CHANGED, {"site": site})
    wanted = Condition(whatever=True) if if_match is None else condition(if_match)
    return _shown(
        desk.sites.put(site, body, told=told, expected=lambda tag: wanted.holds(f'"{tag}"'))
    )


def _shown(site: clinic.Site) -> CanonicalResponse:
    return CanonicalResponse(site.json(), headers={"ETag": f'"{site.tag}"'})
