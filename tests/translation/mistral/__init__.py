"""Mistral's chat, which only a provider speaks."""
