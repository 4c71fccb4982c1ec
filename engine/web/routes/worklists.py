"""Worklists: what is to be done of courses as of a day, each item with why."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path

from engine.listing import Listing
from engine.web import visits
from engine.web.asked import Filtered, Paged, answered, ask
from engine.web.callers import VisitReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.worklist import WORKLISTS

router = APIRouter(tags=["worklists"])

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
    "unsigned",
]


@router.get("/worklists", response_model=visits.WorklistIndex, responses=PROBLEMS["read"])
def index(*, desk: VisitReader, wanted: Filtered) -> CanonicalResponse:
    """Every worklist with how many items it has, up to a page of them."""
    counted = desk.worklists.counts(ask(desk, Listing.MISSED, wanted))
    lines = [
        {"kind": kind.value, "title": WORKLISTS[kind], "count": count, "more": more}
        for kind, (count, more) in counted.items()
    ]
    return CanonicalResponse({"worklists": lines})


@router.get("/worklists/{kind}", response_model=visits.ItemList, responses=PROBLEMS["one"])
def worklist(
    *, kind: Annotated[Kind, Path()], desk: VisitReader, wanted: Filtered, page: Paged
) -> CanonicalResponse:
    """A page of a worklist. `day`: what is booked for that day, else proposed on it."""
    return answered(desk, ask(desk, Listing(kind), wanted, page))
