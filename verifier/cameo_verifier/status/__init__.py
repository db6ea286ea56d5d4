"""Status lists of credentials: allotment of indices, and publication."""
