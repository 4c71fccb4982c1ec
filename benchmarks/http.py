"""The served API among many courses, against the library call underneath, in the same run.

On both databases; the PostgreSQL is one of our own that keeps what it acknowledges.

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
from benchmarks.crowd import TODAY, fill
from benchmarks.growth import MANY, crowded, following
from benchmarks.measure import Figure, Run, per_second, rate
from benchmarks.writing import opened
from engine import bootstrap
from engine.listing import Listing
from engine.settings import Settings
from engine.store import migrate
from engine.store.sql import SqlStore, open_store
from engine.worklist import Ask
from tests.postgres import find_binaries, fresh_database, own_server

CONNECTIONS = (1, 8, 32)
KIND = next(kind for kind in KINDS if kind.workflow == SMALL)
SERVING = re.compile(r"Serving on http://([\d.]+):(\d+),")
COMMAND = (sys.executable, "-c", "from engine.cli import main; main()")
CLINIC = "clinic"


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


@dataclass(frozen=True, slots=True)
class Served:
    """Where a service is, and a token for it."""

    host: str
    port: int
    token: str


def figures(run: Run) -> Iterator[Figure]:
    """Submit, summary and worklist at one connection and at more."""
    yield from _figures(run, "SQLite", opened(run.folder / "http.db"))
    with own_server(find_binaries(), fsync=True) as server, fresh_database(server) as url:
        store = open_store(url)
        migrate.upgrade(store.engine)
        yield from _figures(run, "PostgreSQL", store)


def _figures(run: Run, name: str, store: SqlStore) -> Iterator[Figure]:
    many = run.of(MANY, MANY // 10)
    yield from _events(run, name, store, many)
    yield from _lists(run, name, store, many)
    store.close()


def _events(run: Run, name: str, store: SqlStore, many: int) -> Iterator[Figure]:
    """Courses that were decided: another event, and how they stand."""
    bench = crowded(store, KIND, many)
    numbers, calls = count(), run.of(600, 200)

    def submit() -> None:
        bench.submit((following(KIND, next(numbers), 0),))

    def summary() -> None:
        bench.service.status(f"copy-{next(numbers)}")

    with _served(_settings(store, bench.tenant)) as served:
        yield from _compared(
            f"{name}, HTTP: submit, {many:,} courses", submit,
            lambda: _submission(next(numbers), served), served, calls,
        )  # fmt: skip
        yield from _compared(
            f"{name}, HTTP: summary, {many:,} courses", summary,
            lambda: _get(f"/v1/courses/copy-{next(numbers)}", served), served, calls,
        )  # fmt: skip


def _lists(run: Run, name: str, store: SqlStore, many: int) -> Iterator[Figure]:
    """The first page of those that are due now, at every site: a tenant of its own."""
    fill(store, CLINIC, many)
    settings = _settings(store, CLINIC)
    service = bootstrap.service(settings)
    worklists = bootstrap.worklists(service)
    ask = Ask(listing=Listing.DUE_NOW, as_of=TODAY)
    if not worklists.page(ask).items:
        raise AssertionError("nothing is due")
    path = f"/v1/worklists/{Listing.DUE_NOW.value}?as_of={TODAY}"
    with _served(settings) as served:
        yield from _compared(
            f"{name}, HTTP: worklist, {many:,} courses", lambda: worklists.page(ask),
            lambda: _get(path, served), served, run.of(150, 60),
        )  # fmt: skip
    service.store.close()  # type: ignore[attr-defined]  # a store of ours


def _compared(
    what: str,
    call: Callable[[], object],
    request: Callable[[], bytes],
    served: Served,
    number: int,
) -> Iterator[Figure]:
    _library(call, number // 4)  # so that both sides have compiled what they need
    _load(served, request, 1, number // 4)
    for connections in CONNECTIONS:
        floor = _library(call, number)
        found = _load(served, request, connections, number)
        yield _figure(f"{what}, {connections} at once", floor, found)


def _settings(store: SqlStore, tenant: str) -> Settings:
    url = store.engine.url.render_as_string(hide_password=False)
    return Settings(database_url=url, tenant=tenant)


def _figure(what: str, floor: float, found: Measured) -> Figure:
    return Figure(
        what=what,
        floor=per_second(floor),
        measured=str(found),
        ratio=f"{found.rate / floor:.2f}",
        wanted="told, not judged",
        reached=True,
    )


def _library(call: Callable[[], object], number: int) -> float:
    def work() -> None:
        for _ in range(number):
            call()

    return rate(number, work)


def _load(served: Served, request: Callable[[], bytes], connections: int, number: int) -> Measured:
    each = max(number // connections, 10)
    requests = [[request() for _ in range(each)] for _ in range(connections)]
    seconds: list[float] = []
    began = time.perf_counter()
    asyncio.run(_all(served, requests, seconds))
    return Measured(len(seconds) / (time.perf_counter() - began), seconds)


async def _all(served: Served, requests: Sequence[Sequence[bytes]], seconds: list[float]) -> None:
    await asyncio.gather(*(_one(served, mine, seconds) for mine in requests))


async def _one(served: Served, requests: Sequence[bytes], seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection(served.host, served.port)
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


def _submission(number: int, served: Served) -> bytes:
    event, _ = following(KIND, number, 0)
    body = json.dumps(event).encode()
    head = (
        f"POST /v1/courses/{event['course']}/events HTTP/1.1\r\nHost: here\r\n"
        f"Authorization: Bearer {served.token}\r\nContent-Type: application/json\r\nIf-Match: *\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _get(path: str, served: Served) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {served.token}\r\n\r\n"
    return head.encode()


@contextmanager
def _served(settings: Settings) -> Iterator[Served]:
    """A service that runs until the block ends."""
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
        yield Served(found[1], int(found[2]), json.loads(made.stdout)["text"])
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stderr.close()
