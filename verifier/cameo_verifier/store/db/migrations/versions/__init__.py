"""One file for each step of the schema, oldest first by `down_revision`."""
