"""Error bodies of legacy completions APIs: those of chat completions."""

from __future__ import annotations

from penstock.providers.openai_chat.errors import read_error

__all__ = ["read_error"]
