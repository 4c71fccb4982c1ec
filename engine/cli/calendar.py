"""`regimen calendar`: calendars for calendar programs, each by a secret URL."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.errors import InvalidInput, NotFound
from engine.sharing import Shared

AT_ONCE = 500
"""How many rows are in memory while everything is listed."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    calendar = typer.Typer(
        name="calendar", no_args_is_help=True, help="Share calendars of visits by a secret URL."
    )
    calendar.command()(create)
    calendar.command("list")(list_all)
    calendar.command()(revoke)
    app.add_typer(calendar, rich_help_panel="Access")


@command
def create(
    session: Session,
    scope: Annotated[str, typer.Argument(help="site, role or course.", metavar="SCOPE")],
    subject: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Of a site or course; or scheduler, clinician or prescriber."
        ),
    ],
    site: Annotated[
        list[str] | None, typer.Option(help="Of a role: only what is at this site; repeat.")
    ] = None,
) -> None:
    """Share a calendar. The path of its URL is shown once, and nobody can show it again."""
    asked: dict[str, object] = {"scope": scope, "subject": subject}
    if site:
        asked["sites"] = site
    calendars = session.calendars(writes=True)
    made = calendars.share(session.who, asked)
    session.answer(
        {**made.shared.json(), "path": made.path},
        lambda out: out.print(made.path, soft_wrap=True),
    )
    if not session.as_json:
        session.say(
            f"Calendar {made.shared.id}: put the address of the service before this path. It is "
            "not shown again."
        )


@command
def list_all(session: Session) -> None:
    """List the calendars that are shared, revoked ones too; never their secrets."""
    calendars, by = session.calendars(), session.who
    found: list[Shared] = []
    while page := calendars.page(by, after=_last(found), limit=AT_ONCE):
        found += page
    documents: list[Json] = [one.json() for one in found]

    def tell(out: Console) -> None:
        table = Table("Calendar", "Of", "Name", "Sites", "Since", "By", "Revoked", box=None)
        for one in found:
            said = one.json()
            sites = "every" if one.sites is None else " ".join(one.sites)
            revoked = said["revoked_at"] or ""
            table.add_row(
                one.id,
                one.scope.value,
                one.subject,
                sites,
                str(said["created_at"]),
                one.created_by,
                str(revoked),
            )
        out.print(table if found else "There is none.")

    session.answer({"calendars": documents}, tell)


@command
def revoke(
    session: Session,
    calendar: Annotated[
        str, typer.Argument(metavar="ID", help="As `regimen calendar list` shows it.")
    ],
) -> None:
    """Revoke a calendar, at once and for good."""
    try:
        found = session.calendars().revoke(session.who, calendar)
    except NotFound:
        raise InvalidInput("ID", "that of a calendar, see `regimen calendar list`") from None
    session.answer(found.json(), lambda out: out.print(f"Revoked {found.id}."))


def _last(found: list[Shared]) -> tuple[datetime, str] | None:
    return (found[-1].created_at, found[-1].id) if found else None
