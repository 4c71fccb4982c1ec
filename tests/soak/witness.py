"""What is in the database in the end, and whether it is what was acknowledged."""

from __future__ import annotations

import time

from sqlalchemy import func, select

from engine.store.sql import SqlStore, open_store
from engine.store.tables import deliveries, messages, records, timers
from tests.serve.process import run
from tests.soak.load import Load

PATIENCE = 60


def nothing_lost(load: Load, url: str) -> None:
    """Each acknowledged event is the record that was said, and each event is one record."""
    store = open_store(url)
    try:
        with store.reading.connect() as connection:
            asked = select(records.c.course, records.c.event_id, records.c.seq)
            held = {(row.course, row.event_id): row.seq for row in connection.execute(asked)}
            number = connection.scalar(select(func.count()).select_from(records))
    finally:
        store.close()
    lost = [one for one in load.acknowledged if held.get((one[0], one[1])) != one[2]]

    assert load.wrong == []
    assert lost == []
    assert len({(course, event) for course, event, _ in load.acknowledged}) == len(
        load.acknowledged
    )
    assert number == len(held)


def each_timer_fired_once(load: Load, store: SqlStore) -> None:
    """Of every course that was released, and of no other."""
    asked = select(records.c.course).where(records.c.event == "recalibration_missed")
    with store.reading.connect() as connection:
        fired = sorted(connection.scalars(asked))

    assert fired == sorted(load.released)


def settled(store: SqlStore) -> bool:
    """Whether no timer is left and nothing is left to deliver, within the patience."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with store.reading.connect() as connection:
            left = (
                connection.scalar(select(func.count()).select_from(timers)),
                connection.scalar(select(func.count()).where(messages.c.delivered_at.is_(None))),
                connection.scalar(select(func.count()).where(deliveries.c.next_at.is_not(None))),
            )
        if not any(left):
            return True
        time.sleep(0.3)
    return False


def said(store: SqlStore) -> dict[str, list[tuple[int, int]]]:
    """The messages of each course, in their order."""
    asked = select(messages.c.course, messages.c.seq, messages.c.n).order_by(
        messages.c.course, messages.c.seq, messages.c.n
    )
    found: dict[str, list[tuple[int, int]]] = {}
    with store.reading.connect() as connection:
        for row in connection.execute(asked):
            found.setdefault(row.course, []).append((row.seq, row.n))
    return found


def proved(url: str) -> None:
    """Verify and replay pass: the commands exit with 0."""
    run("verify", url=url)
    run("replay", "--re-decide", url=url)
