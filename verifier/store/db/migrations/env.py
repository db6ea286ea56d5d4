"""Run by Alembic, inside the transaction that `verifier.store.db.engine` opened."""

from alembic import context

from verifier.store.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
