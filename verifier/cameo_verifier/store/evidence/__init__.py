"""Evidence under its subject's key, retention, and the audit log."""
