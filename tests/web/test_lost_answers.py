"""Answers that are lost after the commit, on real connections: a repeat makes no second record."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
import uvicorn

from engine.client import ANY, AsyncClient, Client, GuardUndecided, Patience, Unreachable
from tests.web.conftest import House
from tests.web.test_client import ENROLMENT, RELEASE, measured

QUICK = Patience(total=20, first=0.01, longest=0.05)


@dataclass
class Wire:
    """A proxy that passes each request on, and loses the first `lost` answers."""

    upstream: int
    lost: int = 1
    passed: list[bytes] = field(default_factory=list)
    """The first line of each request that the service answered."""

    def carry(self, near: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.upstream)) as far:
            request = _request(near)
            far.sendall(request)
            answer = _all(far)
        self.passed.append(request.partition(b"\r\n")[0])
        if self.lost > 0:
            self.lost -= 1
            return  # committed, and nobody hears of it
        near.sendall(answer)


def _request(near: socket.socket) -> bytes:
    """A whole request, which asks the service to close the connection when it has answered."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += near.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next((line for line in lines if line.lower().startswith(b"content-length:")), b":0")
    while len(body) < int(length.partition(b":")[2]):
        body += near.recv(65536)
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


def _all(far: socket.socket) -> bytes:
    return b"".join(iter(lambda: far.recv(65536), b""))


@contextmanager
def running(house: House) -> Iterator[int]:
    """The service on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(house.app, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def wire(house: House) -> Iterator[tuple[Wire, str]]:
    with running(house) as port:
        carried = Wire(port)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                carried.carry(self.request)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as proxy:
            thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            yield carried, f"http://127.0.0.1:{proxy.server_address[1]}"
            proxy.shutdown()
            thread.join()


def test_a_lost_answer_is_got_by_a_repeat_and_there_is_one_record(
    house: House, wire: tuple[Wire, str]
):
    carried, url = wire
    with Client(url, patience=QUICK) as client:
        begun = client.enroll("I-1", ENROLMENT)
        carried.lost = 3
        measurement = client.submit("I-1", measured())
        carried.lost = 1
        released = client.submit("I-1", RELEASE, revision=measurement.revision)
        records = [one.record["event"]["event"] for one in client.records("I-1")]

    assert begun.replayed
    assert measurement.replayed
    assert released.state == "in_service"
    assert records == ["course.enrolled", "measurement_recorded", "release_instrument"]
    assert carried.passed.count(b"POST /v1/courses HTTP/1.1") == 2
    assert carried.passed.count(b"POST /v1/courses/I-1/events HTTP/1.1") == 6


def test_a_lost_refusal_is_the_same_refusal_and_one_record(house: House, wire: tuple[Wire, str]):
    carried, url = wire
    house.enrolled()
    with Client(url, patience=QUICK) as client, pytest.raises(GuardUndecided) as refused:
        client.submit("I-1", RELEASE, revision=1)

    assert refused.value.seq == 2
    assert len(carried.passed) == 2
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 2


def test_what_was_given_up_can_be_sent_again_by_its_key(house: House, wire: tuple[Wire, str]):
    carried, url = wire
    house.enrolled()
    carried.lost = 1000
    event = measured()
    with Client(url, patience=Patience(total=0.3, first=0.05, longest=0.05)) as client:
        with pytest.raises(Unreachable) as lost:
            client.submit("I-1", event)
        carried.lost = 0
        again = client.submit("I-1", replace(event, id=lost.value.key))

    assert again.replayed
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 2


def test_an_awaited_answer_that_is_lost_is_got_by_a_repeat(house: House, wire: tuple[Wire, str]):
    carried, url = wire
    house.enrolled()

    async def sent() -> tuple[bool, bool]:
        async with AsyncClient(url, patience=QUICK) as client:
            first = await client.submit("I-1", measured())
            carried.lost = 2
            second = await client.submit("I-1", RELEASE, revision=ANY)
        return first.replayed, second.replayed

    assert asyncio.run(sent()) == (True, True)
    assert house.client.get("/v1/courses/I-1").json()["seq"] == 3
