"""Whoever is slow to say what it wants takes nothing from the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from engine.web.bodies import json_body
from engine.web.problems import Problem
from engine.web.promptness import PromptProtocol
from tests.web.conftest import House

SECONDS = 0.4


class Hasty(PromptProtocol):
    """For a test."""

    seconds = SECONDS


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once whatever is asked, and slowly at /slow; it reads no body."""
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * SECONDS)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(app: ASGIApp) -> AsyncIterator[Wire]:
    config = uvicorn.Config(app, http=Hasty, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Hasty(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


async def until_closed(wire: Wire, trickle: bytes = b"") -> float:
    """The seconds until the other end closes, while bytes trickle in."""
    reader, writer = wire
    began = time.monotonic()

    async def trickling() -> None:
        while trickle:
            writer.write(trickle)
            await asyncio.sleep(SECONDS / 8)

    task = asyncio.create_task(trickling())
    try:
        await asyncio.wait_for(reader.read(), timeout=20 * SECONDS)
    except ConnectionResetError:
        pass  # what was still coming was not read
    finally:
        task.cancel()
    return time.monotonic() - began


def run(work: Callable[[Wire], Awaitable[Any]], app: ASGIApp = answering) -> Any:
    async def running() -> Any:
        async with connected(app) as wire:
            return await work(wire)

    return asyncio.run(running())


async def answered(wire: Wire, sent: bytes) -> bytes:
    reader, writer = wire
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(2)


def test_a_connection_that_says_nothing_is_closed():
    assert SECONDS / 2 < run(until_closed) < 10 * SECONDS


def test_a_head_that_trickles_in_is_not_waited_for():
    async def slow(wire: Wire) -> float:
        wire[1].write(b"GET / HTTP/1.1\r\nHost: here\r\n")
        return await until_closed(wire, b"X-More: yes\r\n")

    assert SECONDS / 2 < run(slow) < 10 * SECONDS


def test_a_body_that_nobody_reads_any_more_is_not_waited_for():
    async def slow(wire: Wire) -> float:
        await answered(wire, b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n{")
        return await until_closed(wire, b" ")

    assert SECONDS / 2 < run(slow) < 10 * SECONDS


def test_an_answer_may_take_longer_than_the_question():
    async def patient(wire: Wire) -> bytes:
        return await answered(wire, b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")

    assert run(patient).startswith(b"HTTP/1.1 200")


def test_a_connection_is_used_again_after_a_rest():
    async def resting(wire: Wire) -> list[bytes]:
        found = []
        for _ in range(3):
            found.append(await answered(wire, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"))
            await asyncio.sleep(2 * SECONDS)
        return found

    assert [one[:12] for one in run(resting)] == [b"HTTP/1.1 200"] * 3


def test_a_request_that_says_twice_where_it_ends_is_the_last_of_its_connection(house: House):
    async def smuggled(wire: Wire) -> bytes:
        reader, writer = wire
        writer.write(
            b"POST /v1/courses HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /v1/problems HTTP/1.1\r\nHost: here\r\n\r\n"
        )
        return await reader.read()

    answer = run(smuggled, house.app)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def read(house: House, receive: Receive) -> Problem:
    """What becomes of a body that comes by these messages."""
    house.app.state.office = replace(
        house.office, limits=replace(house.office.limits, body_seconds=0.2)
    )
    scope = {
        "type": "http",
        "app": house.app,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"9")],
    }
    with pytest.raises(Problem) as raised:
        asyncio.run(json_body(Request(scope, receive)))
    return raised.value


def test_a_body_that_trickles_in_is_not_waited_for(house: House):
    async def trickling() -> Any:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b" ", "more_body": True}

    problem = read(house, trickling)

    assert (problem.name, problem.kind.status) == ("slow-body", 408)
    assert problem.headers == {"Connection": "close"}


def test_who_leaves_in_the_middle_of_a_body_is_no_fault_of_ours(house: House):
    async def leaving() -> Any:
        return {"type": "http.disconnect"}

    assert read(house, leaving).name == "malformed"
