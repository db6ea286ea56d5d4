"""One question to the evidence per file."""
