"""`regimen demo`: the courses that the installed workflows ship, run through the whole engine.

It has a database of its own, and knows no workflow: which course has the most to tell is looked up
in the records.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from engine.cli.demo_page import tell
from engine.cli.demonstration import Demonstration, demonstrate, shipped
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.errors import InvalidInput
from engine.service import Service

FILE = "regimen-demo.db"
SQLITE = b"SQLite format 3\x00"


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Start here")(demo)


@command
def demo(session: Session) -> None:
    """Run real published courses through the engine, and see what it answers and proves.

    It makes a database of its own here, in place of an earlier demo's. One that --db names is added
    to and never emptied; that of the environment is left alone.
    """
    if session.database is None:
        session.choose(str(_fresh_file()), None, as_json=False)
    service = session.service(writes=True)
    done = _demonstrated(session, service)
    steps = next_steps(done, str(session.database))
    document = {
        "database": session.database,
        "courses": [one.json() for one in done.shown],
        "featured": done.featured.course,
        "timers": done.timers,
        "proved": done.proved,
        "next": steps,
    }
    session.answer(document, lambda out: tell(out, done, str(session.database), steps))
    raise typer.Exit(Exit.YES if done.proved else Exit.NO)


def next_steps(done: Demonstration, database: str) -> list[str]:
    """Commands that go on from here, as they can be typed."""
    program, course = _program(), done.featured.course
    here = f"{program} --db {shlex.quote(database)}"
    asked = done.featured.not_now
    return [
        f"{here} show {course}",
        f"{here} log {course} --findings",
        *([f"{here} why-not {course} {asked}"] if asked is not None else []),
        f"{here} export {course} --out {course}.json",
        f"{program} verify {course}.json",
        f"{program} workflow list",
        f"{program} --help",
    ]


def _demonstrated(session: Session, service: Service) -> Demonstration:
    shown = shipped(session.settings.workflows)
    with Progress(
        TextColumn("Applied {task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=session.err,
        transient=True,
        disable=not session.err.is_terminal,
    ) as progress:
        task = progress.add_task("nothing yet", total=sum(len(one.bodies) for one in shown))
        return demonstrate(
            service,
            shown,
            lambda course, events: progress.update(task, description=course, advance=events),
        )


def _fresh_file() -> Path:
    """Where the demo's database goes: here, else where this machine keeps what is temporary.

    Raises InvalidInput when a file of that name is no database, since it would be lost.
    """
    folder = Path()
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="regimen-demo-"))
    file = folder / FILE
    if file.exists():
        with file.open("rb") as stream:
            begins = stream.read(len(SQLITE))
        if begins not in (b"", SQLITE):
            raise InvalidInput(FILE, "a demo's database under that name; --db names another file")
        for tail in ("", "-wal", "-shm"):
            file.with_name(f"{FILE}{tail}").unlink(missing_ok=True)
    return file


def _program() -> str:
    """How this program can be called from here, so that what is printed can be typed."""
    called = Path(sys.argv[0])
    found = shutil.which("regimen")
    if called.name != "regimen" or (found and Path(found).resolve() == called.resolve()):
        return "regimen"
    try:
        return shlex.quote(str(called.absolute().relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(called))
