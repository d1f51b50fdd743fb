"""The list of models in each dialect's shape."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.errors import Refusal

_encode = msgspec.json.Encoder().encode
_EPOCH = "1970-01-01T00:00:00Z"
_METHODS = ["generateContent", "countTokens", "embedContent"]

# A model's name, and who owns it.
Entry = tuple[str, str]


def list_dialect(path: str, headers: dict[bytes, bytes]) -> str:
    """Whose list a client of `GET /v1/models` expects: its SDK's own headers tell."""
    if b"anthropic-version" in headers:
        return "anthropic"
    if b"x-goog-api-key" in headers or path.startswith(("/v1beta", "/v1alpha")):
        return "gemini"
    return "openai"


def entry_of(dialect: str, entry: Entry) -> dict[str, Any]:
    """One model. https://docs.anthropic.com/en/api/models, https://ai.google.dev/api/models."""
    name, owner = entry
    if dialect == "anthropic":
        # The SDK's types demand a lifecycle; what is listed here can be called.
        known = {"type": "model", "id": name, "display_name": name}
        return {**known, "created_at": _EPOCH, "lifecycle": "active"}
    if dialect == "gemini":
        return {
            "name": f"models/{name}",
            "version": "1",
            "displayName": name,
            "supportedGenerationMethods": _METHODS,
        }
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def list_body(dialect: str, entries: list[Entry]) -> bytes:
    """The whole list."""
    rows = [entry_of(dialect, entry) for entry in entries]
    if dialect == "anthropic":
        first, last = (entries[0][0], entries[-1][0]) if entries else (None, None)
        return _encode({"data": rows, "has_more": False, "first_id": first, "last_id": last})
    return _encode({"models": rows} if dialect == "gemini" else {"object": "list", "data": rows})


def entry_body(dialect: str, entries: list[Entry], name: str) -> bytes:
    """One entry. Raises Refusal."""
    for entry in entries:
        if entry[0] == name:
            return _encode(entry_of(dialect, entry))
    raise Refusal("unknown_model", f"no model {name!r} is listed for this key; see /v1/models", param="model")
