"""Checkpoints as stored: each as it was signed, and the lines that witnesses added to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, insert, select

from engine.core import note
from engine.core.ledger import Checkpoint
from engine.core.note import Head, Note, Signature, VerifierKey
from engine.errors import InvalidInput, LedgerDivergence
from engine.store.sql import SqlStore
from engine.store.tables import checkpoints, cosignatures

AT_ONCE = 500
"""How many checkpoints are read at once."""

LINE = " ledger"
"""What the line of those who write checkpoints is called by, after the tenant: no tenant is."""


class SqlCheckpoints:
    """The checkpoints of a store's tenants."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def add(
        self, tenant: str, head: Head, signed: Note, keys: Sequence[VerifierKey], at: datetime,
        *, after: int,
    ) -> Checkpoint | None:  # fmt: skip
        """Store a checkpoint as the next one after a number; 0 is before the first.

        `None`, and nothing is stored, where another is the last one by now.
        """
        with self._store.connection(line=tenant + LINE) as connection:
            before: int | None = connection.scalar(_LAST, {"its_tenant": tenant})
            if (before or 0) != after:
                return None
            number = after + 1
            connection.execute(
                insert(checkpoints),
                {
                    "tenant": tenant,
                    "number": number,
                    "at": at,
                    "origin": head.origin,
                    "size": head.size,
                    "root": head.root,
                    "note": signed.encode().decode(),
                    "signers": json.dumps([key.text() for key in keys]),
                },
            )
        return Checkpoint(number=number, at=at, head=head, note=signed, keys=tuple(keys))

    def cosign(
        self, tenant: str, number: int, lines: Iterable[tuple[VerifierKey, Signature]], at: datetime
    ) -> int:
        """Keep lines of witnesses with a checkpoint; how many were not there before."""
        with self._store.connection(line=tenant + LINE) as connection:
            asked = {"its_tenant": tenant, "number": number}
            there = set(connection.scalars(_WITNESSES, asked))
            row = {"tenant": tenant, "number": number, "at": at}
            found = {key.text(): one.text() for key, one in lines}
            rows = [{**row, "key": k, "line": one} for k, one in found.items() if k not in there]
            if rows:
                connection.execute(insert(cosignatures), rows)
            return len(rows)

    def last(self, tenant: str) -> Checkpoint | None:
        """The newest checkpoint. Raises LedgerDivergence where what is stored is none."""
        found = self._read(tenant, _NEWEST, {})
        return _sound(found[0][1]) if found else None

    def after(self, tenant: str, number: int = 0) -> list[Checkpoint]:
        """Some checkpoints beyond a number, in order. Raises as `last` does."""
        return [_sound(one) for _, one in self.readable(tenant, number)]

    def readable(
        self, tenant: str, number: int = 0
    ) -> list[tuple[int, Checkpoint | LedgerDivergence]]:
        """Some checkpoints beyond a number, in order; what is none tells why it is not."""
        return self._read(tenant, _AFTER, {"number": number, "limit": AT_ONCE})

    def _read(
        self, tenant: str, query: Select[Any], asked: Mapping[str, Any]
    ) -> list[tuple[int, Checkpoint | LedgerDivergence]]:
        with self._store.connection(write=False) as connection:
            rows = connection.execute(query, {"its_tenant": tenant, **asked}).mappings().all()
            lines = _lines(connection, tenant, [row["number"] for row in rows])
        return [(row["number"], _checkpoint(row, lines.get(row["number"], ()))) for row in rows]

    def keys(self, tenant: str) -> list[VerifierKey]:
        """Every key that signed a checkpoint, in the order in which they came."""
        with self._store.connection(write=False) as connection:
            found = connection.scalars(_KEYS, {"its_tenant": tenant}).all()
        return [
            VerifierKey.parse(key) for key in dict.fromkeys(k for f in found for k in json.loads(f))
        ]


_ITS: BindParameter[str] = bindparam("its_tenant")
_LAST = select(func.max(checkpoints.c.number)).where(checkpoints.c.tenant == _ITS)
_ALL = select(*checkpoints.c.values()).where(checkpoints.c.tenant == _ITS)
_NEWEST = _ALL.order_by(checkpoints.c.number.desc()).limit(1)
_AFTER = (
    _ALL.where(checkpoints.c.number > bindparam("number"))
    .order_by(checkpoints.c.number)
    .limit(bindparam("limit"))
)
_KEYS = (
    select(checkpoints.c.signers)
    .where(checkpoints.c.tenant == _ITS)
    .group_by(checkpoints.c.signers)
    .order_by(func.min(checkpoints.c.number))
)
_WITNESSES = select(cosignatures.c.key).where(
    cosignatures.c.tenant == _ITS, cosignatures.c.number == bindparam("number")
)
_LINES = (
    select(cosignatures.c.number, cosignatures.c.line, cosignatures.c.key)
    .where(
        cosignatures.c.tenant == _ITS,
        cosignatures.c.number.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(cosignatures.c.number, cosignatures.c.at, cosignatures.c.key)
)


def _lines(
    connection: Connection, tenant: str, numbers: list[int]
) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for number, line, key in connection.execute(_LINES, {"its_tenant": tenant, "numbers": numbers}):
        found.setdefault(number, []).append((line, key))
    return found


def _checkpoint(
    row: Mapping[Any, Any], lines: Sequence[tuple[str, str]]
) -> Checkpoint | LedgerDivergence:
    """A checkpoint of its row, whose columns say what the note says."""
    name, size = f"checkpoint {row['number']}", row["size"]
    try:
        added = "".join(line for line, _ in lines)
        signed = note.parse((row["note"] + added).encode(), unsigned=True)
        head = Head.parse(signed.text)
        keys = tuple(map(VerifierKey.parse, json.loads(row["signers"])))
        witnesses = [VerifierKey.parse(key) for _, key in lines]
    except (InvalidInput, ValueError, TypeError, AttributeError):
        return LedgerDivergence(size, f"{name} is none: it cannot be read")
    if (head.origin, head.size, head.root) != (row["origin"], size, bytes(row["root"])):
        return LedgerDivergence(size, f"{name} says other than its note")
    signers = {(one.name, one.key_id) for one in signed.signatures}
    if not all((key.name, key.id) in signers for key in (*keys, *witnesses)):
        return LedgerDivergence(size, f"{name} is not signed by whom it says")
    return Checkpoint(number=row["number"], at=row["at"], head=head, note=signed, keys=keys)


def _sound(found: Checkpoint | LedgerDivergence) -> Checkpoint:
    if isinstance(found, LedgerDivergence):
        raise found
    return found
