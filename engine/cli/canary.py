"""`regimen canary`: constructed courses that bring every rule and requirement to act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.canary.flight import flown, flown_like
from engine.canary.result import Flight, Outcome, Result, What
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.errors import InvalidInput
from engine.ports import Definition
from engine.service import Service


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Operation")(canary)


@command
def canary(
    session: Session,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORKFLOW]...",
            help="Stored definitions by name, name@version or digest; else all that are in use.",
        ),
    ] = None,
    *,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="WORKFLOW",
            help="Tell the courses in which the rules of this stored definition act instead.",
        ),
    ] = None,
) -> None:
    """Bring every rule that moves a course to fire, and every requirement to refuse, in memory.

    The courses are constructed from the stored definition and told by it; no course of a patient
    is read or written. Exits with 1 when something did not act, or could not be brought to.
    """
    service = session.service()
    other = None if like is None else _named(service, like)
    chosen = [_named(service, one) for one in names] if names else list(_in_use(service))
    flights = list(_flights(session, service, chosen, other))

    def tell(out: Console) -> None:
        for flight in flights:
            _tell(out, flight)
        if not flights:
            out.print("No definition is in use.")

    session.answer(
        {"sound": all(f.sound for f in flights), "flights": [f.json() for f in flights]}, tell
    )
    if not all(flight.sound for flight in flights):
        raise typer.Exit(Exit.NO)


def _flights(
    session: Session, service: Service, chosen: Sequence[Definition], like: Definition | None
) -> Iterator[Flight]:
    calendars, version = service.setting.calendars, service.setting.version
    for one in track(
        chosen, "Flying", console=session.err, transient=True,
        disable=len(chosen) < 2 or not session.err.is_terminal,
    ):  # fmt: skip
        if like is None:
            yield flown(one, calendars, version)
        else:
            yield flown_like(one, like, calendars, version)


def _in_use(service: Service) -> Iterator[Definition]:
    """The definitions that running courses are pinned to; of a database without any, all."""
    used = {line.digest for line in service.courses() if line.open}
    with service.store.transaction(service.tenant, write=False) as tx:
        stored = tx.definitions()
    return (one for one in stored if one.digest in used or not used)


def _named(service: Service, name: str) -> Definition:
    with service.store.transaction(service.tenant, write=False) as tx:
        stored = tx.definitions()
    found = [d for d in stored if name in (d.digest, f"{d.name}@{d.version}")]
    # Of a bare name the newest version, which is listed last.
    found = found or [d for d in stored if d.name == name][-1:]
    if len(found) == 1:
        return found[0]
    several = ", ".join(f"{d.name}@{d.version} ({d.digest})" for d in found or stored)
    raise InvalidInput("WORKFLOW", f"one stored definition: {several}", found=repr(name))


def _tell(out: Console, flight: Flight) -> None:
    out.print(f"{flight.workflow} {flight.digest[:19]}", style="bold")
    for what, title in _TITLES.items():
        results = flight.of(what)
        acted = sum(one.outcome is Outcome.AS_EXPECTED for one in results)
        if results:
            out.print(f"  {title}: {acted} of {len(results)} acted as expected")
    rest = [one for one in flight.results if one.outcome is not Outcome.AS_EXPECTED]
    if not rest:
        return
    table = Table("", "Guard", "Asks for", "Outcome", "Why", box=None)
    for one in sorted(rest, key=lambda one: one.sound):
        table.add_row("" if one.sound else "!", one.guard, _asks(one), one.outcome, one.why or "")
    out.print(table)


def _asks(one: Result) -> str:
    return one.action if one.action is not None else "to be yes"


_TITLES = {
    What.RULE: "rules that move a course",
    What.REQUIREMENT: "requirements that refuse",
}
