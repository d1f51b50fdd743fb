"""Stores of answers that may be used again: in memory, in a file, in Redis."""
