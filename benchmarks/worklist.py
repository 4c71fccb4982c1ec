"""The first page of each worklist among 100,000 courses, against the least that a page can cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.crowd import SITES, TODAY, fill
from benchmarks.measure import Figure, Run
from benchmarks.writing import opened
from engine.listing import Listing
from engine.registry import Registry
from engine.store import migrate
from engine.store.sql import SqlStore, open_store
from engine.store.worklist import SqlLists
from engine.worklist import WORKLISTS, Ask, Worklists
from engine.zones import Zones
from tests.postgres import find_binaries, fresh_database, own_server

TENANT = "clinic"
MANY = 100_000
MOST = 25
"""How many times the floor a page may take: it is a join by key, and its items are judged."""

FLOOR = """
SELECT v.course, c.site, c.zone, c.state, v.name, v.number, v.earliest, v.target, v.latest
FROM regimen_visits v JOIN regimen_courses c ON c.tenant = v.tenant AND c.course = v.course
WHERE v.tenant = {0} AND v.earliest <= {0} ORDER BY v.earliest, v.course, v.name LIMIT 51
"""
"""A page of visits and nothing else, by the driver: an index, and each course by its key."""


def figures(run: Run) -> Iterator[Figure]:
    """Each list, for everybody and for one site, on both databases."""
    many = run.of(MANY, MANY // 10)
    store = opened(run.folder / "worklists.db")
    yield from _figures(run, store, many)
    store.close()
    with own_server(find_binaries(), fsync=False) as server, fresh_database(server) as url:
        store = open_store(url)
        migrate.upgrade(store.engine)
        yield from _figures(run, store, many)
        store.close()


def _figures(run: Run, store: SqlStore, many: int) -> Iterator[Figure]:
    fill(store, TENANT, many)
    calendars = Zones()
    worklists = Worklists(
        lists=SqlLists(store),
        tenant=TENANT,
        clock=_Stopped(),
        calendars=calendars,
        registry=Registry(),
    )
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[store.engine.dialect.name]
    floor = _floor(store)
    for listing in WORKLISTS:
        for sites in (None, frozenset(SITES[:1])):
            ask = Ask(listing=listing, as_of=TODAY, sites=sites)
            if sites is None and not worklists.page(ask).items:
                raise AssertionError(f"{listing} shows nothing")
            least, taken = _in_turns(floor, lambda ask=ask: worklists.page(ask), run.of(60, 15))
            where = "one site of 100" if sites else "every site"
            yield _figure(f"{name}, {_said(listing)}, {where}, {many:,} courses", least, taken)


def _floor(store: SqlStore) -> Callable[[], object]:
    """The bare query on a connection that is open already."""
    connection: Any = store.engine.raw_connection().driver_connection
    mark = "?" if store.engine.dialect.name == "sqlite" else "%s"
    statement = FLOOR.format(mark)
    return lambda: connection.execute(statement, (TENANT, TODAY.isoformat())).fetchall()


def _in_turns(
    floor: Callable[[], object], work: Callable[[], object], turns: int
) -> tuple[float, float]:
    floor(), work()
    both = [(_seconds(floor), _seconds(work)) for _ in range(turns)]
    # The best turn of each, which was disturbed least.
    return min(f for f, _ in both), min(w for _, w in both)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _figure(what: str, least: float, taken: float) -> Figure:
    ratio = taken / least
    return Figure(
        what=what,
        floor=f"{least * 1e3:,.2f} ms",
        measured=f"{taken * 1e3:,.2f} ms",
        ratio=f"{ratio:.1f}",
        wanted=f"within {MOST} times",
        reached=ratio <= MOST,
    )


def _said(listing: Listing) -> str:
    return listing.value.replace("_", " ")


class _Stopped:
    """No list that names a day asks what time it is."""

    def now(self) -> datetime:
        return datetime.min.replace(tzinfo=UTC)
