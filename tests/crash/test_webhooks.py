"""A dispatcher that is killed at any moment: every message arrives, in order for each course."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from random import Random

from sqlalchemy import select

from engine import bootstrap
from engine.settings import Settings
from engine.store.sql import SqlStore
from engine.store.tables import messages
from tests.crash.conftest import Journal, opened
from tests.crash.process import Acknowledged, acknowledged_in, ending, regimen, submitting, working
from tests.receiver import Answer, Received, Receiver, receiving, welcome

ROUNDS = 3
SETTINGS = {"REGIMEN_WEBHOOK_ALLOW": "127.0.0.0/8", "REGIMEN_WEBHOOK_SECONDS": "1"}
SECONDS = 60


def register(url: str, receiver: Receiver) -> None:
    settings = replace(Settings(), database_url=url, webhook_allow=(ip_network("127.0.0.0/8"),))
    service = bootstrap.service(settings)
    bootstrap.webhooks(settings, service).register(receiver.url)
    assert isinstance(service.store, SqlStore)
    service.store.close()


def feed(url: str) -> dict[str, list[tuple[int, int]]]:
    """What was said of each course, in order."""
    service = bootstrap.service(replace(Settings(), database_url=url), enrolling=False)
    found: dict[str, list[tuple[int, int]]] = {}
    after, more = 0, True
    while more:
        page = bootstrap.feed(service).page(after, 1000)
        after, more = page.through, page.more
        for one in page.entries:
            found.setdefault(one.course, []).append((one.seq, one.n))
    assert isinstance(service.store, SqlStore)
    service.store.close()
    return found


def until(receiver: Receiver, number: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(receiver.received) < number:
        assert time.monotonic() < deadline, f"only {len(receiver.received)} messages came"
        time.sleep(0.005)


@contextmanager
def read(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """What a process says, line by line while it says it, so that it never waits for us."""
    said: list[str] = []
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
    readers = [threading.Thread(target=lambda pipe=pipe: said.extend(pipe)) for pipe in pipes]
    with ending(process):
        for reader in readers:
            reader.start()
        yield said
        process.kill()
        for reader in readers:
            reader.join(timeout=60)


def test_every_message_of_every_acknowledged_event_arrives_though_dispatchers_are_killed(
    durable_url: str, told: Journal
):
    chance = Random("webhooks to be killed")
    acknowledged: list[Acknowledged] = []

    def slowly(_: Received) -> Answer:
        time.sleep(0.002)  # so that many a kill comes in the middle of a message
        return 204, {}

    with receiving() as receiver:
        receiver.answering = slowly
        register(durable_url, receiver)
        for _ in range(ROUNDS):
            worker, writer = working(durable_url, **SETTINGS), submitting(durable_url, told.file)
            with read(worker), read(writer) as said:
                until(receiver, len(receiver.received) + chance.randint(5, 40))
                time.sleep(chance.random() * 0.02)
                worker.kill()
            assert worker.returncode == -signal.SIGKILL
            whole = [line for line in said if line.endswith("\n")]  # one cut off is none
            acknowledged += acknowledged_in("".join(whole))
        assert regimen(durable_url, "apply", str(told.file)).code == 0

        receiver.answering = welcome
        with read(worker := working(durable_url, **SETTINGS)):
            expected = feed(durable_url)
            deadline = time.monotonic() + SECONDS
            while receiver.by_course() != expected and time.monotonic() < deadline:
                time.sleep(0.1)
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=60)

        assert worker.returncode == 0
        assert receiver.by_course() == expected
        arrived = {(c, seq) for c, places in receiver.by_course().items() for seq, _ in places}
        with opened(durable_url) as store:
            spoken = places_with_messages(store)
        assert acknowledged
        assert {(one.course, one.seq) for one in acknowledged} & spoken <= arrived
        assert spoken == arrived


def places_with_messages(store: SqlStore) -> set[tuple[str, int]]:
    """The records that said something."""

    with store.engine.connect() as connection:
        return {
            (c, seq) for c, seq in connection.execute(select(messages.c.course, messages.c.seq))
        }
