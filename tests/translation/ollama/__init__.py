"""Ollama's own chat, decoded and encoded."""
