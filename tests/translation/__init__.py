"""Translators: between each API shape and the pivot, and from shape to shape."""
