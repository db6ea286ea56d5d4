"""Callers: who they are, and what they may call."""
