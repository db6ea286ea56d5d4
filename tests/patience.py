"""How long tests wait for an event before they give up: a guard against hanging, never what a test is about."""

PATIENCE_S = 300.0
"""Seconds; long enough for the slowest event on a machine whose cores are all busy."""
