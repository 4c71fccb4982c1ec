"""What every table is made of: one metadata, names, and instants.

- Every key begins with what it would be sharded by: tenant, then course.
- Every name begins with `regimen_`, for the tables live beside a host's own.
- On SQLite, tables of short rows are kept in the order of their key: one tree less to write to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

PREFIX = "regimen_"
VERSION_TABLE = f"{PREFIX}alembic_version"


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, exact to the microsecond, in an order that the database can index.

    On SQLite it is text of one width, which sorts as time does and can be read without us.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        text = dialect.name == "sqlite"
        return dialect.type_descriptor(String(27) if text else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _text if dialect.name == "sqlite" else None

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002  # SQLAlchemy's
    ) -> Callable[[Any], datetime | None]:
        return _from_text if dialect.name == "sqlite" else _in_utc


def _text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


# Sorted by bytes, as Python sorts them, whatever the locale of the database.
Name = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()
