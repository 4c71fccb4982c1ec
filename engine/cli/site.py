"""`regimen site`: on which days the clinics are open."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.session import Session, command
from engine.clinic import Clinic, Site
from engine.core.encoding import Json
from engine.errors import InvalidInput
from engine.log_entry import Logged

Name = Annotated[str, typer.Argument(metavar="SITE", help="As courses name it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    site = typer.Typer(
        name="site", no_args_is_help=True, help="Say on which days a site is open, and ask."
    )
    site.command("set")(put)
    site.command()(show)
    site.command("list")(list_all)
    app.add_typer(site, rich_help_panel="Scheduling")


@command
def put(
    session: Session,
    site: Name,
    calendar: Annotated[str, typer.Argument(metavar="FILE", help="JSON; - is standard input.")],
) -> None:
    """Set the calendar of a site: weekdays, holidays, closures. It replaces the one before."""
    sites, log = session.sites(writes=True), session.access().log
    by = session.who
    found = sites.put(
        site, _read(calendar), told=lambda: log.entry(by, Logged.SITE_CHANGED, {"site": site})
    )
    session.answer(found.json(), lambda out: _tell(out, found))


@command
def show(session: Session, site: Name) -> None:
    """Show the calendar of a site; one that nobody set is open every day."""
    found = session.sites().get(site)
    session.answer(found.json(), lambda out: _tell(out, found))


@command
def list_all(session: Session) -> None:
    """List the sites whose calendar was set."""
    found = session.sites().all()

    def tell(out: Console) -> None:
        table = Table("Site", "Open", "Holidays", "Closures", "Zone", box=None)
        for one in found:
            if one.clinic is not None:
                table.add_row(one.site, *_cells(one.clinic))
        out.print(table if found else "No site has a calendar: each is open every day.")

    session.answer({"sites": [one.json() for one in found]}, tell)


def _tell(out: Console, site: Site) -> None:
    if site.clinic is None:
        out.print(f"{site.site} has no calendar: it is open every day.")
        return
    days, holidays, closures, zone = _cells(site.clinic)
    out.print(f"{site.site} ({zone}) is open on {days}.")
    out.print(f"  Public holidays  {holidays}")
    for day, name in sorted(site.clinic.extra.items()):
        out.print(f"  Holiday          {day}  {name}")
    for day in sorted(site.clinic.anyway):
        out.print(f"  Open anyway      {day}")
    for one in site.clinic.closures:
        out.print(f"  Closed           {one.first} to {one.last}  {one.reason}")
    if not closures:
        out.print("  No closure")


def _cells(clinic: Clinic) -> tuple[str, str, str, str]:
    country = "none" if clinic.country is None else clinic.country
    holidays = country if clinic.subdivision is None else f"{country}-{clinic.subdivision}"
    days = ", ".join(day.capitalize() for day in clinic.open)
    return days, holidays, str(len(clinic.closures) or ""), clinic.zone


def _read(file: str) -> Json:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise InvalidInput("FILE", f"a file that can be read: {error.strerror}") from None
    except ValueError:
        raise InvalidInput("FILE", "one JSON object") from None
