"""Records by how their events' ids begin: the index of event ids is in that order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from engine.store.sql import SqlStore
from engine.store.tables import records
from engine.told import Version

_VERSIONS = (
    select(records.c.event_id, records.c.event, records.c.seq, records.c.at, records.c.body)
    .where(
        records.c.tenant == bindparam("tenant"),
        records.c.course == bindparam("course"),
        records.c.event_id >= bindparam("first"),
        records.c.event_id < bindparam("after"),
    )
    .order_by(records.c.seq)
)


class SqlTold:
    """What was told, in a store's database."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def versions(self, tenant: str, course: str, prefix: str) -> Sequence[Version]:
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        asked = {"tenant": tenant, "course": course, "first": prefix, "after": after}
        with self._store.connection(write=False) as connection:
            return [Version(**row) for row in connection.execute(_VERSIONS, asked).mappings()]
