"""What guards did of late, in the database: the newest report of each tenant."""

from __future__ import annotations

import json

from sqlalchemy import bindparam, delete, insert, select

from engine.core.encoding import canonical
from engine.counted import Report
from engine.store.sql import SqlStore
from engine.store.tables import guard_reports

LINE = " guards"
"""What the line of those who keep reports is called by, after the tenant: no tenant is."""

_OF_TENANT = guard_reports.c.tenant == bindparam("its_tenant")
_LAST = select(guard_reports.c.at, guard_reports.c.alarms, guard_reports.c.document)
_LAST = _LAST.where(_OF_TENANT)


class SqlGuardReports:
    """Where reports are kept, each transaction its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def last(self, tenant: str) -> Report | None:
        """The newest report of a tenant. Raises StoreUnavailable."""
        with self._store.connection(write=False) as connection:
            found = connection.execute(_LAST, {"its_tenant": tenant}).first()
        if found is None:
            return None
        return Report(at=found.at, alarms=found.alarms, document=json.loads(found.document))

    def keep(self, tenant: str, report: Report) -> None:
        """Keep a report in place of the one before it. Raises StoreUnavailable."""
        row = {
            "tenant": tenant,
            "at": report.at,
            "alarms": report.alarms,
            "document": canonical(report.document).decode(),
        }
        # In line: another worker may count at the same time.
        with self._store.connection(line=tenant + LINE) as connection:
            connection.execute(delete(guard_reports).where(_OF_TENANT), {"its_tenant": tenant})
            connection.execute(insert(guard_reports), row)
