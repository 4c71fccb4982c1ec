"""Writers of one process take turns; those of others still meet at the file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from engine.store import migrate
from engine.store.drivers import driver
from engine.store.sql import SqlStore, open_store
from engine.store.turns import Turns
from tests.store.writing import TENANT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "courses.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{file}", wait=5, pool_size=20)
    migrate.upgrade(store.engine)
    yield store
    store.close()


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def in_line(store: SqlStore, many: int) -> None:
    """Wait until so many wait for their turn."""
    assert store.turns is not None
    for _ in range(2000):
        if len(store.turns._waiting) == many:
            return
        time.sleep(0.002)
    raise AssertionError(f"{len(store.turns._waiting)} of {many} are in line")


Work = Callable[[], object]


def by_step(store: SqlStore, work: Work = lambda: None) -> None:
    with store.transaction(TENANT):
        work()


def by_connection(store: SqlStore, work: Work = lambda: None) -> None:
    with store.connection():
        work()


def by_line(store: SqlStore, work: Work = lambda: None) -> None:
    with store.connection(line=TENANT):
        work()


@pytest.mark.parametrize("write", [by_step, by_connection, by_line])
def test_who_came_first_writes_first(store: SqlStore, write: Callable[[SqlStore, Work], None]):
    order: list[int] = []

    def writing(number: int) -> None:
        write(store, lambda: order.append(number))

    with store.transaction(TENANT):
        waiting = []
        for number in range(8):
            waiting.append(started(lambda number=number: writing(number)))
            in_line(store, number + 1)
    for one in waiting:
        one.join()

    assert order == sorted(order)


@pytest.mark.parametrize("write", [by_step, by_connection])
def test_who_waits_too_long_is_told_so_and_holds_nobody_up(
    file: Path, write: Callable[[SqlStore], None]
):
    store = open_store(f"sqlite:///{file}", wait=0.2)
    migrate.upgrade(store.engine)
    failed: list[StoreUnavailable] = []

    def impatient() -> None:
        with pytest.raises(StoreUnavailable) as raised:
            write(store)
        failed.append(raised.value)

    with store.transaction(TENANT):
        began = time.monotonic()
        started(impatient).join()
        waited = time.monotonic() - began
    write(store)
    store.close()

    assert len(failed) == 1
    assert 0.2 <= waited < 5


def test_a_writer_that_fails_hands_its_turn_on(store: SqlStore):
    class Mistake(Exception):
        """Somebody's."""

    for write in (store.transaction, lambda _: store.connection()):
        with pytest.raises(Mistake), write(TENANT):
            raise Mistake
        began = time.monotonic()
        by_step(store)
        assert time.monotonic() - began < 4


def test_a_writer_that_another_process_keeps_out_hands_its_turn_on(file: Path):
    store = open_store(f"sqlite:///{file}", wait=0.2)
    migrate.upgrade(store.engine)
    other = driver().connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for write in (by_step, by_connection):
        with pytest.raises(StoreUnavailable):
            write(store)
    other.execute("ROLLBACK")
    other.close()
    for write in (by_step, by_connection):
        write(store)
    store.close()


def test_readers_take_no_turn(store: SqlStore):
    with store.transaction(TENANT):
        reading = started(lambda: [by_reading(store), by_looking(store)])
        reading.join(timeout=4)

        assert not reading.is_alive()


def by_reading(store: SqlStore) -> None:
    with store.transaction(TENANT, write=False) as tx:
        assert tx.row("C-1") is None


def by_looking(store: SqlStore) -> None:
    with store.connection(write=False):
        pass


def test_a_turn_that_comes_as_the_time_is_up_is_handed_on():
    """However the last moments fall, the turn is never lost."""
    turns = Turns(1e-5)
    had: list[bool] = []

    def passing() -> None:
        for _ in range(500):
            came = turns.take()
            had.append(came)
            if came:
                time.sleep(1e-5)
                turns.give()

    crowd = [started(passing) for _ in range(8)]
    for one in crowd:
        one.join(timeout=20)

    assert {True, False} == set(had)
    assert (turns.take(), turns.take()) == (True, False)
    turns.give()
    assert turns.take()
