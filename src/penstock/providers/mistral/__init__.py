"""Mistral's chat completions: OpenAI's, with thinking and documents in the content and rules of their own.

Reference: https://docs.mistral.ai/api/#tag/chat.
"""

from __future__ import annotations

SHAPE = "mistral"
