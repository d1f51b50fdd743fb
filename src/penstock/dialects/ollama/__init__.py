"""Ollama's own API as its clients speak it."""
