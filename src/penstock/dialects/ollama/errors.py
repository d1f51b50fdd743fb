"""Refusals and failures in Ollama's shape."""

from __future__ import annotations

import msgspec

_encode = msgspec.json.Encoder().encode


def error_body(code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:  # noqa: ARG001
    """The JSON body of an error answer; Ollama's errors are told apart by their status alone."""
    return _encode({"error": message, "code": code, "request_id": request_id})
