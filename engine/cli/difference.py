"""`regimen workflow diff`: what changed between two definitions, and for whom it matters now."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated

import typer
from rich.progress import track

from engine.cli.definition import definition_of
from engine.cli.difference_page import page
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.cli.times import instant_at
from engine.core.difference import compare
from engine.errors import StoreUnavailable
from engine.ports import Definition
from engine.registry import compiled
from engine.running import Answer, Question, asked, running

MANY = 40
"""From so many courses on it pays to start other processes."""

Meant = Annotated[
    str,
    typer.Argument(
        metavar="NAME|DIGEST|FILE", help="A name, name@version, a stored digest, or a file."
    ),
]


@command
def diff(
    session: Session,
    before: Meant,
    after: Meant,
    *,
    courses: Annotated[
        bool,
        typer.Option("--courses/--no-courses", help="Ask the running courses of the first one."),
    ] = True,
    listing: Annotated[
        bool, typer.Option("--list", help="Name the courses that would decide otherwise.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="The moment asked about, else now."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Else one for each core.")
    ] = None,
) -> None:
    """Tell two definitions apart in the words of the protocol sheet.

    And say how many running courses of the first would decide otherwise under the second at this
    moment: which options open or close, which rules would hold, which timers and visits move.
    """
    old, new = definition_of(session, before), definition_of(session, after)
    found = compare(compiled(old).workflow, compiled(new).workflow)
    moment = instant_at("--at", at)
    told = None
    if courses and old.name == new.name:
        told = _asked(session, old.digest, new, moment, processes)
    document = {
        **found.json(),
        "running": None if told is None else told.json(listing=listing),
    }
    session.answer(document, lambda out: page(out, found, told, listing=listing))
    if told is not None and told.unreadable:
        raise typer.Exit(Exit.NO)


def _asked(
    session: Session, digest: str, new: Definition, at: datetime | None, processes: int | None
) -> Answer | None:
    """What is found of the running courses; `None` where there is no database."""
    try:
        service = session.service()
    except StoreUnavailable as why:
        session.say(f"No running course was asked: {why}")
        return None
    question = Question(definition=new, at=at or service.setting.clock.now())
    pinned, elsewhere = running(service.courses(), digest, new.name)
    answer = Answer(at=question.at, elsewhere=elsewhere)
    found = asked(
        question,
        pinned,
        open_store=session.reader(),
        tenant=service.tenant,
        processes=processes or ((os.cpu_count() or 1) if len(pinned) >= MANY else 1),
    )
    for one in track(
        found, "Asking", total=len(pinned), console=session.err, transient=True,
        disable=len(pinned) < MANY or not session.err.is_terminal,
    ):  # fmt: skip
        answer.add(one)
    return answer
