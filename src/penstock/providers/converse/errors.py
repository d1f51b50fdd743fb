"""Bedrock's error bodies: `{"message": …}`, with the exception's name in the header `x-amzn-errortype`."""

from __future__ import annotations

from typing import Any, cast

from penstock.shapes.converse.keep import object_of
from penstock.shapes.openai import ErrorShape


def read_error(body: bytes, error_type: str = "") -> ErrorShape:
    """The vendor's words. `error_type` is the header, which may go on after a colon with an address."""
    value = object_of(body.decode(errors="replace")) or {}
    named = error_type or _text(value, "__type", "code", "Code") or ""
    name = named.partition(":")[0].rpartition("#")[2].strip()
    return ErrorShape(message=_text(value, "message", "Message", "originalMessage"), type=name or None)


def _text(value: dict[str, Any], *names: str) -> str | None:
    for name in names:
        found = value.get(name)
        if isinstance(found, str) and found:
            return found
        if isinstance(found, dict):
            inner = cast("dict[str, Any]", found).get("message")
            if isinstance(inner, str):
                return inner
    return None
