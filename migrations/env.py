"""Alembic's way in: it migrates the connection that `engine.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from engine.store.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # A host's tables are none of our business.
    include_name=lambda name, kind, _: kind != "table" or name in metadata.tables,
)
with context.begin_transaction():
    context.run_migrations()
