"""The list of models in each dialect's shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import msgspec

from penstock.core.errors import Refusal

_encode = msgspec.json.Encoder().encode
_EPOCH = "1970-01-01T00:00:00Z"
MAX_PAGE = 1000
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


def list_body(dialect: str, entries: list[Entry], query: bytes = b"") -> bytes:
    """The whole list, or the page of it that Anthropic's and Google's clients ask for. Raises Refusal."""
    asked = parse_qs(query.decode("latin-1"))
    if dialect == "anthropic":
        return _encode(_anthropic_page(entries, asked))
    if dialect == "gemini":
        return _encode(_gemini_page(entries, asked))
    return _encode({"object": "list", "data": [entry_of(dialect, entry) for entry in entries]})


def _anthropic_page(entries: list[Entry], asked: dict[str, list[str]]) -> dict[str, Any]:
    """https://platform.claude.com/docs/en/api/models/list: before or after an id, which is not in the page."""
    size = _size(asked, "limit", len(entries))
    if "before_id" in asked:
        end = _place(entries, asked["before_id"][-1], "before_id")
        page, more = entries[max(0, end - size) : end], end > size
    else:
        after = asked.get("after_id")
        start = _place(entries, after[-1], "after_id") + 1 if after else 0
        page, more = entries[start : start + size], start + size < len(entries)
    first, last = (page[0][0], page[-1][0]) if page else (None, None)
    rows = [entry_of("anthropic", entry) for entry in page]
    return {"data": rows, "has_more": more, "first_id": first, "last_id": last}


def _gemini_page(entries: list[Entry], asked: dict[str, list[str]]) -> dict[str, Any]:
    """https://ai.google.dev/api/models#method:-models.list; a token is the name that a page goes on after."""
    size = _size(asked, "pageSize", len(entries))
    token = asked.get("pageToken")
    start = _place(entries, token[-1], "pageToken") + 1 if token else 0
    page = entries[start : start + size]
    out: dict[str, Any] = {"models": [entry_of("gemini", entry) for entry in page]}
    if page and start + size < len(entries):
        out["nextPageToken"] = page[-1][0]
    return out


def _size(asked: dict[str, list[str]], name: str, everything: int) -> int:
    """How many a client wants on a page; all of them where it does not say."""
    said = asked.get(name)
    if said is None:
        return everything
    if not said[-1].isascii() or not said[-1].isdigit() or not 1 <= int(said[-1]) <= MAX_PAGE:
        raise Refusal("invalid_type", f"{name} must be a number from 1 to {MAX_PAGE}", param=name)
    return int(said[-1])


def _place(entries: list[Entry], name: str, param: str) -> int:
    for at, entry in enumerate(entries):
        if entry[0] == name:
            return at
    raise Refusal("invalid_type", f"{param} names no model of this list; begin again without it", param=param)


def entry_body(dialect: str, entries: list[Entry], name: str) -> bytes:
    """One entry. Raises Refusal."""
    for entry in entries:
        if entry[0] == name:
            return _encode(entry_of(dialect, entry))
    raise Refusal("unknown_model", f"no model {name!r} is listed for this key; see /v1/models", param="model")
