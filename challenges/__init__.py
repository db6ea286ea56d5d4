"""Challenges: what a person is asked to say and do. Standard library only, no IO."""
