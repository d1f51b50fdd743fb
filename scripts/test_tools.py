"""Prepare tools that tests use beyond Python packages."""
