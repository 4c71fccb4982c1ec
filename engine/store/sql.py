"""The store on SQLAlchemy Core: with an engine of its own, or on a host's transaction.

- `SqlStore` begins and commits. What the database says no to is translated narrowly: our own
  constraints and lost races are a Conflict, a database that cannot be used is StoreUnavailable,
  everything else is passed on as it is.
- `HostStore` joins. It sends no BEGIN, COMMIT, ROLLBACK, SAVEPOINT or PRAGMA, and retries nothing;
  after a Conflict that says `retriable` the host rolls back and runs its whole transaction again.
- An async session joins through its `run_sync`, which hands over the session inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, RegimenError, StoreUnavailable
from engine.store import postgres, sqlite
from engine.store.channel import HostChannel, OwnChannel
from engine.store.dialect import BEGINNING, TURNS, Dialect
from engine.store.drivers import require_same
from engine.store.schema import require_current
from engine.store.transaction import SqlTransaction, meaning
from engine.store.turns import Turns

DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.SQLITE,
    "postgresql": postgres.POSTGRESQL,
}


class SqlStore:
    """Courses in a database that is ours to connect to.

    `engine` comes from `sqlite.open_engine` or `postgres.open_engine`, which see to its settings;
    `open_store` chooses between them by a URL.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = DIALECTS[engine.dialect.name]
        self.reading = engine.execution_options(**{BEGINNING: self.dialect.reading})
        self.own = engine.execution_options(**{BEGINNING: None})
        self.turns: Turns | None = engine.get_execution_options().get(TURNS)
        self.checked = False

    def transaction(
        self, tenant: str, *, write: bool = True, alone: bool = False
    ) -> AbstractContextManager[SqlTransaction]:
        """A transaction that commits when its block ends and rolls back when it raises.

        With `write=False` it sees one moment throughout, and nothing can be written. With `alone`
        a lost race may show only when the block ends. A block that passed over an error of the
        database raises it when it ends. Raises StoreUnavailable, also when the database is not
        migrated to what this engine needs.
        """
        return _Own(self, tenant, write=write, alone=alone and write and self.dialect.lone)

    @contextmanager
    def connection(self, *, write: bool = True, line: str | None = None) -> Iterator[Connection]:
        """A transaction for what is no course: feed, endpoints, sites and the like.

        It commits when its block ends and rolls back when that raises. With `line`, the name of a
        tenant, one at a time of those that stand in it goes on. Raises StoreUnavailable.
        """
        turns = self.turns if write or line is not None else None
        engine = self.engine if write else self.reading
        if line is not None:
            engine = engine.execution_options(**{BEGINNING: self.dialect.standing})
        try:
            with engine.connect() as connection, _turn(turns), connection.begin():
                self.check(connection)
                if line is not None:
                    for statement in self.dialect.line:
                        connection.execute(statement, {"tenant": line})
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            _raise(self.dialect, error, "")

    def close(self) -> None:
        """Close the connections that wait for their next use."""
        self.engine.dispose()

    def check(self, connection: Connection) -> None:
        """Once: whether the database has the tables that this code needs."""
        if not self.checked:
            require_current(connection)
            self.checked = True


class HostStore:
    """Courses in a host's transaction, on its own Connection or Session.

    On SQLite the host's engine and a store of ours in the same process must use one SQLite: see
    `drivers`. A mixture is refused, since it would damage the file.
    """

    def __init__(self, bind: Connection | Session) -> None:
        self._bind = bind

    def transaction(
        self,
        tenant: str,
        *,
        write: bool = True,
        alone: bool = False,  # noqa: ARG002  # in a host's transaction nothing is alone
    ) -> AbstractContextManager[SqlTransaction]:
        """The host's transaction; when the block ends it goes on, and the host commits it."""
        return _Joined(self._bind, tenant, write=write)

    def close(self) -> None:
        """Nothing: the connection is the host's."""


def open_store(url: str, **options: Any) -> SqlStore:  # noqa: ANN401  # SQLAlchemy's
    """The store of a database URL such as `sqlite:///courses.db` or `postgresql://host/courses`.

    Nothing is connected yet. `options` are those of an engine, such as `pool_size`. Raises
    InvalidInput for another database and for an option that the store sets itself, and
    StoreUnavailable when the driver is not installed.
    """
    for name, why in _OURS.items():
        if name in options:
            raise InvalidInput(name, f"no such option, since {why}")
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput("database URL", "such as sqlite:///courses.db") from None
    match parsed.get_backend_name():
        case "sqlite":
            return SqlStore(sqlite.open_engine(parsed, **options))
        case "postgresql":
            return SqlStore(postgres.open_engine(parsed, **options))
        case other:
            raise InvalidInput("database URL", "sqlite or postgresql", found=other)


_OURS = {
    "isolation_level": "the store says itself how each transaction begins",
    "hide_parameters": "no error may show what was sent",
}
"""The options of an engine that nobody may choose, with the reason."""


class _Own:
    """A transaction from BEGIN to COMMIT, which go to the driver like the statements of a step."""

    __slots__ = ("_alone", "_channel", "_store", "_tenant", "_turns", "_tx", "_write")

    def __init__(self, store: SqlStore, tenant: str, *, write: bool, alone: bool) -> None:
        self._store, self._tenant, self._write, self._alone = store, tenant, write, alone
        self._turns = store.turns if write else None

    def __enter__(self) -> SqlTransaction:
        dialect = self._store.dialect
        try:
            self._channel = OwnChannel(self._store.own)
            try:
                _take(self._turns)
            except BaseException:
                self._channel.close()
                raise
            try:
                if not self._alone:
                    self._channel.begin(dialect.writing if self._write else dialect.reading)
                if not self._store.checked:
                    self._store.check(self._channel.connection())
            except BaseException:
                self._channel.close()
                _give(self._turns)
                raise
        except (DBAPIError, PoolTimeout) as error:
            _raise(dialect, error, "")
        self._tx = SqlTransaction(
            self._channel,
            self._tenant,
            dialect,
            write=self._write,
            alone=self._alone,
        )
        return self._tx

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._tx.finish()
                self._channel.commit()
        except DBAPIError as error:
            _raise(self._store.dialect, error, self._tx.course)
        finally:
            # It rolls back what is not committed. With a connection that is gone already nothing is
            # lost: what was committed is, and an error of the block must be heard.
            try:
                with suppress(DBAPIError):
                    self._channel.close()
            finally:
                _give(self._turns)


class _Joined:
    """A host's transaction for the time of a block."""

    __slots__ = ("_bind", "_tenant", "_write")

    def __init__(self, bind: Connection | Session, tenant: str, *, write: bool) -> None:
        self._bind, self._tenant, self._write = bind, tenant, write

    def __enter__(self) -> SqlTransaction:
        bind = self._bind
        connection = bind.connection() if isinstance(bind, Session) else bind
        dialect = DIALECTS.get(connection.dialect.name)
        if dialect is None:
            raise InvalidInput(
                "connection", "of sqlite or postgresql", found=connection.dialect.name
            )
        if connection.get_execution_options().get("schema_translate_map"):
            raise InvalidInput("connection", "no schema_translate_map: use the search path instead")
        if dialect is sqlite.SQLITE:
            require_same(connection)
        return SqlTransaction(
            HostChannel(connection),
            self._tenant,
            dialect,
            write=self._write,
            joined=True,
        )

    def __exit__(self, *_: Any) -> None:  # noqa: ANN401  # an exception, or three times None
        """Nothing: the transaction is the host's."""


@contextmanager
def _turn(turns: Turns | None) -> Iterator[None]:
    """A block in one's turn. Raises StoreUnavailable."""
    _take(turns)
    try:
        yield
    finally:
        _give(turns)


def _take(turns: Turns | None) -> None:
    """Raises StoreUnavailable where one's turn does not come in time."""
    if turns is not None and not turns.take():
        raise StoreUnavailable(
            "the file is locked by the writers before this one: send fewer events at once"
        )


def _give(turns: Turns | None) -> None:
    if turns is not None:
        turns.give()


def _raise(dialect: Dialect, error: DBAPIError | PoolTimeout, course: str) -> NoReturn:
    if isinstance(error, PoolTimeout):
        raise StoreUnavailable(
            "every connection is in use: send fewer events at once, or allow more connections"
        ) from error
    known: RegimenError | None = meaning(dialect, error, course, joined=False)
    if known is None:
        raise error
    raise known from error
