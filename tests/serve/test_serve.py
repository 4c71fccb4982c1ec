"""The service as a process: what it opens, how it ends, and that nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import select

from engine import bootstrap
from engine.settings import Settings
from engine.store.sql import open_store
from engine.store.tables import records
from engine.web.server import listening
from tests.postgres import Server, fresh_database
from tests.serve.process import Process, run, serving, start

WRITERS = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the tables."""
    if request.param == "sqlite":
        yield _migrated(f"sqlite:///{tmp_path}/courses.db")
        return
    server: Server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as url:
        yield _migrated(url)


def test_the_demonstration_is_open_at_this_machine_and_says_so(tmp_path: Path):
    with serving(url=None, folder=tmp_path) as service:
        courses = httpx2.get(f"{service.url}/v1/courses").json()["courses"]
        ready = httpx2.get(f"{service.url}/health/ready")
        page = httpx2.get(f"{service.url}/docs")

    assert "GAR-Z" in {one["course"] for one in courses}
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert "It is open to everybody at this machine, without a token." in service.said
    assert (tmp_path / "regimen-serve.db").exists()
    assert "src=" not in page.text
    assert "<link" not in page.text


def test_who_hangs_up_before_the_answer_ends_nothing(tmp_path: Path):
    chance = Random(1)
    with serving(url=None, folder=tmp_path) as service:
        address = urlsplit(service.url)
        for _ in range(1000):
            with socket.create_connection((address.hostname, address.port)) as caller:
                caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n")
                time.sleep(chance.uniform(0, 0.004))  # somewhere before, in and after the answer

        assert httpx2.get(f"{service.url}/health/live").status_code == 200
        service.send(signal.SIGTERM)
        assert service.ended() == 0


def test_the_demonstration_begins_again_with_what_it_has(tmp_path: Path):
    found: list[Any] = []
    for _ in range(2):
        with serving("--no-worker", url=None, folder=tmp_path) as service:
            found.append(httpx2.get(f"{service.url}/v1/courses/GAR-X/records").json())

    assert found[0] == found[1]


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_a_signal_ends_an_idle_service_at_once(tmp_path: Path, told: signal.Signals):
    with serving(url=None, folder=tmp_path) as service, httpx2.Client() as kept:
        kept.get(f"{service.url}/health/live")
        service.send(told)

        assert service.ended(within=10) == 0
        assert f'"signal": "{told.name}"' in service.said


def test_a_second_signal_does_not_wait_for_a_request_in_hand(tmp_path: Path):
    with serving(url=None, folder=tmp_path) as service, _unfinished(service):
        service.send(signal.SIGTERM)
        time.sleep(1)  # it waits for the request now
        service.send(signal.SIGTERM)

        assert service.ended(within=5) == 1


def test_a_request_that_never_ends_is_given_up_when_the_grace_is_over(tmp_path: Path):
    more = {"REGIMEN_GRACE": "1"}
    with serving(url=None, folder=tmp_path, more=more) as service, _unfinished(service):
        service.send(signal.SIGTERM)
        service.ended(within=20)


def test_what_was_acknowledged_before_the_end_is_there(url: str, tmp_path: Path):
    """Writers send without a pause; whatever was answered by 201 is a record, and only one."""
    chance = Random("the end of a service")
    acknowledged: list[tuple[str, str]] = []
    with serving("--no-worker", "--db", url, url=None, folder=tmp_path) as service:
        threads = [
            threading.Thread(target=_write, args=(service.url, number, acknowledged))
            for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(1 + chance.random())
        service.send(signal.SIGTERM)
        code = service.ended()
        for thread in threads:
            thread.join()

    assert code == 0, service.said
    assert "service_ended_with_work_in_hand" not in service.said
    assert len(acknowledged) > WRITERS
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(_recorded(url))


def _write(url: str, number: int, acknowledged: list[tuple[str, str]]) -> None:
    """Send the events of one course until the service is gone."""
    course = f"I-{number}"
    with httpx2.Client(base_url=url) as client:
        for event in _events(course):
            path = "/v1/courses" if "workflow" in event else f"/v1/courses/{course}/events"
            try:
                answer = client.post(path, json=event)
            except httpx2.HTTPError:
                return
            if answer.status_code != 201:
                return
            acknowledged.append((course, event["id"]))


def _events(course: str) -> Iterator[dict[str, Any]]:
    for n in itertools.count(1):
        event = {"format": 1, "id": f"e{n}", "at": datetime.now(UTC).isoformat(),
                 "actor": {"id": "m", "role": "metrologist"}}  # fmt: skip
        if n == 1:
            yield event | {"event": "course.enrolled", "course": course, "site": "north",
                           "workflow": "instrument_calibration", "patient": f"of-{course}",
                           "zone": "Europe/Vienna"}  # fmt: skip
        else:
            deviation = {"value": str(n % 4), "unit": "um"}
            yield event | {"event": "measurement_recorded", "data": {"deviation": deviation}}


def _recorded(url: str) -> list[tuple[str, str]]:
    store = open_store(url)
    with store.engine.connect() as connection:
        found = [
            tuple(row) for row in connection.execute(select(records.c.course, records.c.event_id))
        ]
    store.close()
    return found


def _unfinished(service: Process) -> socket.socket:
    """A connection whose request is never sent to its end."""
    host, port = service.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(
        b"POST /v1/courses HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    time.sleep(0.5)  # so that it was taken on
    return connection


def _migrated(url: str) -> str:
    bootstrap.migrate(Settings(database_url=url))
    return url


def test_nothing_is_open_and_the_start_says_how_the_first_token_is_made(url: str, tmp_path: Path):
    service = start("--port", "0", url=url, folder=tmp_path).up()
    try:
        paths = ("/v1/courses", "/metrics")
        closed = [httpx2.get(service.url + path).status_code for path in paths]
        first = ("--name", "operator", "--role", "administrator")
        made = run("token", "create", *first, "--json", url=url)
        held = {"Authorization": f"Bearer {json.loads(made)['text']}"}
        caller = httpx2.get(f"{service.url}/v1/caller", headers=held)
        figures = httpx2.get(f"{service.url}/metrics", headers=held)
        service.send(signal.SIGTERM)
        code = service.ended()
    finally:
        service.close()

    assert closed == [401, 401]
    assert "Create the first token on this machine" in service.said
    assert caller.json()["roles"] == ["administrator"]
    assert "regimen_database_up 1.0" in figures.text
    assert code == 0
    again = start("--port", "0", url=url, folder=tmp_path).up()
    again.close()
    assert "Create the first token" not in again.said


def test_an_answer_is_not_held_back_until_the_caller_acknowledges_its_first_part():
    """A kept connection took 40 ms for each answer while this was so."""
    with listening("127.0.0.1", 0) as listener:
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
        with accepted:
            assert asyncio.run(sends_at_once(accepted))


async def sends_at_once(connection: socket.socket) -> bool:
    """Whether asyncio switches the waiting off, as it does for what it knows to be TCP."""
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, connection)
    try:
        found = transport.get_extra_info("socket")
        return bool(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    finally:
        transport.close()
