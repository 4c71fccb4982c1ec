"""Site calendars in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, select

from engine.clinic import SiteRow
from engine.log_entry import Entry
from engine.store.access import append
from engine.store.sql import SqlStore
from engine.store.tables import sites

_COLUMNS = (sites.c.site, sites.c.calendar, sites.c.changed_at)
_OF_TENANT = select(*_COLUMNS).where(sites.c.tenant == bindparam("tenant"))
OF_SITES = _OF_TENANT.where(sites.c.site.in_(bindparam("sites", expanding=True)))
_ALL = (
    _OF_TENANT.where(sites.c.site > bindparam("after"))
    .order_by(sites.c.site)
    .limit(bindparam("limit"))
)


class SqlSites:
    """The calendars of sites, each transaction its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def get(self, tenant: str, site: str) -> SiteRow | None:
        with self._store.connection(write=False) as connection:
            found = connection.execute(OF_SITES, {"tenant": tenant, "sites": [site]})
            row = found.mappings().first()
        return None if row is None else SiteRow(**row)

    def all(self, tenant: str, after: str = "", limit: int = 1000) -> Sequence[SiteRow]:
        with self._store.connection(write=False) as connection:
            asked = {"tenant": tenant, "after": after, "limit": limit}
            return [SiteRow(**row) for row in connection.execute(_ALL, asked).mappings()]

    def put(
        self,
        tenant: str,
        row: SiteRow,
        entries: Sequence[Entry] = (),
        *,
        unless: Callable[[SiteRow | None], bool] = lambda _: False,
    ) -> bool:
        values = {"calendar": row.calendar, "changed_at": row.changed_at}
        upsert = self._store.dialect.insert(sites).values(tenant=tenant, site=row.site, **values)
        # In line: of two who read the same one, the second finds what the first made of it.
        with self._store.connection(line=tenant) as connection:
            found = connection.execute(OF_SITES, {"tenant": tenant, "sites": [row.site]})
            before = found.mappings().first()
            if unless(None if before is None else SiteRow(**before)):
                return False
            connection.execute(
                upsert.on_conflict_do_update(index_elements=("tenant", "site"), set_=values)
            )
            append(connection, entries)
        return True
