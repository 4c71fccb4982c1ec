"""`regimen mine`: the log and the workflows for tools of process mining."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from gzip import GzipFile
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer
from rich.console import Console
from rich.progress import track

from engine import packages
from engine.cli.session import Session, command
from engine.core.definition import Workflow
from engine.errors import InvalidInput
from engine.mining.bpmn import write_bpmn
from engine.mining.happening import Case
from engine.mining.log import Told, Wanted, courses, digest_named, opened
from engine.mining.net import net_of
from engine.mining.ocel import OcelLog
from engine.mining.pnml import write_pnml
from engine.mining.table import Table
from engine.mining.xes import XesLog
from engine.service import Service

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", dir_okay=False, help="Else to stdout; compressed when it ends with .gz."
    ),
]


class LogForm(StrEnum):
    """The forms of a log."""

    XES = "xes"
    OCEL = "ocel"
    CSV = "csv"


class NetForm(StrEnum):
    """The forms of a workflow."""

    PNML = "pnml"
    BPMN = "bpmn"


class Times(StrEnum):
    """What the time of a step is."""

    DECIDED = "decided"
    HAPPENED = "happened"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    mine = typer.Typer(
        name="mine", no_args_is_help=True, help="Write the log and workflows for process mining."
    )
    mine.command()(log)
    mine.command()(net)
    app.add_typer(mine, rich_help_panel="Audit")


@command
def log(
    session: Session,
    *,
    form: Annotated[LogForm, typer.Option("--format", help="xes, ocel (2.0, JSON) or csv.")] = (
        LogForm.XES
    ),
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only courses of this stored definition.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Only courses at this site.")] = None,
    finished: Annotated[
        bool, typer.Option("--finished", help="Leave out courses that are on their way.")
    ] = False,
    refusals: Annotated[
        bool,
        typer.Option("--refusals", help="Also what was refused, as withdrawn: no net has that."),
    ] = False,
    values: Annotated[
        bool, typer.Option("--values", help="Also what events brought; free text never.")
    ] = False,
    times: Annotated[
        Times,
        typer.Option(help="When it was decided, as a net is held against; or when it happened."),
    ] = Times.DECIDED,
    out: Out = None,
) -> None:
    """Write the log: a course is a case, each transition and each rule that moved it a step.

    Pseudonyms only. The steps are the labels of the net that `regimen mine net` writes.
    """
    if times is Times.HAPPENED and form is LogForm.OCEL:
        raise InvalidInput("--times", "decided, for ocel; each event says `happened_at` beside it")
    service = session.service()
    wanted = Wanted(
        digest=None if workflow is None else digest_named(service, workflow),
        site=site,
        finished=finished,
        refusals=refusals,
        values=values,
    )
    happened = times is Times.HAPPENED
    with _opened(out) as file:
        made: XesLog | OcelLog | Table
        match form:
            case LogForm.XES:
                made = XesLog(file, name=service.tenant, happened=happened)
            case LogForm.OCEL:
                made = OcelLog(file)
            case LogForm.CSV:
                made = Table(file, happened=happened, values=values)
        made.write(_watched(session, service, wanted))
    if out is None:
        return
    done = {"file": str(out), "format": form.value, "courses": made.courses, "steps": made.events}
    session.answer(
        done,
        lambda console: console.print(
            f"Wrote {out}: {made.courses} courses, {made.events} steps.", soft_wrap=True
        ),
    )


@command
def net(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name, name@version, or a stored digest.")
    ],
    *,
    form: Annotated[NetForm, typer.Option("--format", help="pnml or bpmn.")] = NetForm.PNML,
    finished: Annotated[
        bool,
        typer.Option("--finished", help="Only a closed state is an end: what runs does not fit."),
    ] = False,
    departures: Annotated[
        bool, typer.Option("--departures", help="Also where reports go that are deviations.")
    ] = False,
    stays: Annotated[
        bool | None,
        typer.Option(
            "--stays/--no-stays",
            help="What leaves the state as it is: else in a net, and not in a drawing.",
        ),
    ] = None,
    iso: Annotated[
        bool,
        typer.Option("--iso", help="Of a net, only what ISO 15909-2 has: no final marking."),
    ] = False,
    out: Out = None,
) -> None:
    """Write a workflow as a Petri net or as a process diagram, laid out.

    A course may end in every state, so that one on its way fits; `--finished` asks for more.
    """
    shown = net_of(
        _workflow(session, name),
        finished=finished,
        departures=departures,
        stays=form is NetForm.PNML if stays is None else stays,
    )
    with _opened(out) as file:
        if form is NetForm.PNML:
            write_pnml(file, shown, iso=iso)
        else:
            write_bpmn(file, shown)
    if out is None:
        return
    done = {"file": str(out), "format": form.value, "states": len(shown.places) - 2}

    def tell(console: Console) -> None:
        states, moves = len(shown.places) - 2, len(shown.moves)
        console.print(f"Wrote {out}: {states} states, {moves} moves.", soft_wrap=True)

    session.answer({**done, "moves": len(shown.moves)}, tell)


def _watched(
    session: Session, service: Service, wanted: Wanted
) -> Iterator[tuple[Case, Iterable[Told]]]:
    """The courses one by one, with a bar where a person watches."""
    watched = session.err.is_terminal
    total = sum(1 for _ in courses(service, wanted)) if watched else 0
    for line in track(
        courses(service, wanted), "Writing", total=total, console=session.err, transient=True,
        disable=not watched,
    ):  # fmt: skip
        yield opened(service, line, wanted)


def _workflow(session: Session, name: str) -> Workflow:
    """The stored definition of a digest, else what this installation offers."""
    if not name.startswith("sha256:"):
        return packages.named(packages.workflows_of(session.settings.workflows), name)
    service = session.service()
    with service.store.transaction(service.tenant, write=False) as tx:
        return service.setting.registry.machine(name, tx).workflow


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    """Where it is written to; a file that cannot be finished is not left behind."""
    if out is None:
        yield sys.stdout
        return
    try:
        plain = out.open("wb")
    except OSError as wrong:
        raise InvalidInput("--out", "a file that can be written", found=str(wrong)) from wrong
    try:
        with plain, _packed(plain, out) as file, TextIOWrapper(file, "utf-8", newline="\n") as text:
            yield text
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _packed(plain: BinaryIO, out: Path) -> BinaryIO:
    """The file, or what compresses into it; without a time, so that the same log has one form."""
    if out.suffix != ".gz":
        return plain
    return GzipFile(filename="", mode="wb", fileobj=plain, mtime=0)  # type: ignore[return-value]  # it is one
