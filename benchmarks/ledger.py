"""Sealing, proofs at ten million records, and whether a writer notices that somebody seals.

The tree of ten million is built synthetically: leaves and nodes of made-up records, in bulk, in a
file of its own without guards. Proofs never look at records.
"""

from __future__ import annotations

import multiprocessing
import secrets
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from sqlalchemy import insert, text

from benchmarks.courses import KINDS, Kind
from benchmarks.engines import Bench, timed
from benchmarks.measure import Figure, Run, per_second
from benchmarks.writing import opened
from engine.core.merkle import Tree
from engine.feed import Feed
from engine.inspection import inspected
from engine.ledger import Ledger
from engine.store import migrate
from engine.store.checkpoints import SqlCheckpoints
from engine.store.feed import SqlFeed
from engine.store.ledger import SqlLedger
from engine.store.sql import SqlStore, open_store
from engine.store.tables import feed, records
from engine.store.tree import FLOOR
from tests.postgres import find_binaries, fresh_database, own_server

TENANT = "clinic"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MANY, FEW = 10_000_000, 10_000
A_COURSE = 40
"""Records of each made-up course."""

FASTEST_WRITER = 4_000
"""What `submit_many` of the small workflow is to reach: sealing must keep up with it."""

MOST_MEMORY = 10
"""Megabytes that may be held while a tree of any size is gone through."""

MOST_GROWN = 2.0
"""How many times longer a proof or a sealing may take among a thousand times as many records."""


def figures(run: Run) -> Iterator[Figure]:
    """On both databases where it is written, on a file where it is only read."""
    store = opened(run.folder / "sealing.db")
    yield sealing(run, store)
    yield inspecting(store)
    yield writing_while_it_seals(run, store, f"sqlite:///{run.folder / 'sealing.db'}")
    store.close()
    with own_server(find_binaries(), fsync=True) as server, fresh_database(server) as url:
        store = open_store(url)
        migrate.upgrade(store.engine)
        yield sealing(run, store)
        yield inspecting(store)
        yield writing_while_it_seals(run, store, url)
        store.close()
    yield from among_many(run)


def sealing(run: Run, store: SqlStore) -> Figure:
    """Records of many courses that the feed speaks of, sealed as a worker does it."""
    many = run.of(20_000, 4_000)
    made_up(store, TENANT, 0, many)
    book = ledger(store, TENANT)
    began = time.perf_counter()
    sealed = book.seal()
    taken = time.perf_counter() - began
    if sealed != many:
        raise AssertionError(f"{sealed} of {many} were sealed")
    measured = many / taken
    return Figure(
        what=f"{_name(store)}, records sealed, {many:,} at once",
        measured=per_second(measured),
        wanted=per_second(FASTEST_WRITER),
        reached=measured >= FASTEST_WRITER,
    )


def inspecting(store: SqlStore) -> Figure:
    """What was just sealed, held against its records, as `verify` does it beside the courses."""

    def look() -> None:
        found = inspected(SqlLedger(store), SqlCheckpoints(store), TENANT)
        if found.flaws:
            raise AssertionError(found.flaws[0])

    taken, peak = _timed(look), _peak(look)
    with SqlLedger(store).reading(TENANT) as tree:
        size = tree.size()
    return Figure(
        what=f"{_name(store)}, {size:,} leaves held against their records, "
        f"with {peak:.1f} MB of memory at most",
        measured=per_second(size / taken),
        wanted=f"told; within {MOST_MEMORY} MB",
        reached=peak <= MOST_MEMORY,
    )


def writing_while_it_seals(run: Run, store: SqlStore, url: str) -> Figure:
    """One writer, event by event: alone, and while a worker seals every second.

    Unless it is told otherwise, a worker looks every five seconds.
    """
    kind = KINDS[0]
    bench, told = Bench(store), iter(range(10**6))
    alone, beside = list[float](), list[float]()
    for _ in range(run.of(8, 3)):
        alone += _steps(bench, kind, next(told))
        context = multiprocessing.get_context("spawn")
        ends, ready = context.Event(), context.Event()
        sealer = context.Process(target=_seal, args=(url, bench.tenant, ends, ready))
        sealer.start()
        ready.wait(60)
        beside += _steps(bench, kind, next(told))
        ends.set()
        sealer.join()
    usual, meanwhile = median(alone), median(beside)
    return Figure(
        what=f"{_name(store)}, a step while a worker seals every second against none, median",
        floor=f"{usual * 1e6:,.0f} µs",
        measured=f"{meanwhile * 1e6:,.0f} µs",
        ratio=f"{meanwhile / usual:.2f}",
        wanted="within 1.2 times",
        reached=meanwhile <= 1.2 * usual,
    )


def among_many(run: Run) -> Iterator[Figure]:
    """Proofs and sealing in a tree of ten million against one of ten thousand."""
    many = run.of(MANY, 200_000)
    few_store, few = synthetic(run.folder / "few.db", FEW)
    began = time.perf_counter()
    store, book = synthetic(run.folder / "many.db", many)
    built = time.perf_counter() - began
    size = (run.folder / "many.db").stat().st_size / many
    yield Figure(
        what=f"the tree of {many:,} records, built in {built:,.0f} s",
        measured=f"{size:,.0f} bytes a record",
        wanted="told, not judged",
        reached=True,
    )
    chance = Random(many)
    # A first one each compiles the statements.
    for one in (few, book):
        one.proofs("course-0", [1])
        one.consistency(1)
    found = book.proofs(f"course-{many // A_COURSE // 2}", [7])[0]
    yield _grown(
        f"a proof of one record of {many:,} against {FEW:,}: {len(found.proof)} hashes, "
        f"{32 * len(found.proof)} bytes",
        *_in_turns(
            run,
            lambda: few.proofs(f"course-{chance.randrange(FEW // A_COURSE)}", [7]),
            lambda: book.proofs(f"course-{chance.randrange(many // A_COURSE)}", [7]),
        ),
    )
    yield _grown(
        f"a proof that {many:,} records begin with some against {FEW:,}",
        *_in_turns(
            run,
            lambda: few.consistency(chance.randrange(1, FEW)),
            lambda: book.consistency(chance.randrange(1, many)),
        ),
    )
    courses = many // A_COURSE
    taken = _timed(lambda: book.heads(many))
    yield Figure(
        what=f"how far each of {courses:,} courses had come among {many:,} records, {taken:,.1f} s",
        measured=per_second(courses / taken),
        wanted="told, not judged",
        reached=True,
    )
    every = run.of(100_000, 20_000)
    taken = _timed(lambda: _proved(book, many, every))
    peak = _peak(lambda: _proved(book, many, every // 5))
    yield Figure(
        what=f"proofs in one pass among {many:,}, with {peak:.1f} MB of memory at most",
        measured=per_second(every / taken),
        wanted=f"told; within {MOST_MEMORY} MB",
        reached=peak <= MOST_MEMORY,
    )
    made_up(few_store, TENANT, FEW // A_COURSE, 2_000)
    made_up(store, TENANT, many // A_COURSE, 2_000)
    few_taken, taken = _timed(few.seal), _timed(book.seal)
    yield _grown(f"sealing 2,000 records after {many:,} against {FEW:,}", few_taken, taken)
    yield _grown(
        f"a checkpoint of {many:,} records against {FEW:,}",
        *_in_turns(run, lambda: few.root(FEW), lambda: book.root(many)),
    )
    few_store.close()
    store.close()


def synthetic(path: Path, many: int) -> tuple[SqlStore, Ledger]:
    """A ledger of made-up records: leaves and nodes alone."""
    store = opened(path)
    connection: Any = store.engine.raw_connection().driver_connection
    run = connection.execute
    for (name,) in run(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' "
        "AND tbl_name IN ('regimen_leaves', 'regimen_nodes')"
    ).fetchall():
        run(f"DROP TRIGGER {name}")
    run("PRAGMA synchronous=OFF")
    tree, batch = Tree(), 100_000
    for start in range(0, many, batch):
        leaves, nodes = [], []
        for place in range(start, min(start + batch, many)):
            salt = place.to_bytes(16, "big")
            leaf = sha256(salt).digest()
            course, seq = divmod(place, A_COURSE)
            leaves.append((TENANT, place, f"course-{course}", seq + 1, salt, leaf))
            nodes += [
                (TENANT, node.level, node.index, node.hash)
                for node in tree.append(leaf)
                if node.level >= FLOOR
            ]
        run("BEGIN")
        connection.executemany("INSERT INTO regimen_leaves VALUES (?, ?, ?, ?, ?, ?)", leaves)
        connection.executemany("INSERT INTO regimen_nodes VALUES (?, ?, ?, ?)", nodes)
        run("COMMIT")
    run("PRAGMA synchronous=FULL")
    run("INSERT INTO regimen_sealing VALUES (?, ?, 0, NULL, 0)", (TENANT, many))
    run("PRAGMA wal_checkpoint(TRUNCATE)")
    return store, ledger(store, TENANT)


def made_up(store: SqlStore, tenant: str, first: int, many: int) -> None:
    """Records of no content, as a writer leaves them once they have a place in the feed."""
    with store.engine.begin() as connection:
        asked = text("SELECT coalesce(max(position), 0) FROM regimen_feed WHERE tenant = :tenant")
        position = connection.scalar(asked, {"tenant": tenant}) or 0
        for start in range(0, many, 5_000):
            rows = [_record(tenant, first, n) for n in range(start, min(start + 5_000, many))]
            connection.execute(insert(records), rows)
            entries = [
                {
                    **{name: row[name] for name in ("tenant", "course", "seq", "recorded_at")},
                    "position": position + start + n,
                    "n": 1,
                    "kind": "course.changed",
                }
                for n, row in enumerate(rows, 1)
            ]
            connection.execute(insert(feed), entries)


def ledger(store: SqlStore, tenant: str) -> Ledger:
    """The ledger of a tenant, as a worker has it."""
    return Ledger(
        store=SqlLedger(store),
        checkpoints=SqlCheckpoints(store),
        feed=Feed(store=SqlFeed(store), tenant=tenant, clock=_Stopped()),
        clock=_Stopped(),
        salts=secrets.token_bytes,
    )


def _record(tenant: str, first: int, n: int) -> dict[str, Any]:
    course, seq = divmod(n, A_COURSE)
    name = f"course-{first + course}"
    body = f'{{"course":"{name}","seq":{seq + 1}}}'.encode()
    return {
        "tenant": tenant,
        "course": name,
        "seq": seq + 1,
        "event_id": f"e{seq}",
        "event": "measured",
        "verdict": "accepted",
        "at": NOW,
        "prev_hash": "0" * 64,
        "recorded_at": NOW + timedelta(seconds=n),
        "body": body,
        "hash": sha256(body).hexdigest(),
    }


def _steps(bench: Bench, kind: Kind, group: int) -> list[float]:
    """Seconds of each event of some courses, committed one by one."""
    told = chain.from_iterable(timed(kind.tell(f"s-{group}-{n}")) for n in range(6))
    return [_timed(lambda event=event: bench.submit((event,))) for event in told]


def _seal(url: str, tenant: str, ends: Any, ready: Any) -> None:  # noqa: ANN401  # of multiprocessing
    store = open_store(url)
    book = ledger(store, tenant)
    book.seal()
    ready.set()
    while not ends.is_set():
        book.seal()
        ends.wait(1)
    store.close()


def _in_turns(
    run: Run, few: Callable[[], object], many: Callable[[], object]
) -> tuple[float, float]:
    """What each usually takes, in turns: the machine is shared."""
    both = [(_timed(few), _timed(many)) for _ in range(run.of(400, 60))]
    return median(f for f, _ in both), median(m for _, m in both)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _grown(what: str, few: float, many: float) -> Figure:
    ratio = many / few
    return Figure(
        what=what,
        floor=f"{few * 1e3:,.2f} ms",
        measured=f"{many * 1e3:,.2f} ms",
        ratio=f"{ratio:.2f}",
        wanted=f"within {MOST_GROWN:g} times",
        reached=ratio <= MOST_GROWN,
    )


def _proved(book: Ledger, many: int, count: int) -> None:
    """So many proofs in one pass, from the middle on."""
    for _ in zip(range(count), book.every_proof(many, first=many // 2), strict=False):
        pass


def _peak(work: Callable[[], object]) -> float:
    """How many megabytes Python held at most for some work."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def _name(store: SqlStore) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[store.engine.dialect.name]


class _Stopped:
    """Made-up records are of one day."""

    def now(self) -> datetime:
        return NOW
