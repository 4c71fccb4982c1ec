"""`regimen due`: the visits whose time has come, is near or has passed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.session import Session, command
from engine.cli.times import civil_day
from engine.core.encoding import Json
from engine.core.schedule import Dueness, dueness
from engine.item import window_words
from engine.ports import DueVisit
from engine.service import Service

ORDER = (Dueness.MISSED, Dueness.OVERDUE, Dueness.NOW, Dueness.SOON)
COLOURS = {Dueness.NOW: "green", Dueness.OVERDUE: "yellow", Dueness.MISSED: "red"}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Courses")(due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A visit as of a day: where that day lies in its window, and what that means."""

    visit: DueVisit
    as_of: date
    due: Dueness
    why: str

    def json(self) -> Json:
        window = self.visit.window
        return {
            "course": self.visit.course,
            "site": self.visit.site,
            "state": self.visit.state,
            "visit": self.visit.name,
            "number": window.number,
            "earliest": window.earliest.isoformat(),
            "target": window.target.isoformat(),
            "latest": window.latest.isoformat(),
            "as_of": self.as_of.isoformat(),
            "due": self.due.value,
            "why": self.why,
        }


@command
def due(
    session: Session,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Such as 2026-03-02; else today on each site's wall."),
    ] = None,
    site: Annotated[str | None, typer.Option(help="Only the visits at this site.")] = None,
    soon: Annotated[
        int, typer.Option(min=0, max=366, metavar="DAYS", help="How far ahead is soon.")
    ] = 7,
) -> None:
    """List the visits that are due now, overdue, missed or soon."""
    rows = _rows(
        session.service(), None if as_of is None else civil_day("--as-of", as_of), site, soon
    )
    session.answer(
        {"as_of": as_of, "soon_days": soon, "visits": [row.json() for row in rows]},
        lambda out: _tell(out, rows, soon),
    )


def _rows(service: Service, as_of: date | None, site: str | None, soon: int) -> list[Row]:
    now = service.setting.clock.now()
    # Where no day is named, it may be tomorrow at a site already.
    until = (as_of or (now + timedelta(days=1)).date()) + timedelta(days=soon)
    found = []
    for visit in service.due(until=until, site=site):
        day = as_of or service.setting.calendars.of(visit.zone).civil_date(now)
        where = dueness(visit.window, day, soon_days=soon)
        if where is not Dueness.LATER:
            found.append(
                Row(visit=visit, as_of=day, due=where, why=window_words(visit.window, day, where))
            )
    return sorted(found, key=lambda row: (ORDER.index(row.due), row.visit.window.target))


def _tell(out: Console, rows: Iterable[Row], soon: int) -> None:
    table = Table("Due", "Course", "Visit", "Target", "Window", "Site", "State", "Why", box=None)
    for row in rows:
        visit, window = row.visit, row.visit.window
        table.add_row(
            row.due.value,
            visit.course,
            f"{visit.name.replace('_', ' ')} {window.number}",
            str(window.target),
            f"{window.earliest} to {window.latest}",
            visit.site,
            visit.state.replace("_", " "),
            row.why,
            style=COLOURS.get(row.due, ""),
        )
    if table.row_count:
        out.print(table)
    else:
        out.print(f"No visit is due, overdue or missed, and none within {soon} days.")
