"""Screening: runs the checks that need other attempts or the gallery of faces. No gRPC."""
