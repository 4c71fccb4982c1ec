"""`regimen serve`: the HTTP service, and a worker beside it, until a signal ends them."""

from __future__ import annotations

import ipaddress
from importlib.util import find_spec
from typing import Annotated

import typer

from engine import logs
from engine.access import HOW_TO_BEGIN
from engine.cli.demonstration import shipped
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.errors import InvalidInput
from engine.logs import log
from engine.service import Service

FILE = "regimen-serve.db"
NEEDED = ("fastapi", "uvicorn")
INTERVAL = 1.0
"""Seconds between two looks at the timers, where none was due."""


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Operation")(serve)


@command
def serve(
    session: Session,
    host: Annotated[
        str, typer.Option(help="The address to listen at; another than loopback needs a proxy.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 8000,
    *,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Courses to look at, and open to everybody at this machine: no token."
        ),
    ] = False,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="Timers and webhooks in this process, too."),
    ] = True,
) -> None:
    """Serve the API over HTTP, with a page of its operations at /docs.

    The first SIGTERM or SIGINT lets what was accepted be finished; the second ends it at once.
    """
    session.log_level = "info"
    if demo:
        _require_loopback(host)
        session.choose(session.database or FILE, None, as_json=False)
    settings = session.settings
    _require_installed()
    # An extra brings these, and they are slow to import.
    from engine import bootstrap, serving  # noqa: PLC0415
    from engine.store import installation  # noqa: PLC0415
    from engine.web.server import address, listening  # noqa: PLC0415

    if demo or installation.missing_file(settings.database_url) is not None:
        bootstrap.migrate(settings)
    premises = serving.Premises(settings)
    finished = False
    try:
        if demo:
            office = serving.open_office(premises)
            _show(session, premises.services.of(settings.tenant))
        else:
            office = serving.guarded_office(premises)
            if serving.is_new(premises):
                session.say(HOW_TO_BEGIN)
        listener = listening(host, port)
        url = address(listener)
        with listener:
            done = serving.serve(
                premises,
                office,
                listener,
                interval=INTERVAL if worker else None,
                up=lambda: session.say(f"Serving on {url}, operations at {url}/docs"),
            )
        finished = done.finished
        log.info("service_ended", signal=done.signal)
    finally:
        premises.close()
    if not finished:
        log.warning("service_ended_with_work_in_hand")
        serving.leave_at_once()
    raise typer.Exit(Exit.YES)


def _show(session: Session, service: Service) -> None:
    """Apply the courses that the workflows ship, and say to whom they are open."""
    settings = session.settings
    logs.configure(form=settings.log, level="warning")  # not a line for each of their events
    shown = shipped(settings.workflows)
    for one in shown:
        service.submit_many(one.bodies)
    logs.configure(form=settings.log, level=settings.log_level)
    session.say(
        f"A demonstration with {len(shown)} courses in {session.database}. It is open to everybody "
        "at this machine, without a token."
    )


def _require_loopback(host: str) -> None:
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise InvalidInput("--host", "a loopback address with --demo, which asks nobody who it is")


def _require_installed() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise InvalidInput(
            "regimen serve", "its libraries: pip install 'regimen-engine[web]'",
            found=f"none called {', '.join(missing)}",
        )  # fmt: skip
