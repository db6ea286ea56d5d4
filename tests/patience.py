"""Timeouts of waits for events: a guard against hanging, never the subject of a test."""

PATIENCE_S = 300.0
"""Seconds; long enough for the slowest event on a machine whose cores are all busy."""
