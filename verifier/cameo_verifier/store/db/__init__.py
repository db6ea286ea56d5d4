"""The database: engine, tables, migrations, batches of transactions."""
