"""Vendors' Responses API: OpenAI, Azure, xAI, OpenRouter, and whoever follows the open specification."""
