"""Bringing a database to the newest schema and back. Alembic is imported here and nowhere else.

The migrations lie beside the engine in a wheel and beside its folder in the source tree. They keep
a version table of their own, so they live beside a host's migrations. Importing Alembic takes a
second: ask `schema` where only the version is of interest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from engine.store.schema import current, is_current, require_current

__all__ = ["current", "downgrade", "is_current", "require_current", "scripts", "upgrade"]


def upgrade(bind: Engine | Connection, revision: str = "head") -> None:
    """Migrate up, in one transaction; on a connection the caller commits."""
    _run(bind, lambda config: command.upgrade(config, revision))


def downgrade(bind: Engine | Connection, revision: str = "base") -> None:
    """Migrate down, in one transaction; down to `base` every course is lost."""
    _run(bind, lambda config: command.downgrade(config, revision))


def scripts() -> Path:
    """The folder of the migrations."""
    package = Path(__file__).parents[1]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(bind: Engine | Connection, step: Callable[[Config], None]) -> None:
    if isinstance(bind, Engine):
        with bind.begin() as connection:
            _run(connection, step)
        return
    # Alembic commits what it begins, so that it must find a transaction.
    if not bind.in_transaction():
        bind.begin()
    if bind.dialect.name == "postgresql":
        bind.execute(text("SELECT pg_advisory_xact_lock(hashtext('regimen migrate'))"))
    step(configuration(bind))
