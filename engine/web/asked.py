"""What a list of visits is asked for: which courses, which day, as of when, and which page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from engine.core.wire import IDENTIFIER, civil_day
from engine.listing import Listing
from engine.web.callers import Desk
from engine.web.canonical import CanonicalResponse
from engine.worklist import MOST, MOST_SOON, PAGE, SOON_DAYS, Ask

_A_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

Name = Annotated[str, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
AtSites = Annotated[
    list[Name] | None,
    Query(alias="site", max_length=100, description="Only courses at these sites; repeatable."),
]
OfWorkflow = Annotated[
    Name | None, Query(alias="workflow", description="Only courses of this workflow, by its name.")
]
Day = Annotated[str | None, Query(json_schema_extra={"format": "date"}, pattern=_A_DAY)]
AsOf = Annotated[
    str | None,
    Query(
        description="A day: what is known now is placed against it. Else today at each site.",
        json_schema_extra={"format": "date"},
        pattern=_A_DAY,
    ),
]
Soon = Annotated[int, Query(ge=0, le=MOST_SOON, description="How many days ahead is soon.")]
Cursor = Annotated[str | None, Query(max_length=500, description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """At which sites, of which workflow, and as of which day."""

    sites: list[str] | None
    workflow: str | None
    as_of: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Of which clinic day, and how far ahead is soon."""

    scope: Scope
    day: date | None
    soon_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which page, and how large."""

    cursor: str | None
    limit: int


def _scope(site: AtSites = None, workflow: OfWorkflow = None, as_of: AsOf = None) -> Scope:
    return Scope(sites=site, workflow=workflow, as_of=named(as_of, "as_of"))


Scoped = Annotated[Scope, Depends(_scope)]


def _filter(*, scope: Scoped, day: Day = None, soon_days: Soon = SOON_DAYS) -> Filter:
    return Filter(scope=scope, day=named(day, "day"), soon_days=soon_days)


def _page(cursor: Cursor = None, limit: Limit = PAGE) -> Page:
    return Page(cursor=cursor, limit=limit)


Filtered = Annotated[Filter, Depends(_filter)]
Paged = Annotated[Page, Depends(_page)]

FIRST = Page(cursor=None, limit=PAGE)


def ask(desk: Desk, listing: Listing, wanted: Filter | Scope, page: Page = FIRST) -> Ask:
    """What a caller asks of a list, at the sites that it may see."""
    scope = wanted if isinstance(wanted, Scope) else wanted.scope
    found = Ask(
        listing=listing,
        as_of=scope.as_of,
        sites=desk.scope(scope.sites),
        workflow=scope.workflow,
        cursor=page.cursor,
        limit=page.limit,
    )
    if isinstance(wanted, Scope):
        return found
    return replace(found, day=wanted.day, soon_days=wanted.soon_days)


def answered(desk: Desk, asked: Ask) -> CanonicalResponse:
    """A page of a list."""
    return CanonicalResponse(desk.worklists.page(asked).json())


def named(day: str | None, field: str) -> date | None:
    """The date of a parameter. Raises InvalidInput, naming it."""
    return None if day is None else civil_day(day, field)
