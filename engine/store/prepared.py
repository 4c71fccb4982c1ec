"""Statements as text, for those that every step sends: SQLAlchemy is asked once how to write them.

A step through SQLAlchemy's own execution costs a tenth more. Its events, its translation of errors
and its result are the same here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from engine.store.parameters import Parameters

Processor = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A statement as the driver takes it, and how each value is said to it."""

    text: str
    positional: bool
    values: Sequence[tuple[str, Processor]]

    def bound(self, asked: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a tuple or a mapping
        """The parameters as the driver takes them."""
        if self.positional:
            return tuple([asked[n] if say is None else say(asked[n]) for n, say in self.values])
        return {n: asked[n] if say is None else say(asked[n]) for n, say in self.values}


def send(connection: Connection, statement: Executable, asked: Parameters) -> CursorResult[Any]:
    """Run a statement once."""
    ready = _prepared(connection, statement, asked)
    return connection.exec_driver_sql(ready.text, ready.bound(asked))


def send_all(connection: Connection, statement: Executable, rows: Sequence[Parameters]) -> None:
    """Run a statement once for each of the rows."""
    if rows:
        ready = _prepared(connection, statement, rows[0])
        connection.exec_driver_sql(ready.text, [ready.bound(row) for row in rows])


def _prepared(connection: Connection, statement: Executable, asked: Parameters) -> Prepared:
    dialect = connection.dialect
    key = (statement, dialect.name, dialect.driver, dialect.paramstyle)
    known = _known.get(key)
    if known is None:
        compiled = statement.compile(dialect=dialect, column_keys=list(asked))  # type: ignore[attr-defined]  # whatever is executed can be compiled
        known = _known[key] = _of(compiled)
    return known


def _of(compiled: SQLCompiler) -> Prepared:
    dialect = compiled.dialect
    said = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    names = compiled.positiontup if compiled.positional else said
    return Prepared(
        text=str(compiled),
        positional=compiled.positional,
        values=tuple((name, said[name]) for name in names or ()),
    )


# A few dozen at most: of each statement, one for each way that a driver takes its parameters.
_known: dict[tuple[Executable, str, str, str], Prepared] = {}
