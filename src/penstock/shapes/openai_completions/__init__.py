"""OpenAI's legacy completions: https://platform.openai.com/docs/api-reference/completions."""

from __future__ import annotations

SHAPE = "openai.completions"
