"""Bytes to events and back, without input or output of its own."""
