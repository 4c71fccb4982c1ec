"""What every command shares: where the courses are, how answers are given, how errors are told.

- An answer goes to stdout: for a person, or with `--json` as one JSON document.
- Progress, warnings and errors go to stderr.
- `--db`, `--tenant` and `--json` may stand before the command or after it.
- What only asks writes nothing: a database that is not there is not made.
"""

from __future__ import annotations

import getpass
import inspect
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Concatenate, NoReturn

import typer
from rich.console import Console

from engine import logs
from engine.access import Access, operator
from engine.audit import Auditor
from engine.calendars import SharedCalendars
from engine.cli.exits import Exit
from engine.cli.plain import PlainConsole
from engine.clinic import Sites
from engine.core.encoding import Json
from engine.errors import Divergence, NotFound, RegimenError, StoreUnavailable, UnknownEvent
from engine.log_entry import Logged
from engine.permission import Caller
from engine.ports import Store
from engine.service import Service
from engine.settings import Settings, database_url, tenant_name
from engine.worklist import Worklists

_EVERYWHERE = "Everywhere"
Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL|FILE",
        help="The database, else that of REGIMEN_DATABASE_URL, else regimen.db.",
        rich_help_panel=_EVERYWHERE,
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        metavar="NAME",
        help="Whose courses, else those of REGIMEN_TENANT.",
        rich_help_panel=_EVERYWHERE,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Answer with one JSON document.", rich_help_panel=_EVERYWHERE),
]

WIDTH_OF_A_PIPE = 120
"""How wide tables are where there is no terminal to ask, and COLUMNS says nothing."""


class Session:
    """One command: what was chosen on the command line, and the parts that follow from it."""

    def __init__(self) -> None:
        self.database: str | None = None
        self.tenant: str | None = None
        self.as_json = False
        self.log_level = "warning"
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)
        self._service: Service | None = None

    def choose(self, database: str | None, tenant: str | None, *, as_json: bool) -> None:
        """Take the options of the command line; the later ones stand."""
        self.database = self.database if database is None else database
        self.tenant = self.tenant if tenant is None else tenant
        self.as_json = as_json or self.as_json

    @cached_property
    def settings(self) -> Settings:
        """The environment's choices, where the command line makes none. Raises InvalidInput."""
        found = Settings.from_environment(os.environ, log_level=self.log_level)
        if self.database is not None:
            found = replace(found, database_url=database_url("--db", self.database))
        if self.tenant is not None:
            found = replace(found, tenant=tenant_name("--tenant", self.tenant))
        logs.configure(form=found.log, level=found.log_level)
        _let_find(found.workflows)
        return found

    @cached_property
    def who(self) -> Caller:
        """Who gives the command: REGIMEN_ACTOR, else whom the operating system knows."""
        return operator(self.settings.tenant, self.settings.actor or _user())

    def note(self, action: Logged, about: Mapping[str, Json]) -> None:
        """Write to the access log what was looked at here; said where that cannot be written."""
        try:
            self.access().log.note(self.who, action, about)
        except StoreUnavailable:
            self.say("This is not in the access log, which cannot be written from here.")

    def service(self, *, writes: bool = False) -> Service:
        """The use cases on the chosen database; the same ones each time.

        For a command that writes, a SQLite file that is not there is made, and the workflows are
        installed. Raises StoreUnavailable when there is nothing to ask, or it is not migrated.
        """
        if self._service is None:
            self._service = self._opened(writes=writes)
        return self._service

    def auditor(self) -> Auditor:
        """An auditor of the chosen database, who changes nothing in it."""
        service = self.service()
        return Auditor(
            store=service.store, registry=service.setting.registry, tenant=service.tenant
        )

    def reader(self) -> Callable[[], Store]:
        """What opens the chosen database, here or in another process that it is sent to."""
        from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

        return bootstrap.reader(self.settings)

    def access(self, *, writes: bool = False) -> Access:
        """Tokens and the access log of the chosen database. Raises as `service` does."""
        service = self.service(writes=writes)
        from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

        return bootstrap.access(self.settings, service.store)

    def calendars(self, *, writes: bool = False) -> SharedCalendars:
        """The calendars that are shared. Raises as `service` does."""
        service = self.service(writes=writes)
        from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

        return bootstrap.calendars(self.settings, service.store, lambda _: service)

    def sites(self, *, writes: bool = False) -> Sites:
        """The calendars of the sites of the chosen database; made if need be where one is set."""
        service = self.service(writes=writes)
        from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

        return bootstrap.sites(service)

    def worklists(self) -> Worklists:
        """The worklists of the chosen database."""
        service = self.service()
        from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

        return bootstrap.worklists(service)

    def answer(self, document: Json, tell: Callable[[Console], None]) -> None:
        """Give the answer: as one JSON document when it was asked for, else told to a person."""
        if self.as_json:
            self.document(document)
        else:
            tell(self.out)

    def document(self, document: Json) -> None:
        """Print one JSON document, whoever reads it."""
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))

    def say(self, text: str, style: str = "") -> None:
        """Tell the person something that is no answer."""
        self.err.print(text, style=style, soft_wrap=True)

    def fail(self, error: RegimenError) -> NoReturn:
        """End the command: it could not be done, and the message says what to do about it.

        Records that do not agree with what they claim are a negative answer, all else bad input.
        """
        message = _HINT.sub(self._hint, str(error))
        if self.as_json:
            self.document({"error": {"kind": type(error).__name__, "message": message}})
        self.say(f"Error: {message}", style="red")
        if advice := ADVICE.get(type(error)):
            self.say(advice)
        # What was asked for could be looked at, and is not so.
        raise typer.Exit(Exit.NO if isinstance(error, Divergence) else Exit.BAD)

    def spelled(self, *words: str, **options: Iterable[str]) -> str:
        """A command that runs as it is printed: on this database and tenant, each option repeated.

        Only the password of a database's URL is left out.
        """
        chosen = {"db": self._named(), "tenant": self.tenant}
        everywhere = {name: [value] for name, value in chosen.items() if value is not None}
        return shlex.join(["regimen", *_options(everywhere), *words, *_options(options)])

    def close(self) -> None:
        """Let the connections go."""
        if self._service is not None:
            self._service.store.close()
        self._service = None

    def _hint(self, said: re.Match[str]) -> str:
        """A command to run, on the database that was named; its password is left out."""
        named = self._named()
        return said[0] if named is None else f"`regimen --db {shlex.quote(named)} {said[1]}`"

    def _named(self) -> str | None:
        """The database as the command line named it, without its password."""
        return None if self.database is None else _PASSWORD.sub(r"\1***@", self.database)

    def _opened(self, *, writes: bool) -> Service:
        settings = self.settings
        # The database library is slow to import.
        from engine import bootstrap  # noqa: PLC0415
        from engine.store import installation  # noqa: PLC0415

        file = installation.missing_file(settings.database_url)
        if file is not None and not writes:
            raise StoreUnavailable(
                f"there is none at {file} yet: name another with --db, or let `regimen apply` or "
                "`regimen migrate` make it"
            )
        if file is not None:
            bootstrap.migrate(settings)
            self.say(f"Made the database {file}.")
        return bootstrap.service(settings, enrolling=writes)


def command(function: Callable[Concatenate[Session, ...], None]) -> Callable[..., None]:
    """A command with the shared options: it gets its session first, and its errors are told."""

    @wraps(function)
    def run(
        *,
        ctx: typer.Context,
        db: str | None,
        tenant: str | None,
        as_json: bool,
        **own: Any,  # noqa: ANN401  # whatever the command asks for
    ) -> None:
        session = session_of(ctx)
        session.choose(db, tenant, as_json=as_json)
        try:
            function(session, **own)
        except RegimenError as error:
            session.fail(error)
        finally:
            session.close()

    # Typer reads options off the signature: the session goes, and what is shared is added.
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    shared = inspect.signature(_shared, eval_str=True).parameters.values()
    parameters = [*(one.replace(kind=one.KEYWORD_ONLY) for one in (*own, *shared))]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect looks for it
    return run


def session_of(ctx: typer.Context) -> Session:
    """The session of the command that runs."""
    found: Session = ctx.ensure_object(Session)
    return found


def _shared(
    ctx: typer.Context,
    *,
    db: Database = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """The options that every command has."""


ADVICE: dict[type[RegimenError], str] = {
    NotFound: "`--db` and `--tenant` say where to look.",
    UnknownEvent: "`regimen workflow show WORKFLOW` lists the events",
}
"""What to do about an error, beyond what it says itself."""
_HINT = re.compile(r"`regimen (migrate|apply)`")
_NO_ID = re.compile(r"[^A-Za-z0-9._:-]")
_PASSWORD = re.compile(r"(//[^/@:]*:)[^@]*@")


def _let_find(names: Iterable[str]) -> None:
    """Let packages be found in the folder where the command runs, after all that is installed."""
    tops = {name.partition(".")[0] for name in names}
    try:
        here = str(Path.cwd())
        lying_here = [t for t in tops if Path(t).is_dir() or Path(f"{t}.py").is_file()]
    except OSError:  # a folder that is gone, or that we may not look into, has nothing for us
        return
    if here not in sys.path and any(find_spec(top) is None for top in lying_here):
        sys.path.append(here)


def _user() -> str:
    """Whom the operating system takes us for, as far as it says so in the shape of an id."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        name = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"os:{_NO_ID.sub('-', name)[:60]}"


def _options(named: Mapping[str, Iterable[str]]) -> list[str]:
    """Options as they are typed, each with its value behind it."""
    return [
        word
        for name, values in named.items()
        for value in values
        for word in (f"--{name.replace('_', '-')}", value)
    ]


def _console(*, stderr: bool) -> Console:
    """Words as they are: a course called `[red]` is no colour, and none clears the screen."""
    console = PlainConsole(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = WIDTH_OF_A_PIPE
    return console
