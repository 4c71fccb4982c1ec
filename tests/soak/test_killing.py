"""Two services and three workers on one PostgreSQL, of which one each is killed again and again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from engine import bootstrap
from engine.settings import Settings
from engine.store.sql import open_store
from tests.postgres import Server, fresh_database
from tests.receiver import receiving
from tests.serve.process import Process, run, start
from tests.soak.load import Load
from tests.soak.witness import each_timer_fired_once, nothing_lost, proved, said, settled

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
"""For how long they are killed; a release is tried for longer."""
BETWEEN = 4.0
SERVICES, WORKERS = 2, 3
MORE = {
    "REGIMEN_THREADS": "6",
    "REGIMEN_WEBHOOK_ALLOW": "127.0.0.0/8",
    "REGIMEN_LOG_LEVEL": "warning",
}


def token(url: str) -> str:
    """A token of a backend that says who acts."""
    made = run("token", "create", "--name", "backend", "--role", "service",
               "--actor-role", "metrologist", "--json", url=url)  # fmt: skip
    text: str = json.loads(made)["text"]
    return text


def served(url: str, folder: Path) -> Process:
    return start("--port", "0", "--no-worker", url=url, folder=folder, more=MORE)


def working(url: str, folder: Path) -> Process:
    return start("--interval", "0.2", url=url, folder=folder, more=MORE, command="work")


@contextmanager
def running(url: str, folder: Path) -> Iterator[tuple[list[Process], list[Process]]]:
    """The processes, which may be replaced in their lists; none of them outlives the test."""
    services = [served(url, folder) for _ in range(SERVICES)]
    workers = [working(url, folder) for _ in range(WORKERS)]
    try:
        for one in services:
            one.up()
        yield services, workers
    finally:
        for one in (*services, *workers):
            one.close()


def test_processes_that_are_killed_lose_nothing_and_do_nothing_twice(
    postgres_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    chance = Random("killed processes")
    with fresh_database(postgres_server) as url, receiving() as receiver:
        bootstrap.migrate(Settings(database_url=url))
        held = token(url)
        run("endpoint", "add", receiver.url, url=url, more=MORE)
        with running(url, tmp_path) as (services, workers):
            load = Load(held, [one.url for one in services])
            load.start()
            killed = 0
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                time.sleep(BETWEEN * (0.5 + chance.random()))
                victim, other = chance.randrange(SERVICES), chance.randrange(WORKERS)
                services[victim].close()  # by SIGKILL
                workers[other].close()
                killed += 2
                services[victim] = served(url, tmp_path)
                workers[other] = working(url, tmp_path)
                load.services[victim] = services[victim].up().url
            load.stop()
            store = open_store(url)
            try:
                quiet = settled(store)
                everything = said(store)
                each_timer_fired_once(load, store)
            finally:
                store.close()
            assert quiet, "something was left undone"
        with capsys.disabled():
            told = f"{len(load.acknowledged)} events, {load.tried_again} tried again"
            done = f"{len(load.released)} timers, {len(receiver.received)} webhooks"
            print(f"\n{told}, {killed} processes killed, {done}")

        nothing_lost(load, url)
        assert receiver.by_course() == everything
        assert len(load.acknowledged) > 100
        assert killed >= 4
        proved(url)
