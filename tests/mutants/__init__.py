"""Mutation testing of what guards the product: a list of faults, each of which has tests that must fail."""
