"""Schema revisions, one file each, in the order of `down_revision`."""
