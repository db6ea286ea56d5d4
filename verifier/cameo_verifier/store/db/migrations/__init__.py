"""The history of the schema, run by Alembic when the database is opened."""
