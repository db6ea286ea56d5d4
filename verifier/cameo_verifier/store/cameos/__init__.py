"""Cameos: permissions, uses, removals, guardians, events, the likeness."""
