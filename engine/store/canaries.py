"""What came of canary courses, in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import and_, bindparam, func, insert, select

from engine.core.encoding import canonical
from engine.flown import Flew, Flown
from engine.store.sql import SqlStore
from engine.store.tables import canaries, courses

_OF_TENANT = canaries.c.tenant == bindparam("tenant")
_NEWEST = (
    select(canaries.c.digest, func.max(canaries.c.at).label("at"))
    .where(_OF_TENANT)
    .group_by(canaries.c.digest)
    .subquery()
)
_LAST = (
    select(*(canaries.c[name] for name in ("digest", "workflow", "at", "sound", "flight")))
    .join(_NEWEST, and_(_NEWEST.c.digest == canaries.c.digest, _NEWEST.c.at == canaries.c.at))
    .where(_OF_TENANT)
    .order_by(canaries.c.workflow, canaries.c.digest)
)
_FLIGHTS = (
    select(canaries.c.digest, canaries.c.at, canaries.c.sound)
    .where(_OF_TENANT)
    .order_by(canaries.c.at.desc(), canaries.c.digest)
    .limit(bindparam("limit"))
)
_USED = (
    select(courses.c.digest)
    .distinct()
    .where(courses.c.tenant == bindparam("tenant"), courses.c.open)
)


class SqlCanaries:
    """Where flights are kept, each transaction its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def used(self, tenant: str) -> Sequence[str]:
        """The digests that open courses are pinned to. Raises StoreUnavailable."""
        with self._store.connection(write=False) as connection:
            return list(connection.scalars(_USED, {"tenant": tenant}))

    def last(self, tenant: str) -> Sequence[Flown]:
        """The newest flight of each definition, by workflow. Raises StoreUnavailable."""
        with self._store.connection(write=False) as connection:
            found = connection.execute(_LAST, {"tenant": tenant})
            return [
                Flown(
                    digest=digest,
                    workflow=workflow,
                    at=at,
                    sound=bool(sound),
                    flight=json.loads(flight),
                )
                for digest, workflow, at, sound, flight in found
            ]

    def flights(self, tenant: str, limit: int) -> Sequence[Flew]:
        """The newest flights of all definitions together. Raises StoreUnavailable."""
        with self._store.connection(write=False) as connection:
            found = connection.execute(_FLIGHTS, {"tenant": tenant, "limit": limit})
            return [Flew(digest=digest, at=at, sound=bool(sound)) for digest, at, sound in found]

    def keep(self, tenant: str, found: Flown) -> None:
        """Add a flight. Raises StoreUnavailable."""
        row = {
            "tenant": tenant,
            "digest": found.digest,
            "at": found.at,
            "workflow": found.workflow,
            "sound": found.sound,
            "flight": canonical(found.flight).decode(),
        }
        with self._store.connection(write=True) as connection:
            connection.execute(insert(canaries), row)
