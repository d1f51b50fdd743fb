"""Mistral's error bodies: `{"object": "error", …}`, `{"message": …}`, and FastAPI's `detail`."""

from __future__ import annotations

from penstock.providers.openai_chat.errors import read_error

__all__ = ["read_error"]
