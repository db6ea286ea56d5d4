"""Challenges: generate random words, digits and head turns for a person to perform. Standard library only, no IO."""
