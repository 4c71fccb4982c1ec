"""`regimen guards`: how often each guard held, and whether one has stopped firing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.cli.times import moment_at
from engine.core.encoding import Json, instant_text
from engine.errors import InvalidInput
from engine.guard_rates import Counts, Key, Period, Use, rates
from engine.guard_report import WINDOW
from engine.ports import CourseLine
from engine.service import Service
from engine.silence import LEVEL, Heard, Tone, heard


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Audit")(guards)


@command
def guards(
    session: Session,
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="What was recorded from then on; a date is its start in UTC."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="What was recorded before; a date is its start in UTC."),
    ] = None,
    site: Annotated[str | None, typer.Option(help="Only courses at this site.")] = None,
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only courses of this workflow.")
    ] = None,
    alarms: Annotated[
        bool,
        typer.Option(
            "--alarms",
            help="Hold what was recorded since (else in 28 days) against all before it.",
        ),
    ] = False,
    level: Annotated[
        str,
        typer.Option(metavar="CHANCE", help="Of any false alarm of the report, such as 0.01."),
    ] = "0.01",
) -> None:
    """Count how often each guard held, did not, could not be weighed and was overridden.

    With `--alarms` it exits with 1 when a rule has stopped firing; a rule of which there is too
    little to tell is named too.
    """
    service = session.service()
    first, last = moment_at("--since", since), moment_at("--until", until)
    if alarms:
        lines = _chosen(session, service, site, workflow)
        _alarms(session, lines, since=first, until=last, level=_level(level))
        return
    period = Period(since=first, until=last)
    found = rates(service, period, _chosen(session, service, site, workflow))
    session.answer(
        {**_asked(first, last), "guards": [_json(k, c) for k, c in found.items()]},
        lambda out: _tell(out, found),
    )


def _alarms(
    session: Session,
    lines: Iterator[CourseLine],
    *,
    since: datetime | None,
    until: datetime | None,
    level: Fraction,
) -> None:
    service = session.service()
    end = until or service.setting.clock.now()
    start = since or end - WINDOW
    after, before = Period(since=start, until=until), Period(until=start)
    found = heard(service, lines, before=before, after=after, level=level)
    silent = [one for one in found if one.tone is Tone.ALARM]
    session.answer(
        {
            **_asked(start, until),
            "level": f"{float(level):g}",
            "alarms": len(silent),
            "rules": [one.json() for one in found],
        },
        lambda out: _tell_alarms(out, found, start),
    )
    if silent:
        raise typer.Exit(Exit.NO)


def _asked(since: datetime | None, until: datetime | None) -> dict[str, Json]:
    """The period that was asked about, as instants: a date was taken for the start of its day."""
    return {
        "since": None if since is None else instant_text(since),
        "until": None if until is None else instant_text(until),
    }


def _chosen(
    session: Session, service: Service, site: str | None, workflow: str | None
) -> Iterator[CourseLine]:
    """The courses that are looked at, with a bar where a person watches."""

    def wanted() -> Iterator[CourseLine]:
        for line in service.courses():
            if site in (None, line.site) and workflow in (None, line.workflow):
                yield line

    watched = session.err.is_terminal
    total = sum(1 for _ in wanted()) if watched else 0
    yield from track(
        wanted(), "Counting", total=total, console=session.err, transient=True, disable=not watched
    )


def _json(key: Key, counts: Counts) -> Json:
    return {
        "workflow": key.workflow,
        "digest": key.digest,
        "site": key.site,
        "use": key.use.value,
        "guard": key.guard,
        **counts.json(),
    }


def _tell(out: Console, found: Mapping[Key, Counts]) -> None:
    for use, fired in ((Use.RULE, "Fired"), (Use.REQUIREMENT, "Yes")):
        table = Table(
            f"{use.value.capitalize()}s", "Site", fired, "No", "Undecided", "Overridden",
            "Of courses", box=None,
        )  # fmt: skip
        for column in table.columns[2:]:
            column.justify = "right"
        for key, one in found.items():
            if key.use is use:
                overridden = str(one.overridden) if use is Use.REQUIREMENT else ""
                cells = (str(one.yes), str(one.no), str(one.unknown), overridden)
                shared = f"{one.fired_in} of {one.courses}"
                table.add_row(key.guard, key.site, *cells, shared)
        if table.row_count:
            out.print(table)
    if not found:
        out.print("No guard was weighed.")


def _tell_alarms(out: Console, found: Sequence[Heard], start: datetime) -> None:
    named = [one for one in found if one.tone is not Tone.STEADY and one.before.fired]
    table = Table("", "Rule", "Before", "Since", "Undecided since", "By chance", "", box=None)
    for one in named:
        table.add_row(
            "!" if one.tone is Tone.ALARM else "?",
            one.rule,
            f"{one.before.fired} of {one.before.courses}",
            f"{one.after.fired} of {one.after.courses}",
            str(one.after.undecided),
            f"{float(one.chance):.2g}",
            one.tone.value.replace("-", " "),
        )
    if named:
        out.print(table)
    by_tone = {tone: sum(one.tone is tone for one in found) for tone in Tone}
    alarms = by_tone[Tone.ALARM]
    stopped = "1 rule" if alarms == 1 else f"{alarms} rules"
    out.print(
        f"Since {instant_text(start)}: {stopped} stopped firing, "
        f"{by_tone[Tone.STEADY]} fire as before, of {by_tone[Tone.TOO_LITTLE]} there is too little "
        f"to tell, {by_tone[Tone.NEVER_FIRED]} never fired before.",
        soft_wrap=True,
    )


def _level(text: str) -> Fraction:
    try:
        level = Fraction(text)
    except (ValueError, ZeroDivisionError):
        level = Fraction(0)
    if not 0 < level < 1:
        raise InvalidInput("--level", f"a number between 0 and 1, such as {float(LEVEL)}",
                           found=repr(text))  # fmt: skip
    return level
