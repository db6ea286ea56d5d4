"""Verifier: turns bytes into evidence, evidence into check results, results into a decision, and a decision into a credential."""
