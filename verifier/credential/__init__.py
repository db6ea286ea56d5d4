"""Claims, keys, signature, envelope, validation."""
