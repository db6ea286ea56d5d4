"""Status lists of credentials: places in them, and their publication."""
