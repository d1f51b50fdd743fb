"""Vendors that speak OpenAI's chat completions, as translators of whole conversations."""
