"""Runs the migrations inside the transaction `portal.database.migrate` has opened."""

from __future__ import annotations

from alembic import context

from portal.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
