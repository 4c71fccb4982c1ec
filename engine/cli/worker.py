"""`regimen tick` and `regimen work`: timers come back, messages are delivered, records sealed."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.logs import log
from engine.messages import Sent
from engine.worker import GRAIN, Stop, Worker

STOPPING = (signal.SIGINT, signal.SIGTERM)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Operation")(tick)
    app.command(rich_help_panel="Operation")(work)


@command
def tick(session: Session) -> None:
    """Let every timer that is due come back as an event, once."""
    service, fired = session.service(writes=True), 0
    while came := service.tick():
        fired += came
    session.answer(
        {"timers": fired},
        lambda out: out.print(_told(fired) if fired else "No timer was due."),
    )


@command
def work(
    session: Session,
    interval: Annotated[
        float, typer.Option(min=0.05, max=3600, help="Seconds between two looks at what is due.")
    ] = 5.0,
    *,
    once: Annotated[bool, typer.Option("--once", help="Look once, then stop.")] = False,
    stop_after: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop after so long.")
    ] = None,
) -> None:
    """Let timers come back, deliver webhooks, seal records; daily, look whether all is well.

    That is: exercise the definitions in use, count what guards did, and verify the whole log.
    Any number of workers may run: each timer has one effect, they share what is to be sent, and
    each record is sealed once.
    SIGINT and SIGTERM let the timer and the messages in hand be finished. A database that goes
    away is waited for. An endpoint that does not answer keeps no timer waiting.
    """
    session.log_level = "info"
    duties = _Duties(session)
    with _told_to_stop() as stop:
        if once:
            duties.timers(stop.told)
            duties.messages(stop.told)
            duties.records(stop.told)
            duties.definitions(stop.told)
        else:
            if not session.as_json:
                session.say(f"Working on the timers of {duties.service.tenant}; Ctrl-C stops it.")
            # Apart, so that none waits for another.
            all_of_them = [
                Worker(lambda: [duties.timers], interval=interval),
                Worker(lambda: [duties.messages], interval=interval),
                Worker(lambda: [duties.records], interval=interval),
                Worker(lambda: [duties.definitions], interval=interval),
            ]
            for one in all_of_them:
                one.start()
            stop.within(math.inf if stop_after is None else stop_after)
            for one in all_of_them:
                one.tell()
            # However long that takes: it is bounded by what an endpoint and a database may take.
            while not all(one.ended(within=1) for one in all_of_them):
                pass
    if stop.signal is not None:
        log.info("worker_stopping", signal=stop.signal.name)
    session.answer(duties.json(), duties.tell)


class _Duties:
    """What a worker does, and what came of it."""

    def __init__(self, session: Session) -> None:
        # The database library is slow to import.
        from engine import bootstrap, tenants  # noqa: PLC0415

        self.service = session.service(writes=True)
        self._feed = bootstrap.feed(self.service)
        self._dispatcher = (
            bootstrap.dispatcher(session.settings, self.service) if bootstrap.can_send() else None
        )
        if self._dispatcher is None:
            log.warning("webhooks_not_sent", advice="pip install 'regimen-engine[web]'")
        self._ledger = bootstrap.ledger(session.settings, self.service)
        self._daily = tenants.Daily(session.settings, self.service)
        self._fired = 0
        self._sent = Sent()

    def timers(self, stop: Stop) -> None:
        """Let timers come back until none is due, or until the stop."""
        while not stop() and (came := self.service.tick()):
            self._fired += came

    def messages(self, stop: Stop) -> None:
        """Send until nothing is due, or until the stop."""
        while not stop():
            if self._dispatcher is None:
                if not self._feed.sequence():
                    return
                continue
            came = self._dispatcher.run_once(stop)
            self._sent += came
            if not came.delivered:
                return

    def records(self, stop: Stop) -> None:
        """Seal until nothing is left to be, or until the stop."""
        self._ledger.seal(stop)

    def definitions(self, stop: Stop) -> None:
        """Exercise definitions, count guards and verify the log as is due, or until the stop."""
        self._daily(stop)

    def json(self) -> Json:
        sent = self._sent
        return {
            "timers": self._fired,
            "delivered": sent.delivered,
            "failed": sent.failed,
            "given_up": sent.dead,
            "canaries": len(self._daily.sound),
            "canaries_unsound": self._daily.sound.count(False),
        }

    def tell(self, out: Console) -> None:
        out.print(_told(self._fired))
        sent = self._sent
        for number, what in (
            (sent.delivered, "delivered"),
            (sent.failed, "to be sent again"),
            (sent.dead, "given up"),
        ):
            if number:
                out.print(f"{number} {'message' if number == 1 else 'messages'} {what}.")


class _Stop:
    """Whether a signal asked for the end.

    The handler only notes it: it runs in the middle of anything, and whatever takes a lock there,
    an event to wait for or a log line, may wait for itself for ever.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def note(self, number: int, _: FrameType | None) -> None:
        self.signal = signal.Signals(number)

    def told(self) -> bool:
        return self.signal is not None

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
