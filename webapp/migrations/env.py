"""Alembic's environment: always online, on the connection that `webapp.migrate` holds the lock with."""

from __future__ import annotations

from alembic import context

from webapp.migrations import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata.load(),
    include_object=metadata.include_object,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
