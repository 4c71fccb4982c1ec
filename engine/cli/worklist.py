"""`regimen worklist`: what is to be done of courses, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.session import Session, command
from engine.cli.times import civil_day
from engine.core.encoding import Json
from engine.errors import InvalidInput
from engine.item import Item
from engine.listing import Listing
from engine.worklist import MOST, MOST_SOON, PAGE, SOON_DAYS, WORKLISTS, Ask, Page


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Scheduling")(worklist)


@command
def worklist(
    session: Session,
    *,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Else every kind; repeatable. `unbooked`, for one."),
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="Only courses at this site; repeatable.")
    ] = None,
    workflow: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only courses of this workflow, by its name alone."),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Only what is booked for that day, or proposed on it."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Such as 2026-03-02; else today on each site's wall."),
    ] = None,
    soon: Annotated[
        int, typer.Option(min=0, max=MOST_SOON, metavar="DAYS", help="How far ahead is soon.")
    ] = SOON_DAYS,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many of each kind.")] = PAGE,
    cursor: Annotated[
        str | None, typer.Option(help="The `next` of a page, with its one kind.")
    ] = None,
) -> None:
    """List what is due, missed, unbooked, booked in conflict, or waits; each with why.

    It places what is known now against a day; it does not tell what a list showed back then.
    """
    kinds = _kinds(kind)
    if cursor is not None and len(kinds) != 1:
        raise InvalidInput("--cursor", "one --kind beside it")
    worklists = session.worklists()
    pages = {
        one: worklists.page(
            Ask(
                listing=one,
                as_of=None if as_of is None else civil_day("--as-of", as_of),
                sites=None if not site else frozenset(site),
                workflow=workflow,
                day=None if day is None else civil_day("--day", day),
                soon_days=soon,
                cursor=cursor,
                limit=limit,
            )
        )
        for one in kinds
    }

    def go_on(one: Listing, following: str) -> str:
        return session.spelled(
            "worklist",
            kind=[one.value],
            site=site or [],
            workflow=[] if workflow is None else [workflow],
            day=[] if day is None else [day],
            as_of=[] if as_of is None else [as_of],
            soon=[] if soon == SOON_DAYS else [str(soon)],
            limit=[] if limit == PAGE else [str(limit)],
            cursor=[following],
        )

    document: Json = {
        "as_of": as_of,
        "soon_days": soon,
        "day": day,
        "sites": site or None,
        "workflow": workflow,
    }
    lists = [{"kind": one.value, **page.json()} for one, page in pages.items()]
    session.answer({**document, "worklists": lists}, lambda out: _tell(out, pages, go_on))


def _kinds(asked: Sequence[str] | None) -> list[Listing]:
    known = {one.value: one for one in WORKLISTS}
    for name in asked or ():
        if name not in known:
            raise InvalidInput("--kind", f"one of {', '.join(known)}", found=repr(name))
    return [known[name] for name in dict.fromkeys(asked or known)]


def _tell(out: Console, pages: dict[Listing, Page], go_on: Callable[[Listing, str], str]) -> None:
    shown = {one: page for one, page in pages.items() if page.items}
    for number, (one, page) in enumerate(shown.items()):
        out.print(("\n" if number else "") + f"{_name(one)}: {WORKLISTS[one]}", style="bold")
        table = Table("Course", "Site", "Visit", "Days", "Why", box=None)
        for item in page.items:
            days = ", ".join(map(str, item.days))
            table.add_row(item.course, item.site, _visit(item), days, item.why)
        out.print(table)
        if page.cursor is not None:
            out.print(f"There are more: {go_on(one, page.cursor)}", soft_wrap=True)
    if not shown:
        out.print("Nothing is to be done.")


def _visit(item: Item) -> str:
    if item.visit is None:
        return ""
    number = "" if item.number is None else f" {item.number}"
    return item.visit.replace("_", " ") + number


def _name(listing: Listing) -> str:
    return listing.value.replace("_", " ").capitalize()
