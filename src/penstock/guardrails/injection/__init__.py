"""Prompt injection and jailbreaks: text made readable, technique patterns, and a small linear classifier."""
