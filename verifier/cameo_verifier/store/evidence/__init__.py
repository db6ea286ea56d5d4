"""Evidence encrypted with its subject's key, retention, and the audit log."""
