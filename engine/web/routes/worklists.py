"""Worklists: what is to be done of courses as of a day, each item with why."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from engine.core.wire import IDENTIFIER, civil_day
from engine.listing import Listing
from engine.web import visits
from engine.web.callers import Desk, VisitReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Day
from engine.worklist import MOST, MOST_SOON, PAGE, SOON_DAYS, WORKLISTS, Ask

router = APIRouter(tags=["worklists"])

Name = Annotated[str, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
AtSites = Annotated[
    list[Name] | None,
    Query(alias="site", max_length=100, description="Only courses at these sites; repeatable."),
]
AsOf = Annotated[
    str | None,
    Query(
        description="A day: what is known now is placed against it. Else today at each site.",
        json_schema_extra={"format": "date"},
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    ),
]
Soon = Annotated[int, Query(ge=0, le=MOST_SOON, description="How many days ahead is soon.")]
Cursor = Annotated[str | None, Query(max_length=500, description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Kind = Literal[
    "missed",
    "overdue",
    "due_now",
    "due_soon",
    "unbooked",
    "booked_outside_window",
    "booked_below_minimum_gap",
    "booked_on_hold",
    "booking_for_no_visit",
    "waiting_for_data",
    "waiting_for_decision",
    "hold_past_review",
    "open_findings",
]


@router.get("/worklists", response_model=visits.WorklistIndex, responses=PROBLEMS["read"])
def index(
    *,
    desk: VisitReader,
    site: AtSites = None,
    day: Day = None,
    as_of: AsOf = None,
    soon_days: Soon = SOON_DAYS,
) -> CanonicalResponse:
    """Every worklist with how many items it has, up to a page of them."""
    ask = Ask(
        listing=Listing.MISSED,
        as_of=named(as_of, "as_of"),
        sites=desk.scope(site),
        day=named(day, "day"),
        soon_days=soon_days,
    )
    counted = desk.worklists.counts(ask)
    lines = [
        {"kind": kind.value, "title": WORKLISTS[kind], "count": count, "more": more}
        for kind, (count, more) in counted.items()
    ]
    return CanonicalResponse({"worklists": lines})


@router.get("/worklists/{kind}", response_model=visits.ItemList, responses=PROBLEMS["one"])
def worklist(
    *,
    kind: Annotated[Kind, Path()],
    desk: VisitReader,
    site: AtSites = None,
    day: Day = None,
    as_of: AsOf = None,
    soon_days: Soon = SOON_DAYS,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> CanonicalResponse:
    """A page of a worklist. `day`: what is booked for that day, else proposed on it."""
    ask = Ask(
        listing=Listing(kind),
        as_of=named(as_of, "as_of"),
        sites=desk.scope(site),
        day=named(day, "day"),
        soon_days=soon_days,
        cursor=cursor,
        limit=limit,
    )
    return page(desk, ask)


def page(desk: Desk, ask: Ask) -> CanonicalResponse:
    """A page of a list, as it is answered."""
    return CanonicalResponse(desk.worklists.page(ask).json())


def named(day: str | None, field: str) -> date | None:
    """The date of a parameter. Raises InvalidInput, naming it."""
    return None if day is None else civil_day(day, field)
