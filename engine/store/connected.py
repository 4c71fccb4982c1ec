"""A connection for what is no course: begun, committed and translated as a course's are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.errors import StoreUnavailable
from engine.store.sql import SqlStore
from engine.store.transaction import meaning


@contextmanager
def connected(store: SqlStore, *, write: bool) -> Iterator[Connection]:
    """A transaction that commits when its block ends and rolls back when it raises.

    With `write=False` it sees one moment. Raises StoreUnavailable, also when the database is not
    migrated to what this engine needs.
    """
    try:
        with (store.engine if write else store.reading).begin() as connection:
            store.check(connection)
            yield connection
    except PoolTimeout as error:
        raise StoreUnavailable("every connection is in use: allow more, or ask less") from error
    except DBAPIError as error:
        known = meaning(store.dialect, error, "", joined=False)
        if known is None:
            raise
        raise known from error
