"""Errors of the legacy completions: OpenAI's shape."""

from __future__ import annotations

from penstock.dialects.openai_chat.errors import error_body

__all__ = ["error_body"]
