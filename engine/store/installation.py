"""A database as it is found, and as it is brought to the tables of this engine.

What is not as it should be is said in words that help whoever installs: StoreUnavailable, never an
error of a driver that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from engine.errors import StoreUnavailable
from engine.store import checkup, schema
from engine.store.checkup import Found
from engine.store.drivers import driver
from engine.store.roles import grant_roles
from engine.store.sql import SqlStore
from engine.store.transaction import meaning

NOT_PRIVILEGED = "42501"
"""What PostgreSQL says to a role that may not do what it tried."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """Where a migration began and where it ended; `None` is a database without our tables."""

    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def migrated(
    store: SqlStore, *, app_role: str | None = None, auditor_role: str | None = None
) -> Migrated:
    """Bring the database to the newest tables, and give the roles what they may do with them.

    Raises StoreUnavailable, also when a newer engine has been there or we may not do this, and
    InvalidInput for roles of SQLite.
    """
    from engine.store import migrate  # noqa: PLC0415  # Alembic is slow to import

    with _understood(store):
        try:
            with store.engine.begin() as connection:
                before = schema.current(connection)
                if before is not None and before not in schema.REVISIONS:
                    schema.require_current(connection)
                migrate.upgrade(connection)
                if app_role is not None or auditor_role is not None:
                    grant_roles(connection, app=app_role, auditor=auditor_role)
                return Migrated(before, schema.current(connection))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != NOT_PRIVILEGED:
                raise
            said = f"{error.orig}".splitlines()[0]
            raise StoreUnavailable(f"{said}: migrate as its owner") from error


def examined(store: SqlStore) -> tuple[Found, ...]:
    """How the database is set up, as far as it can be seen. Raises StoreUnavailable."""
    with _understood(store), store.reading.begin() as connection:
        return tuple(checkup.examined(connection))


def missing_file(database_url: str) -> Path | None:
    """The SQLite file of a URL when there is none yet, or nothing in it."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or url.query.get("uri"):
        return None
    path = Path(url.database or "")
    try:
        return path if not path.exists() or (path.is_file() and _blank(path)) else None
    except PermissionError:  # nobody lets us look: whoever opens it is told
        return None


@contextmanager
def _understood(store: SqlStore) -> Iterator[None]:
    """Raises what an error of the database means, where that is known."""
    try:
        yield
    except DBAPIError as error:
        known = meaning(store.dialect, error, "", joined=False)
        if known is None:
            raise
        raise known from error


def _blank(path: Path) -> bool:
    """Whether nothing was made in a file yet: who made it may have been stopped at once."""
    if path.stat().st_size == 0:
        return True
    sqlite3 = driver()
    try:
        # It is not made, but what was written ahead may have to be brought into it.
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    except sqlite3.Error:
        return False
    try:
        return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.Error:  # no database, or locked: whoever uses it is told
        return False
    finally:
        connection.close()
