"""The floor: raw drivers doing what every audited step must do, statement by statement.

Read the course, move it if nobody else did, insert the record, insert a message, commit. The bytes
are those that the engine wrote for the same events: the same rows, the same records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from engine.core.encoding import Json, canonical
from engine.core.history import folded
from engine.core.record import Record
from engine.store.drivers import driver

TABLES = """
CREATE TABLE courses (tenant text, course text, seq integer NOT NULL, row text NOT NULL,
    PRIMARY KEY (tenant, course));
CREATE TABLE records (tenant text, course text, seq integer, event_id text NOT NULL,
    hash text NOT NULL, body {bytes} NOT NULL,
    PRIMARY KEY (tenant, course, seq), UNIQUE (tenant, course, event_id));
CREATE TABLE messages (tenant text, course text, seq integer, body {bytes} NOT NULL,
    PRIMARY KEY (tenant, course, seq))
"""
STATEMENTS = {
    "read": "SELECT seq, row FROM courses WHERE tenant = ? AND course = ?",
    "open": "INSERT INTO courses (seq, row, tenant, course) VALUES (?, ?, ?, ?)",
    "move": "UPDATE courses SET seq = ?, row = ? WHERE tenant = ? AND course = ? AND seq = ?",
    "record": "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)",
    "message": "INSERT INTO messages VALUES (?, ?, ?, ?)",
}
SAID = b'{"about":"something","kind":"something.happened"}'


@dataclass(frozen=True, slots=True)
class Step:
    """What one step leaves behind."""

    course: str
    seq: int
    event_id: str
    hash: str
    body: bytes
    row: str


def steps(records: Iterable[Record]) -> Iterator[Step]:
    """What the engine wrote for the records of one course."""
    row = None
    for record in records:
        row = folded(row, record, json.loads(record.body))
        text = canonical(row).decode()
        yield Step(record.course, record.seq, record.event_id, record.hash, record.body, text)


class Floor:
    """One connection, and the statements in the words of its driver."""

    def __init__(
        self, connection: Json, run: Callable[..., Json], *, mark: str, begin: str, lock: str
    ) -> None:
        self._connection, self._run = connection, run
        self._begin = begin
        statements = {name: said.replace("?", mark) for name, said in STATEMENTS.items()}
        self._read = statements["read"] + lock
        self._open, self._move = statements["open"], statements["move"]
        self._record, self._message = statements["record"], statements["message"]

    def write(self, tenant: str, written: Sequence[Step]) -> None:
        """Each step in a transaction of its own."""
        for step in written:
            self._run(self._begin)
            self._write(tenant, step)
            self._run("COMMIT")

    def write_many(self, tenant: str, batches: Sequence[Sequence[Step]]) -> None:
        """Each batch in a transaction of its own."""
        for batch in batches:
            self._run(self._begin)
            for step in batch:
                self._write(tenant, step)
            self._run("COMMIT")

    def close(self) -> None:
        self._connection.close()

    def _write(self, tenant: str, step: Step) -> None:
        run, course = self._run, step.course
        found = run(self._read, (tenant, course)).fetchone()
        if found is None:
            run(self._open, (step.seq, step.row, tenant, course))
        elif run(self._move, (step.seq, step.row, tenant, course, found[0])).rowcount != 1:
            raise RuntimeError("the course has moved")
        run(self._record, (tenant, course, step.seq, step.event_id, step.hash, step.body))
        run(self._message, (tenant, course, step.seq, SAID))


def on_sqlite(path: Path) -> Floor:
    """One writer on a file of its own, as durable as the engine's."""
    connection = driver().connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(TABLES.format(bytes="blob"))
    return Floor(connection, connection.execute, mark="?", begin="BEGIN IMMEDIATE", lock="")


def on_postgres(url: str, *, make: bool = False) -> Floor:
    """One connection to the server; psycopg prepares what it is asked often."""
    connection = psycopg.connect(_conninfo(url), autocommit=True)
    if make:
        connection.execute(TABLES.format(bytes="bytea").encode())
    cursor = connection.cursor()
    return Floor(connection, cursor.execute, mark="%s", begin="BEGIN", lock=" FOR UPDATE")


def _conninfo(url: str) -> str:
    return url.replace("postgresql+psycopg:", "postgresql:")
