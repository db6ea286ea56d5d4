"""Webhooks: endpoints, signed messages, delivery."""
