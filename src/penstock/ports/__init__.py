"""Protocols that the packages above are written against; adapters and fakes implement them."""
