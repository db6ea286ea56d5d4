"""Model kit: opens and runs the networks; the only package that touches a model runtime."""
