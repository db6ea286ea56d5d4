"""The model kit: the only room that touches a model runtime."""
