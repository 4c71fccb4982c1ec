"""Worklists as pages: all of them at a glance, or one to its end."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from engine.core.wire import IDENTIFIER
from engine.listing import Listing
from engine.pages.frame import WORKLISTS
from engine.pages.worklist import Choices, Lexicons, glance, row
from engine.permission import Action
from engine.telling.lexicon import Lexicon
from engine.web.asked import Cursor, named
from engine.web.callers import Desk
from engine.web.routes.worklists import Kind
from engine.web.screens.seat import Screen, VisitSight, screen
from engine.worklist import PAGE, SOON_DAYS, Ask
from engine.worklist import WORKLISTS as TITLES

router = APIRouter(include_in_schema=False, route_class=Screen)

AT_A_GLANCE = 8
"""How many items of each list the first page shows."""

# A form sends what was left empty as an empty text.
Word = Annotated[str, Query(pattern=f"^(?:{IDENTIFIER.pattern})?$")]
Day = Annotated[str, Query(pattern=r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Soon = Annotated[str, Query(pattern=r"^[0-9]{0,3}$")]


def _choices(
    *,
    site: Word = "",
    workflow: Word = "",
    day: Day = "",
    as_of: Day = "",
    soon_days: Soon = "",
) -> Choices:
    return Choices(site=site, workflow=workflow, day=day, as_of=as_of, soon_days=soon_days)


Chosen = Annotated[Choices, Depends(_choices)]


@router.get("/worklists")
def worklists(*, desk: VisitSight, choices: Chosen) -> Response:
    """Every worklist with its first items; those without any are named together."""
    words = _words(desk)
    pages = {
        kind: desk.worklists.page(_ask(desk, choices, kind, limit=AT_A_GLANCE)) for kind in TITLES
    }
    return screen(
        desk,
        WORKLISTS,
        "worklists.html",
        lists=[glance(kind, TITLES[kind], pages[kind], choices, words) for kind in TITLES],
        choices=choices,
        sites=_sites(desk),
        workflows=_workflows(desk),
        links=_links(desk),
    )


@router.get("/worklists/{kind}")
def worklist(
    *,
    kind: Annotated[Kind, Path()],
    desk: VisitSight,
    choices: Chosen,
    cursor: Cursor = None,
) -> Response:
    """A page of one worklist."""
    listing, words = Listing(kind), _words(desk)
    found = desk.worklists.page(_ask(desk, choices, listing, limit=PAGE, cursor=cursor))
    return screen(
        desk,
        WORKLISTS,
        "worklist.html",
        title=TITLES[listing],
        kind=kind,
        rows=[row(item, words(item.course)) for item in found.items],
        next=None if found.cursor is None else choices.query(cursor=found.cursor),
        begun=cursor is not None,
        choices=choices,
        sites=_sites(desk),
        workflows=_workflows(desk),
        links=_links(desk),
    )


def _ask(
    desk: Desk, choices: Choices, kind: Listing, *, limit: int, cursor: str | None = None
) -> Ask:
    asked: Collection[str] | None = [choices.site] if choices.site else None
    return Ask(
        listing=kind,
        as_of=named(choices.as_of or None, "as_of"),
        sites=desk.scope(asked),
        workflow=choices.workflow or None,
        day=named(choices.day or None, "day"),
        soon_days=int(choices.soon_days or SOON_DAYS),
        cursor=cursor,
        limit=limit,
    )


def _sites(desk: Desk) -> tuple[str, ...]:
    """The sites that may be chosen by name: a caller of every site writes which."""
    return desk.seen_sites or ()


def _workflows(desk: Desk) -> list[str]:
    """The workflows that may be chosen."""
    return sorted({one.machine.workflow.name for one in desk.service.workflows()})


def _words(desk: Desk) -> Lexicons:
    """The words of each course's definition; of each course that is asked for only once."""

    @cache
    def of(course: str) -> Lexicon:
        return Lexicon(desk.service.place(course).machine)

    return of


def _links(desk: Desk) -> bool:
    """Whether the caller may follow an item to its course."""
    return desk.caller.may(Action.READ_RECORDS)
