"""How the statements of every step reach the database: as text that SQLAlchemy wrote once.

- On a host's connection they go through SQLAlchemy, so that the host's events, its tracing and its
  echo see all that is sent.
- On a connection of our own they go straight to the driver: nobody listens there, and half of what
  a statement costs would be spent on the way.

Parameters, results and errors are the same on both: by the types of the tables, and a `DBAPIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Connection, Dialect, Engine, Executable, SelectBase
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Asked = Mapping[str, Any]
Processor = Callable[[Any], Any] | None


class Channel(Protocol):
    """The way of a statement's text to the database, and of the rows back."""

    def rows(self, statement: Executable, asked: Asked) -> list[Sequence[Any]]:
        """Run a statement once; the rows that it gives."""

    def send(self, statement: Executable, asked: Asked) -> int:
        """Run a statement once; how many rows it touched."""

    def send_all(self, statement: Executable, rows: Sequence[Asked]) -> None:
        """Run a statement once for each of the rows."""

    def connection(self) -> Connection:
        """SQLAlchemy's connection, for what is no step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A statement as the driver takes it; how each value is said to it, and how it is read."""

    text: str
    positional: bool
    values: Sequence[tuple[str, Processor]]
    columns: Sequence[Processor]

    def bound(self, asked: Asked) -> Any:  # noqa: ANN401  # a tuple or a mapping
        """The parameters as the driver takes them."""
        if self.positional:
            return tuple([asked[n] if say is None else say(asked[n]) for n, say in self.values])
        return {n: asked[n] if say is None else say(asked[n]) for n, say in self.values}

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """Rows of the driver as their types say."""
        if not any(self.columns):
            return list(rows)
        return [
            [value if read is None else read(value) for read, value in zip(self.columns, row)]  # noqa: B905  # a column each, at every row
            for row in rows
        ]


class HostChannel:
    """Through a host's connection, as SQLAlchemy sends text."""

    __slots__ = ("_book", "_connection")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._book = _book_of(connection.dialect)

    def connection(self) -> Connection:
        return self._connection

    def rows(self, statement: Executable, asked: Asked) -> list[Sequence[Any]]:
        ready = self._book.prepared(statement, asked)
        found = self._connection.exec_driver_sql(ready.text, ready.bound(asked)).all()
        return ready.read(found)

    def send(self, statement: Executable, asked: Asked) -> int:
        ready = self._book.prepared(statement, asked)
        return self._connection.exec_driver_sql(ready.text, ready.bound(asked)).rowcount

    def send_all(self, statement: Executable, rows: Sequence[Asked]) -> None:
        if rows:
            ready = self._book.prepared(statement, rows[0])
            self._connection.exec_driver_sql(ready.text, [ready.bound(row) for row in rows])


class OwnChannel:
    """Straight to the driver of a connection from our pool, the beginning and the end included.

    One cursor serves a whole transaction: each statement is read to its end before the next.
    """

    __slots__ = ("_book", "_cursor", "_engine", "_errors", "_pooled", "_said")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._said: Connection | None = None
        self._errors = engine.dialect.loaded_dbapi.Error
        self._book = _book_of(engine.dialect)
        try:
            self._pooled = engine.raw_connection()
        except self._errors as error:
            raise _wrapped(engine.dialect, error, lost=False) from error
        try:
            self._cursor: Any = self._pooled.cursor()
        except self._errors as error:
            wrapped = self._wrapped(error)
            self._pooled.close()
            raise wrapped from error

    def begin(self, text: str) -> None:
        """Begin a transaction, which is committed here or ends with the connection."""
        try:
            self._cursor.execute(text)
        except self._errors as error:
            raise self._wrapped(error) from error

    def commit(self) -> None:
        """Commit what was begun, if anything was."""
        try:
            self._cursor.close()
            self._pooled.commit()
        except self._errors as error:
            raise self._wrapped(error) from error

    def connection(self) -> Connection:
        """The same connection for what is no step; its transaction is the one that was begun."""
        if self._said is None:
            self._said = Connection(self._engine, self._pooled)
        return self._said

    def close(self) -> None:
        """Give the connection back, which rolls back what is not committed."""
        (self._said or self._pooled).close()

    def rows(self, statement: Executable, asked: Asked) -> list[Sequence[Any]]:
        ready = self._book.prepared(statement, asked)
        try:
            self._cursor.execute(ready.text, ready.bound(asked))
            found = self._cursor.fetchall()
        except self._errors as error:
            raise self._wrapped(error) from error
        return ready.read(found)

    def send(self, statement: Executable, asked: Asked) -> int:
        ready = self._book.prepared(statement, asked)
        try:
            self._cursor.execute(ready.text, ready.bound(asked))
        except self._errors as error:
            raise self._wrapped(error) from error
        touched: int = self._cursor.rowcount
        return touched

    def send_all(self, statement: Executable, rows: Sequence[Asked]) -> None:
        if not rows:
            return
        ready = self._book.prepared(statement, rows[0])
        try:
            self._cursor.executemany(ready.text, [ready.bound(row) for row in rows])
        except self._errors as error:
            raise self._wrapped(error) from error

    def _wrapped(self, error: Any) -> DBAPIError:  # noqa: ANN401  # the driver's
        """The error as SQLAlchemy raises it; where the connection is gone, so are the pool's."""
        dialect = self._engine.dialect
        link: Any = self._pooled.driver_connection
        lost = dialect.is_disconnect(error, link, None)
        if lost:
            # What took this one took the others: without it each would fail once, when it is used.
            self._engine.pool._invalidate(self._pooled, error)  # noqa: SLF001  # as SQLAlchemy does, and it has no other name for it
        return _wrapped(dialect, error, lost=lost)


def _wrapped(dialect: Dialect, error: Any, *, lost: bool) -> DBAPIError:  # noqa: ANN401  # the driver's
    wrapped: DBAPIError = DBAPIError.instance(
        None,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    return wrapped


class Book:
    """The statements that a dialect has written so far: a few dozen at most."""

    def __init__(self, dialect: Dialect) -> None:
        # A dialect outlives its engine's connections, and the book goes with it.
        self._dialect = ref(dialect)
        self._written: dict[Executable, Prepared] = {}

    def prepared(self, statement: Executable, asked: Asked) -> Prepared:
        """The statement as text; `asked` names its parameters where it is seen first."""
        known = self._written.get(statement)
        if known is None:
            compiled = statement.compile(dialect=self._dialect(), column_keys=list(asked))  # type: ignore[attr-defined]  # whatever is executed can be compiled
            known = self._written[statement] = _of(compiled)
        return known


def _of(compiled: SQLCompiler) -> Prepared:
    dialect, statement = compiled.dialect, compiled.statement
    said = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    names = compiled.positiontup if compiled.positional else said
    asked_for = statement.selected_columns if isinstance(statement, SelectBase) else ()
    return Prepared(
        text=str(compiled),
        positional=compiled.positional,
        values=tuple((name, said[name]) for name in names or ()),
        columns=tuple(
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in asked_for
        ),
    )


def _book_of(dialect: Dialect) -> Book:
    book = _books.get(dialect)
    if book is None:
        book = _books[dialect] = Book(dialect)
    return book


_books: WeakKeyDictionary[Dialect, Book] = WeakKeyDictionary()
