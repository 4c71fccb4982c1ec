"""Endpoints: where messages are sent, signed with what, and from where in the feed on.

A disabled endpoint keeps its place in the feed, and what is due to it; it is sent nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, null, select, update

from engine.core.encoding import instant_from, instant_text
from engine.log_entry import Entry
from engine.messages import Endpoint, Secret
from engine.store.access import append
from engine.store.sql import SqlStore
from engine.store.tables import deliveries, endpoints
from engine.store.writes import bound


class SqlWebhooks:
    """The endpoints of a store's tenants.

    What changes one takes the rows of the access log that say who did it, and writes both or none.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def add(self, tenant: str, endpoint: Endpoint, entries: Sequence[Entry] = ()) -> None:
        """Store an endpoint."""
        with self._store.connection() as connection:
            connection.execute(insert(endpoints), {"tenant": tenant, **_row(endpoint)})
            append(connection, entries)

    def all(self, tenant: str) -> Sequence[Endpoint]:
        """Every endpoint, oldest first."""
        with self._store.connection(write=False) as connection:
            found = connection.execute(_ENDPOINTS, {"its_tenant": tenant})
            return [_endpoint(row) for row in found.mappings()]

    def find(self, tenant: str, endpoint: str) -> Endpoint | None:
        """One endpoint."""
        with self._store.connection(write=False) as connection:
            return _found(connection, tenant, endpoint)

    def disable(
        self,
        tenant: str,
        endpoint: str,
        at: datetime,
        why: str,
        entries: Sequence[Entry] = (),
    ) -> bool:
        """Send it nothing from now on; whether there is one. Disabled twice, the first stands."""
        told = {"disabled_at": bound(endpoints.c.disabled_at), "disabled_why": bindparam("why")}
        with self._store.connection() as connection:
            found = locked(connection, tenant, endpoint)
            if found is not None and found.disabled_at is None:
                its = {"its_tenant": tenant, "its_endpoint": endpoint}
                connection.execute(CHANGE.values(told), {**its, "disabled_at": at, "why": why})
            if found is not None:
                append(connection, entries)
        return found is not None

    def enable(self, tenant: str, endpoint: str, entries: Sequence[Entry] = ()) -> bool:
        """Send to it again, from where it was; whether there is one."""
        cleared = {"disabled_at": null(), "disabled_why": null()}
        with self._store.connection() as connection:
            its = {"its_tenant": tenant, "its_endpoint": endpoint}
            if connection.execute(CHANGE.values(cleared), its).rowcount != 1:
                return False
            append(connection, entries)
            return True

    def renew(
        self,
        tenant: str,
        endpoint: str,
        secret: Secret,
        at: datetime,
        *,
        overlap: timedelta,
        entries: Sequence[Entry] = (),
    ) -> bool:
        """Sign with another secret, and for the overlap with those before too."""
        with self._store.connection() as connection:
            found = locked(connection, tenant, endpoint)
            if found is None:
                return False
            ends = at + overlap
            before = [
                Secret(text=one.text, until=ends if one.until is None else min(one.until, ends))
                for one in found.secrets
                if one.until is None or one.until > at
            ]
            its = {"its_tenant": tenant, "its_endpoint": endpoint}
            told = {"secrets": _secrets((secret, *before))}
            connection.execute(CHANGE.values({"secrets": bound(endpoints.c.secrets)}), its | told)
            append(connection, entries)
            return True

    def remove(self, tenant: str, endpoint: str, entries: Sequence[Entry] = ()) -> bool:
        """Forget an endpoint and its deliveries; whether there was one."""
        its = {"its_tenant": tenant, "its_endpoint": endpoint}
        with self._store.connection() as connection:
            if locked(connection, tenant, endpoint) is None:
                return False
            connection.execute(_FORGET, its)
            connection.execute(_REMOVE, its)
            append(connection, entries)
            return True


def locked(
    connection: Connection, tenant: str, endpoint: str, *, shared: bool = False
) -> Endpoint | None:
    """An endpoint that stays as it is until the transaction ends.

    Whoever changes which delivery of a course is the first holds its endpoint: what adds some
    alone, what ends one `shared` with others that end one.
    """
    asked = {"its_tenant": tenant, "its_endpoint": endpoint}
    row = connection.execute(_ENDPOINT.with_for_update(read=shared), asked).mappings().first()
    return None if row is None else _endpoint(row)


_COLUMNS = [column for column in endpoints.c if column.name != "tenant"]
_ENDPOINTS = (
    select(*_COLUMNS)
    .where(endpoints.c.tenant == bindparam("its_tenant"))
    .order_by(endpoints.c.created_at, endpoints.c.id)
)
_ITS = (endpoints.c.tenant == bindparam("its_tenant"), endpoints.c.id == bindparam("its_endpoint"))
_ENDPOINT = select(*_COLUMNS).where(*_ITS)
CHANGE = update(endpoints).where(*_ITS)
"""Of the endpoint `its_endpoint` of `its_tenant`."""

_REMOVE = delete(endpoints).where(*_ITS)
_FORGET = delete(deliveries).where(
    deliveries.c.tenant == bindparam("its_tenant"),
    deliveries.c.endpoint == bindparam("its_endpoint"),
)


def _found(connection: Connection, tenant: str, endpoint: str) -> Endpoint | None:
    asked = {"its_tenant": tenant, "its_endpoint": endpoint}
    row = connection.execute(_ENDPOINT, asked).mappings().first()
    return None if row is None else _endpoint(row)


def _row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "kinds": json.dumps(endpoint.kinds),
        "secrets": _secrets(endpoint.secrets),
        "position": endpoint.position,
        "created_at": endpoint.created_at,
        "disabled_at": endpoint.disabled_at,
        "disabled_why": endpoint.disabled_why,
    }


def _endpoint(row: RowMapping) -> Endpoint:
    secrets = [
        Secret(text=one["secret"], until=one["until"] and instant_from(one["until"]))
        for one in json.loads(row["secrets"])
    ]
    kinds = tuple(json.loads(row["kinds"]))
    return Endpoint(**{**row, "kinds": kinds, "secrets": tuple(secrets)})


def _secrets(secrets: Sequence[Secret]) -> str:
    return json.dumps(
        [{"secret": one.text, "until": one.until and instant_text(one.until)} for one in secrets]
    )
