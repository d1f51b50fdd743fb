"""Vendors and servers that speak OpenAI's legacy completions."""
