"""The newest count of guards is kept, however many workers count at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from engine.counted import Report
from engine.store.guard_reports import SqlGuardReports
from engine.store.sql import SqlStore, open_store
from tests.service.bench import NOW


def report(hours: int, alarms: int = 0) -> Report:
    return Report(at=NOW + timedelta(hours=hours), alarms=alarms, document={"rules": []})


def test_a_report_takes_the_place_of_the_one_before_it(store: SqlStore, tenant: str):
    kept = SqlGuardReports(store)
    kept.keep(tenant, report(1))
    kept.keep(tenant, report(2, alarms=3))

    assert kept.last(tenant) == report(2, alarms=3)
    assert kept.last(f"{tenant}-b") is None


def test_of_two_workers_that_count_at_once_neither_fails(migrated_postgres_url: str, tenant: str):
    store, other = open_store(migrated_postgres_url), open_store(migrated_postgres_url)
    first, second = SqlGuardReports(store), SqlGuardReports(other)
    faster = threading.Thread(target=second.keep, args=(tenant, report(1)))

    def meanwhile(_: Any, __: Any, text: str, *___: Any) -> None:
        if text.startswith("INSERT"):
            faster.start()
            faster.join(1)  # or it waits until this one is through

    event.listen(store.engine, "before_cursor_execute", meanwhile)
    try:
        first.keep(tenant, report(2))
        faster.join(60)

        assert first.last(tenant) in (report(1), report(2))
    finally:
        store.close()
        other.close()
