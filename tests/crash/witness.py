"""What a database holds of courses, and whether that is a whole part of what it should hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from engine.audit import Auditor
from engine.store.sql import SqlStore
from engine.store.tables import courses, messages, metadata, readings, records, texts
from tests.crash.process import Acknowledged
from tests.service.bench import Bench

TENANT = "default"
VOLATILE = {"tenant", "recorded_at", "delivered_at", "prev_hash", "hash", "salt", "sha256", "body"}
"""What differs from one telling of the same events to another: salts, times and what is of them."""

Rows = dict[str, set[tuple[Any, ...]]]


def contents(store: SqlStore) -> Rows:
    """The rows that come of records and stay, each with its course and record first."""
    found: Rows = {}
    with store.engine.connect() as connection:
        for table in (records, readings, messages, texts):
            names = [c.name for c in table.c if c.name not in {*VOLATILE, "course", "seq"}]
            names = ["course", "seq", *names, *(["body"] if "body" in table.c else [])]
            rows = connection.execute(select(*(table.c[name] for name in names)))
            found[table.name] = {tuple(map(_lasting, row)) for row in rows}
    return found


def everything(store: SqlStore) -> Rows:
    """Every row of every table, byte for byte."""
    with store.engine.connect() as connection:
        return {
            table.name: {tuple(row) for row in connection.execute(select(table))}
            for table in metadata.tables.values()
        }


def heads(store: SqlStore) -> dict[str, int]:
    """The courses, each with its last record."""
    with store.engine.connect() as connection:
        return dict(connection.execute(select(courses.c.course, courses.c.seq)).all())


def whole_part(store: SqlStore, full: Rows) -> bool:
    """Whether each course is there up to some record, with all that came of it and no more."""
    stands = heads(store)
    for table, rows in contents(store).items():
        expected = {row for row in full[table] if row[1] <= stands.get(row[0], 0)}
        assert rows - expected == set(), table
        assert expected - rows == set(), table
    return True


def kept(acknowledged: Sequence[Acknowledged], store: SqlStore) -> bool:
    """Whether everything that was acknowledged is there."""
    stands = heads(store)
    assert acknowledged
    assert [one for one in acknowledged if stands.get(one.course, 0) < one.seq] == []
    return True


def proved(store: SqlStore) -> bool:
    """Whether every course is verified, replays to its row, and would be decided so again."""
    auditor = Auditor(store=store, registry=Bench(store, TENANT).registry, tenant=TENANT)
    for course in heads(store):
        assert auditor.verify(course) is None
        assert auditor.decide_again(course) == []
    return True


def _lasting(value: Any) -> Any:
    """Of a record's bytes what does not depend on salt, time and what came before."""
    if not isinstance(value, bytes):
        return value
    said = json.loads(value)
    if "decision" in said:
        said = {name: said[name] for name in ("seq", "state", "verdict", "decision", "changes")}
    return json.dumps(said, sort_keys=True)
