"""Sites: on which days they are open. The gate looks at the site of a path."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path

from engine.core.wire import IDENTIFIER
from engine.permission import Logged
from engine.web import visits
from engine.web.bodies import Body
from engine.web.callers import SiteManager, SiteReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS

router = APIRouter(tags=["sites"])

Site = Annotated[str, Path(pattern=f"^(?:{IDENTIFIER.pattern})$")]


@router.get("/sites/{site}/calendar", response_model=visits.SiteDocument, responses=PROBLEMS["one"])
def calendar(*, site: Site, desk: SiteReader) -> CanonicalResponse:
    """The calendar of a site; one that nobody set is open every day."""
    return CanonicalResponse(desk.sites.get(site).json())


@router.put(
    "/sites/{site}/calendar",
    response_model=visits.SiteDocument,
    responses=PROBLEMS["put"],
    openapi_extra=visits.CALENDAR,
)
def set_calendar(*, desk: SiteManager, site: Site, body: Body) -> CanonicalResponse:
    """Set the calendar of a site; it replaces the one before."""
    entry = desk.told
    told = None if entry is None else partial(entry, Logged.SITE_CHANGED, {"site": site})
    return CanonicalResponse(desk.sites.put(site, body, told=told).json())
