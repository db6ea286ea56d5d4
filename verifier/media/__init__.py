"""Bytes to frames and 16 kHz sound, within limits."""
