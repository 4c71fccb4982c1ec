"""`regimen canary`: constructed courses that bring every rule and requirement to act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.canary.flight import flown, flown_like
from engine.canary.result import SOUND, Outcome, What
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core.encoding import Json
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
    last: Annotated[
        bool, typer.Option("--last", help="Show what the worker found last, and fly none.")
    ] = False,
) -> None:
    """Bring every rule that moves a course to fire, and every requirement to refuse, in memory.

    The courses are constructed from the stored definition and told by it; no course of a patient
    is read or written. Exits with 1 when something did not act, or could not be brought to.
    """
    service = session.service()
    if last:
        if names or like is not None:
            raise InvalidInput("--last", "nothing beside it")
        flights = _last(session, service)
    else:
        other = None if like is None else _named(service, like)
        chosen = [_named(service, one) for one in names or ()] or _in_use(session, service)
        flights = list(_flights(session, service, chosen, other))
    sound = all(flight["sound"] for flight in flights)

    def tell(out: Console) -> None:
        for flight in flights:
            _tell(out, flight)
        if not flights:
            out.print("Nothing was exercised yet." if last else "No definition is in use.")

    session.answer({"sound": sound, "flights": flights}, tell)
    if not sound:
        raise typer.Exit(Exit.NO)


def _flights(
    session: Session, service: Service, chosen: Sequence[Definition], like: Definition | None
) -> Iterator[dict[str, Json]]:
    calendars, version = service.setting.calendars, service.setting.version
    for one in track(
        chosen, "Flying", console=session.err, transient=True,
        disable=len(chosen) < 2 or not session.err.is_terminal,
    ):  # fmt: skip
        if like is None:
            yield flown(one, calendars, version).json()
        else:
            yield flown_like(one, like, calendars, version).json()


def _last(session: Session, service: Service) -> list[dict[str, Json]]:
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return [one.json() for one in bootstrap.canaries(session.settings, service).last()]


def _in_use(session: Session, service: Service) -> list[Definition]:
    """Those that open courses follow, or new ones may; without any such, all that are stored."""
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    found = bootstrap.canaries(session.settings, service).in_use()
    if found:
        return found
    with service.store.transaction(service.tenant, write=False) as tx:
        return list(tx.definitions())


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


def _tell(out: Console, flight: Mapping[str, Json]) -> None:
    at = f", at {flight['at']}" if "at" in flight else ""
    out.print(f"{flight['workflow']} {flight['digest'][:19]}{at}", style="bold")
    results = flight["results"]
    for what, title in _TITLES.items():
        of_it = [one for one in results if one["what"] == what]
        acted = sum(one["outcome"] == Outcome.AS_EXPECTED for one in of_it)
        if of_it:
            out.print(f"  {title}: {acted} of {len(of_it)} acted as expected")
    if "why" in flight:
        out.print(f"  {flight['why']}")
    rest = [one for one in results if one["outcome"] != Outcome.AS_EXPECTED]
    if not rest:
        return
    table = Table("", "Guard", "Asks for", "Outcome", "Why", box=None)
    for one in sorted(rest, key=lambda one: one["outcome"] in SOUND):
        mark = "" if one["outcome"] in SOUND else "!"
        asks = one.get("action", "to be yes")
        table.add_row(mark, one["guard"], asks, one["outcome"], one.get("why", ""))
    out.print(table)


_TITLES = {
    What.RULE: "rules that move a course",
    What.REQUIREMENT: "requirements that refuse",
}
