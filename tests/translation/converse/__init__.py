"""Bedrock's Converse API: both sides of its translation."""
