"""Attempts: one call to one target, from its first byte to a whole answer or a failure."""
