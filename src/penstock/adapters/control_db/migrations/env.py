"""What Alembic runs for each upgrade: on the connection that holds the lock."""

from __future__ import annotations

from alembic import context

from penstock.adapters.control_db.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
