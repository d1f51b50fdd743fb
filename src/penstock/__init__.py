"""Penstock: the gate between applications and every large language model they use."""

__version__ = "0.1.0"
