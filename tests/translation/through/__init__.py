"""Whole requests through a gateway to upstreams of every API."""
