"""A PostgreSQL server that is killed under its writers, and comes back on the same data."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from engine.errors import StoreUnavailable
from engine.service import Service
from tests.crash.conftest import Journal, migrated, opened, serving
from tests.crash.process import Acknowledged, acknowledged_in, applying, ending, regimen, working
from tests.crash.witness import contents, kept, proved, whole_part
from tests.postgres import Postmaster, Server, find_binaries, fresh_database, own_server

PATIENCE = 60
ADVICE = re.compile("see that the server runs|wait until the server is there again")
"""Whoever still hears the server end is told of it in other words than who finds it gone."""


@pytest.fixture(scope="module")
def mortal_server() -> Iterator[Server]:
    """A server of these tests alone, which they may kill: by its own id, and no other process."""
    with own_server(find_binaries(), fsync=True) as server:
        yield server


@pytest.fixture
def postmaster(mortal_server: Server) -> Postmaster:
    assert mortal_server.postmaster is not None
    return mortal_server.postmaster


@pytest.fixture
def url(mortal_server: Server, postmaster: Postmaster) -> Iterator[str]:
    with fresh_database(mortal_server) as url:
        yield migrated(url)
        if not postmaster.running:
            postmaster.start(patience=PATIENCE)


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    with serving(url) as service:
        yield service


def until_lost(
    service: Service, bodies: list[dict[str, Any]], acknowledged: list[Acknowledged]
) -> StoreUnavailable | None:
    """Send events one by one until the database goes away."""
    for body in bodies:
        try:
            answer = service.submit(body)
        except StoreUnavailable as lost:
            return lost
        if not answer.repeated:
            acknowledged.append(Acknowledged(answer.course, answer.seq))
    return None


def test_a_server_that_is_killed_under_a_writer_loses_nothing_that_was_acknowledged(
    postmaster: Postmaster, url: str, service: Service, told: Journal
):
    """The writer is told what to do, and goes on with the same service once the server is back."""
    bodies = [json.loads(line) for line in told.file.read_text().splitlines()]
    chance = Random("killed servers")
    acknowledged: list[Acknowledged] = []
    for number in (1, 2):
        stop = len(acknowledged) + chance.randint(5, told.events // 4)
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(until_lost, service, bodies, acknowledged)
            while len(acknowledged) < stop and not writing.done():
                time.sleep(0.001)
            time.sleep(chance.random() * 0.01)
            postmaster.kill()
            lost = writing.result(timeout=60)

        assert lost is not None, number
        assert ADVICE.search(lost.why)
        with pytest.raises(StoreUnavailable, match="see that the server runs"):
            service.submit(bodies[0])

        postmaster.start(patience=PATIENCE)
        assert service.submit(bodies[0]).repeated
        with opened(url) as store:
            assert kept(acknowledged, store)
            assert whole_part(store, told.full)
            assert proved(store)

    assert until_lost(service, bodies, acknowledged) is None
    with opened(url) as store:
        assert contents(store) == told.full
        assert proved(store)


def test_a_command_whose_server_is_killed_says_what_stands_and_does_the_rest_another_time(
    postmaster: Postmaster, url: str, told: Journal
):
    with ending(applying(url, told.file)) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        postmaster.kill()
        said = process.stderr.read()
        code = process.wait(timeout=60)
    postmaster.start(patience=PATIENCE)

    assert json.loads(first)["event"] == "event_decided"
    assert code == 2
    assert "These stand; apply the same files again for the rest." in said
    assert ADVICE.search(said)
    assert "Traceback" not in said
    with opened(url) as store:
        assert kept(acknowledged_in(first + said), store)
        assert whole_part(store, told.full)
    assert regimen(url, "apply", str(told.file)).code == 0
    with opened(url) as store:
        assert contents(store) == told.full
        assert proved(store)


def test_a_worker_waits_for_a_server_that_was_killed_and_then_lets_its_timers_fire(
    postmaster: Postmaster, url: str, service: Service
):
    with ending(working(url)) as worker:
        assert worker.stderr is not None
        assert "Working on the timers" in worker.stderr.readline()
        postmaster.kill()
        assert "store_unavailable" in worker.stderr.readline()
        postmaster.start(patience=PATIENCE)
        service.submit_many(overdue())  # the connection of before is known to be gone
        fired = next(line for line in worker.stderr if "recalibration_missed" in line)
        worker.send_signal(signal.SIGTERM)
        out, _ = worker.communicate(timeout=60)

    assert json.loads(fired)["seq"] == 4
    assert (worker.returncode, out) == (0, "1 timer came back.\n")


def overdue() -> list[dict[str, Any]]:
    """An instrument that was released long ago."""
    actor = {"id": "m", "role": "metrologist"}
    start = {"workflow": "instrument_calibration", "patient": "p", "site": "north",
             "zone": "Europe/Vienna", "retrospective": True}  # fmt: skip
    data = {
        "deviation": {"value": "3", "unit": "um"},
        "room_temperature": {"value": "20", "unit": "Cel"},
    }
    told: list[dict[str, Any]] = [
        {"event": "course.enrolled", **start},
        {"event": "measurement_recorded", "data": data},
        {"event": "release_instrument"},
    ]
    return [
        {"format": 1, "id": f"{n}", "course": "gauge", "at": f"2009-03-02T0{n}:00:00Z",
         "actor": actor, **one}
        for n, one in enumerate(told)
    ]  # fmt: skip
