"""Alembic's environment, run inside the transaction that `cameo_verifier.store.db.engine` opened."""

from alembic import context

from cameo_verifier.store.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
