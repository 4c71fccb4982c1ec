"""A short transaction beside those of courses, with the same words for a database in trouble."""

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
def work(store: SqlStore, *, write: bool = True) -> Iterator[Connection]:
    """A connection in a transaction that commits when its block ends.

    With `write=False` it sees one moment, and nothing can be written. Raises StoreUnavailable.
    """
    try:
        with (store.engine if write else store.reading).begin() as connection:
            store.check(connection)
            yield connection
    except PoolTimeout as error:
        raise StoreUnavailable("every connection is in use: allow more connections") from error
    except DBAPIError as error:
        known = meaning(store.dialect, error, "", joined=False)
        if known is None:
            raise
        raise known from error
