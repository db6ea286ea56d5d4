"""Processes that decode what strangers send, kept apart from whoever has keys, records and a network."""
