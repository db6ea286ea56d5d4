"""Verifier: bytes to evidence to checks to decision to credential."""
