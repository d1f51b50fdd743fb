"""Translators of Anthropic's Messages API."""
