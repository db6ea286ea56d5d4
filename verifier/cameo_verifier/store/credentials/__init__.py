"""Credentials and their statuses."""
