"""Screening: the questions that need other attempts, and the gallery of faces. No gRPC."""
