"""The served API among many courses, against the library call underneath, in the same run.

The service is a process of its own, as `regimen serve` starts it, with a token. The clients are
connections of this process that send their next request when the last one is answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import quantiles

from benchmarks.courses import KINDS, SMALL
from benchmarks.growth import MANY, _crowd, _next
from benchmarks.measure import Figure, Run, per_second, rate
from engine import bootstrap
from engine.listing import Listing
from engine.settings import Settings
from engine.worklist import Ask

CONNECTIONS = (1, 8, 32)
KIND = next(kind for kind in KINDS if kind.workflow == SMALL)
SERVING = re.compile(r"Serving on http://([\d.]+):(\d+),")
COMMAND = (sys.executable, "-c", "from engine.cli import main; main()")
WORKLIST = Listing.MISSED


@dataclass(frozen=True, slots=True)
class Measured:
    """How many a second, and the seconds of each."""

    rate: float
    seconds: Sequence[float]

    def __str__(self) -> str:
        parts = quantiles(self.seconds, n=100)
        return (
            f"{per_second(self.rate)}, p50 {parts[49] * 1e3:.1f} ms, p99 {parts[98] * 1e3:.1f} ms"
        )


def figures(run: Run) -> Iterator[Figure]:
    """Submit, summary and worklist at one connection and at more."""
    many = run.of(MANY, MANY // 10)
    bench, store = _crowd(run, KIND, many)
    url = store.engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, tenant=bench.tenant)
    numbers = count()
    calls = run.of(600, 200)
    worklists = bootstrap.worklists(bench.service)

    def submit() -> None:
        bench.submit((_next(KIND, next(numbers), 0),))

    def summary() -> None:
        bench.service.status(f"copy-{next(numbers)}")

    def worklist() -> None:
        worklists.page(Ask(listing=WORKLIST))

    with _served(settings) as (host, port, token):
        for name, call, request in (
            ("submit", submit, lambda: _submission(next(numbers), token)),
            ("summary", summary, lambda: _get(f"/v1/courses/copy-{next(numbers)}", token)),
            ("worklist", worklist, lambda: _get(f"/v1/worklists/{WORKLIST.value}", token)),
        ):
            asked = calls if name != "worklist" else calls // 4
            _library(call, asked // 4)  # so that both sides have compiled what they need
            _load(host, port, request, 1, asked // 4)
            for connections in CONNECTIONS:
                floor = _library(call, asked)
                found = _load(host, port, request, connections, asked)
                yield _figure(f"{name}, {connections} at once, {many:,} courses", floor, found)
    store.close()


def _figure(what: str, floor: float, found: Measured) -> Figure:
    return Figure(
        what=f"HTTP: {what}",
        floor=per_second(floor),
        measured=str(found),
        ratio=f"{found.rate / floor:.2f}",
        wanted="told, not judged",
        reached=True,
    )


def _library(call: Callable[[], None], number: int) -> float:
    def work() -> None:
        for _ in range(number):
            call()

    return rate(number, work)


def _load(
    host: str, port: int, request: Callable[[], bytes], connections: int, number: int
) -> Measured:
    each = max(number // connections, 10)
    requests = [[request() for _ in range(each)] for _ in range(connections)]
    seconds: list[float] = []
    began = time.perf_counter()
    asyncio.run(_all(host, port, requests, seconds))
    return Measured(len(seconds) / (time.perf_counter() - began), seconds)


async def _all(
    host: str, port: int, requests: Sequence[Sequence[bytes]], seconds: list[float]
) -> None:
    await asyncio.gather(*(_one(host, port, mine, seconds) for mine in requests))


async def _one(host: str, port: int, requests: Sequence[bytes], seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
        body = await reader.readexactly(length)
        seconds.append(time.perf_counter() - began)
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise AssertionError(body.decode())
    writer.close()
    await writer.wait_closed()


def _submission(number: int, token: str) -> bytes:
    event, _ = _next(KIND, number, 0)
    body = json.dumps(event).encode()
    head = (
        f"POST /v1/courses/{event['course']}/events HTTP/1.1\r\nHost: here\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nIf-Match: *\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


@contextmanager
def _served(settings: Settings) -> Iterator[tuple[str, int, str]]:
    """The service's host, port and a token, until the block ends."""
    environment = {
        **os.environ,
        "REGIMEN_DATABASE_URL": settings.database_url,
        "REGIMEN_TENANT": settings.tenant,
        "REGIMEN_LOG_LEVEL": "warning",
        "REGIMEN_RATE": "100000",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    made = subprocess.run(
        [*COMMAND, "token", "create", "--name", "bench", "--role", "service",
         "--actor-role", "metrologist", "--json"],
        env=environment, capture_output=True, check=True,
    )  # fmt: skip
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--no-worker"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        found = next(match for line in process.stderr if (match := SERVING.search(line)))
        yield found[1], int(found[2]), json.loads(made.stdout)["text"]
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stderr.close()
