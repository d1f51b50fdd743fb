"""Vendors' Responses API: OpenAI, Azure, xAI, OpenRouter, and every server that follows the open specification."""
