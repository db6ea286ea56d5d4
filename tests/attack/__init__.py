"""Attacks on a server that runs, and what an honest client sees meanwhile: `make attack`."""
