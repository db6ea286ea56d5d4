"""One pass over a recording."""
