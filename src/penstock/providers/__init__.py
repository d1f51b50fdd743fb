"""Vendor APIs: how requests are made for them and their answers read."""
