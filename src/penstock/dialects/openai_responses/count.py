"""`POST /v1/responses/input_tokens`: the answer."""

from __future__ import annotations

from typing import Any


def encode_count(tokens: int) -> dict[str, Any]:
    """The number of tokens, as the API tells it."""
    return {"object": "response.input_tokens", "input_tokens": tokens}
