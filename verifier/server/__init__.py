"""The composition root and the only room that speaks gRPC."""
