"""Runway."""
