"""Structs of each API's wire shape, used by dialects and providers alike; they translate nothing."""
