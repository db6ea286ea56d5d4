"""Who may use a likeness, and whose it is: what of it is pure."""
