"""Clients keep sending while their service is killed and comes back: each event is one record."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import bootstrap
from engine.client import Actor, Client, Enrolment, Event, Patience
from engine.settings import Settings
from tests.postgres import Server, fresh_database
from tests.serve.process import run, start

WRITERS, KILLS = 4, 3
METROLOGIST = Actor("m", "metrologist")
TOKEN = ("--name", "backend", "--role", "service", "--actor-role", "metrologist")
LONG = Patience(total=120, silence=5, longest=0.5)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the tables."""
    if request.param == "sqlite":
        bootstrap.migrate(Settings(database_url=f"sqlite:///{tmp_path}/courses.db"))
        yield f"sqlite:///{tmp_path}/courses.db"
        return
    server: Server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as url:
        bootstrap.migrate(Settings(database_url=url))
        yield url


class Writer(threading.Thread):
    """Sends the events of one course until it is told to stop; every call must be answered."""

    def __init__(self, url: str, token: str, course: str) -> None:
        super().__init__(daemon=True)
        self._client = Client(url, token, patience=LONG)
        self.course = course
        self.stopping = threading.Event()
        self.answered: list[str] = []

    def run(self) -> None:
        with self._client:
            enrolment = Enrolment(
                workflow="instrument_calibration", patient=f"of-{self.course}", site="north",
                zone="Europe/Vienna", at=datetime.now(UTC), actor=METROLOGIST,
            )  # fmt: skip
            self.answered.append(self._client.enroll(self.course, enrolment).id)
            while not self.stopping.is_set():
                event = Event(
                    event="measurement_recorded", at=datetime.now(UTC), actor=METROLOGIST,
                    data={"deviation": {"value": "3", "unit": "um"}},
                )  # fmt: skip
                self.answered.append(self._client.submit(self.course, event).id)


def test_every_call_is_answered_and_every_event_is_one_record(url: str, tmp_path: Path):
    token = json.loads(run("token", "create", *TOKEN, "--json", url=url))["text"]
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    arguments = ("--port", str(port), "--no-worker")
    service = start(*arguments, url=url, folder=tmp_path).up()
    writers = [Writer(service.url, token, f"I-{number}") for number in range(WRITERS)]
    try:
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            time.sleep(1)
            service.kill()
            service.close()
            service = start(*arguments, url=url, folder=tmp_path).up()
        time.sleep(1)
        for writer in writers:
            writer.stopping.set()
        for writer in writers:
            writer.join(timeout=150)
        with Client(service.url, token) as client:
            recorded = {
                writer: [one.record["event"]["id"] for one in client.records(writer.course)]
                for writer in writers
            }
    finally:
        service.close()

    for writer, ids in recorded.items():
        assert not writer.is_alive()
        assert ids == writer.answered
        assert len(set(ids)) == len(ids) > KILLS
