"""`regimen tick` and `regimen work`: timers that are due come back as events."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import structlog
import typer

from engine.cli.session import Session, command
from engine.errors import StoreUnavailable
from engine.service import Service

log = structlog.get_logger("regimen")

STOPPING = (signal.SIGINT, signal.SIGTERM)
GRAIN = 0.2
"""Seconds within which a worker that waits notices that it was told to stop."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Operation")(tick)
    app.command(rich_help_panel="Operation")(work)


@command
def tick(session: Session) -> None:
    """Let every timer that is due come back as an event, once."""
    fired = _until_quiet(session.service(writes=True), _Stop())
    session.answer(
        {"timers": fired},
        lambda out: out.print(_told(fired) if fired else "No timer was due."),
    )


@command
def work(
    session: Session,
    interval: Annotated[
        float, typer.Option(min=0.05, max=3600, help="Seconds between two looks at the timers.")
    ] = 5.0,
    *,
    once: Annotated[bool, typer.Option("--once", help="Look once, then stop.")] = False,
    stop_after: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop after so long.")
    ] = None,
) -> None:
    """Do what `tick` does, again and again, until it is told to stop.

    Any number of workers may run: each timer has one effect. SIGINT and SIGTERM let the timer in
    hand be finished. A database that goes away is waited for.
    """
    session.log_level = "info"
    service = session.service(writes=True)
    ends = None if stop_after is None else time.monotonic() + stop_after
    fired = 0
    with _told_to_stop() as stop:
        if not (once or session.as_json):
            session.say(f"Working on the timers of {service.tenant}; Ctrl-C stops it.")
        while True:
            try:
                fired += _until_quiet(service, stop)
            except StoreUnavailable as error:
                if once:
                    raise
                log.warning("store_unavailable", why=error.why)
            left = interval if ends is None else min(interval, ends - time.monotonic())
            if once or left <= 0 or stop.within(left):
                break
    if stop.signal is not None:
        log.info("worker_stopping", signal=stop.signal.name)
    session.answer({"timers": fired}, lambda out: out.print(_told(fired)))


def _until_quiet(service: Service, stop: _Stop) -> int:
    """How many timers came back until none was due, or until the stop."""
    fired = 0
    while stop.signal is None and (came := service.tick()):
        fired += came
    return fired


class _Stop:
    """Whether a signal asked for the end.

    The handler only notes it: it runs in the middle of anything, and whatever takes a lock there,
    an event to wait for or a log line, may wait for itself for ever.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def note(self, number: int, _: FrameType | None) -> None:
        self.signal = signal.Signals(number)

    def within(self, seconds: float) -> bool:
        """Wait, and say whether the end was asked for in the meantime."""
        until = time.monotonic() + seconds
        while self.signal is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, GRAIN))
        return self.signal is not None


@contextmanager
def _told_to_stop() -> Iterator[_Stop]:
    """A note that the signals make, in place of an end in the middle of something."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.note) for number in STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _told(fired: int) -> str:
    return "1 timer came back." if fired == 1 else f"{fired} timers came back."
