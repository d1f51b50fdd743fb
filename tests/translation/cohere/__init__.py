"""Cohere's chat, decoded and encoded."""
