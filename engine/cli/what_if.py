"""`regimen what-if`: recorded courses under an amended definition; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from engine.bundle.form import DamagedBundle
from engine.bundle.proof import Proof
from engine.bundle.reading import Bundle, BundleFile
from engine.cli.checked import is_file, named_like_a_file, opened
from engine.cli.definition import definition_of
from engine.cli.exits import Exit
from engine.cli.progress import over_courses
from engine.cli.session import Session, command
from engine.cli.supposition_page import page
from engine.core.machine import Machine
from engine.core.what_if import Policy
from engine.errors import InvalidInput, NotFound
from engine.registry import compiled
from engine.what_if import Amendment, Answered, Found, Question, Supposing, Unreadable, supposed

MANY = 40
"""From so many courses on it pays to start other processes."""


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("what-if", rich_help_panel="Audit")(what_if)


@command
def what_if(
    session: Session,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COURSE|FILE]...",
            help="Courses, or files that `export` wrote (- is stdin); else every course of the "
            "workflow.",
        ),
    ] = None,
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A parameter as a site may set it, such as platelet_limit=50; a number without "
            "a unit is in the parameter's own. Repeatable.",
        ),
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIGEST|FILE",
            help="Another definition: name@version, a stored digest, or a file that "
            "`workflow show --json` wrote. Else each course's own, with what --set sets.",
        ),
    ] = None,
    policy: Annotated[
        Policy,
        typer.Option(
            help="How a course goes on after a difference. stop: not at all. follow-recorded: each "
            "decision by itself, from the course as it was recorded until then. follow-new: the "
            "course that the amended definition would have made of the same events; what would "
            "have been sent instead nobody recorded, so it is listed as not judged.",
        ),
    ] = Policy.FOLLOW_RECORDED,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Write each course that diverges to it, one JSON document a line, instead of "
            "keeping them for the answer.",
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Else one for each core.")
    ] = None,
) -> None:
    """Ask what an amended protocol would have decided of recorded courses. Nothing is written.

    Counts the decisions that would be different, guard by guard and course by course, and says what
    cannot be judged because it was never recorded.
    """
    amendment = _amendment(session, settings or (), definition)
    files, courses = _named(names or ())
    damaged: list[Unreadable] = []
    bundles = [one for name in files for one in _bundles(name, damaged)]
    asked = list(_courses(session, courses, everything=not names))
    stored = _definitions(session) if asked or not names else ()
    enclosed = {d.digest: one.machine(d.digest) for one in bundles for d in one.definitions}
    machines = [*stored, *enclosed.values()]
    question = Question(amendment=amendment, policy=policy)
    answer = Answered(
        policy=policy,
        definition=None if amendment.definition is None else amendment.definition.digest,
        settings=amendment.changes(machines),
        unreadable=damaged,
    )
    found = _all_found(session, question, bundles, asked, processes)
    many = len(bundles) + len(asked)
    with _written(out) as answer.out, over_courses(session.err, "Asking", many) as advance:
        for one in found:
            answer.add(one)
            advance()
    session.answer(answer.json(), lambda console: page(console, answer.json(), machines))
    if answer.unreadable:
        raise typer.Exit(Exit.NO)


def _all_found(
    session: Session,
    question: Question,
    bundles: Iterable[Bundle],
    courses: Sequence[str],
    processes: int | None,
) -> Iterator[Found]:
    supposing = Supposing(question)
    yield from map(supposing.of_bundle, bundles)
    if courses:
        yield from supposed(
            question,
            courses,
            open_store=session.reader(),
            tenant=session.service().tenant,
            processes=processes or ((os.cpu_count() or 1) if len(courses) >= MANY else 1),
        )


def _amendment(session: Session, settings: Iterable[str], definition: str | None) -> Amendment:
    values: dict[str, str] = {}
    for said in settings:
        name, equals, value = said.partition("=")
        if not equals or not name:
            raise InvalidInput("--set", "NAME=VALUE, such as platelet_limit=50", found=repr(said))
        if name in values:
            raise InvalidInput("--set", "each parameter once", found=repr(name))
        values[name] = value
    if not values and definition is None:
        raise InvalidInput("--set or --definition", "what is to be otherwise")
    found = None if definition is None else definition_of(session, definition)
    return Amendment(definition=found, settings=values)


def _named(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files and the courses that were named."""
    files: list[str] = []
    courses: list[str] = []
    for name in dict.fromkeys(names):
        (files if is_file(name) else courses).append(name)
    return files, courses


def _courses(session: Session, named: Sequence[str], *, everything: bool) -> Iterator[str]:
    """The courses that were named, if they are there, or every one. Raises NotFound."""
    if everything:
        yield from session.auditor().courses()
    for name in named:
        if named_like_a_file(name):
            raise InvalidInput(name, "a file that `export` wrote, or a course")
        service = session.service()
        with service.store.transaction(service.tenant, write=False) as tx:
            if not tx.last_seq(name):
                raise NotFound(name)
        yield name


def _definitions(session: Session) -> Sequence[Machine]:
    service = session.service()
    with service.store.transaction(service.tenant, write=False) as tx:
        return [compiled(one) for one in tx.definitions()]


def _bundles(name: str, damaged: list[Unreadable]) -> list[Bundle]:
    """The courses of a file. Of one that was changed none is asked: what is wrong is noted."""
    found: list[Bundle] = []
    wrong: list[Unreadable] = []
    try:
        with opened(name) as stream:
            for one, fault in Proof().courses(BundleFile(stream)):
                found.append(one)
                if fault is not None:
                    wrong.append(Unreadable(course=one.course, what=str(fault)))
    except DamagedBundle as damage:
        wrong.append(Unreadable(course=name, what=str(damage)))
    damaged += wrong
    return [] if wrong else found


@contextmanager
def _written(out: Path | None) -> Iterator[IO[str] | None]:
    if out is None:
        yield None
        return
    try:
        with out.open("w", encoding="utf-8") as file:
            yield file
    except OSError as wrong:
        raise InvalidInput("--out", "a file that can be written", found=str(wrong)) from wrong
