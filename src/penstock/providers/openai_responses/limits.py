"""Lengths that the API allows (https://platform.openai.com/docs/api-reference/responses/create)."""

from __future__ import annotations

from penstock.core.turns import made_id

_MAX_ID = 64


def short(value: str | None, prefix: str) -> str | None:
    """A name that is short enough: one that is too long becomes another, always the same."""
    return made_id(prefix, value) if value is not None and len(value) > _MAX_ID else value
