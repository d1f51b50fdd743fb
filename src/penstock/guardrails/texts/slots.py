"""The texts in a JSON value, each with its place and whoever says it.

One walk serves all API shapes: they differ in names of keys, not in how texts are nested. What is not known
to be something else is taken for text, so that a field which a vendor adds tomorrow is looked at, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from penstock.core.detector import Role
from penstock.wire.json_paths import Path, Step


class Slot(NamedTuple):
    """A text at a place of a JSON value. `json`: the text is itself JSON, as a call's arguments are.

    Where only a part of the string that stands there is meant, `of` is all of it and `at` where the part
    begins.
    """

    path: Path
    role: Role
    text: str
    json: bool = False
    at: int = 0
    of: str = ""


# At the top of a request, in all shapes.
_REQUEST: dict[str, Role] = {
    "system": "system",
    "systemInstruction": "system",
    "system_instruction": "system",
    "instructions": "system",
    "tools": "system",
    "toolConfig": "system",
    "functions": "system",
    "messages": "user",
    "contents": "user",
    "content": "user",
    "input": "user",
    "inputs": "user",
    "texts": "user",
    "prompt": "user",
    "negative_prompt": "user",
    "suffix": "user",
    "prediction": "user",
    "requests": "user",
    "query": "user",
    "documents": "context",
}
# At the top of an answer.
_REPLY: dict[str, Role] = {
    "choices": "assistant",
    "content": "assistant",
    "candidates": "assistant",
    "output": "assistant",
}
_SPEAKERS: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
_TYPES: dict[str, Role] = {
    "tool_result": "tool_result",
    "function_call_output": "tool_result",
    "custom_tool_call_output": "tool_result",
    "mcp_tool_result": "tool_result",
    "web_search_tool_result": "tool_result",
    "document": "context",
    "search_result": "context",
    "input_file": "context",
    "file": "context",
}
# Keys below which everything is a tool's own JSON: no key there is structure.
_TOOL_JSON: dict[str, Role] = {
    "args": "tool_call",
    "response": "tool_result",
    "json": "tool_result",
}
# Keys whose text is JSON; a Responses item of a custom tool calls its free text `input`.
_JSON_TEXT = frozenset({"arguments"})
_KEYS: dict[str, Role] = {
    "toolResult": "tool_result",
    "functionResponse": "tool_result",
    "function_response": "tool_result",
    "document": "context",
    "searchResult": "context",
    "cited_text": "context",
}
# Structure, names of things, sealed or binary data: never looked at, never changed.
_PASSED_OVER = frozenset(
    {
        "type", "role", "id", "call_id", "callId", "tool_call_id", "tool_use_id", "toolUseId", "item_id",
        "model", "media_type", "mime_type", "mimeType", "data", "bytes", "signature", "thoughtSignature",
        "thought_signature", "encrypted_content", "redactedContent", "file_id", "fileId", "file_data",
        "fileUri", "file_uri", "format", "detail", "cache_control", "cachePoint", "status", "object",
        "finish_reason", "finishReason", "stop_reason", "logprobs", "logprobsResult", "index", "container",
        "container_id", "previous_response_id", "phase", "safetyRatings", "citationMetadata", "usage",
        "strict",
    }
)  # fmt: skip
# Data in the place of an address.
_LINKS = frozenset({"url", "image_url", "imageUrl", "audio_url"})
MAX_DEPTH = 64


def request_slots(value: dict[str, Any]) -> list[Slot]:
    """The texts of a request's body, in order."""
    return [slot for key in value if key in _REQUEST for slot in _walk(value[key], (key,), _REQUEST[key], 0)]


def reply_slots(value: dict[str, Any]) -> list[Slot]:
    """The texts of an answer's body, in order."""
    return [slot for key in value if key in _REPLY for slot in _walk(value[key], (key,), _REPLY[key], 0)]


def slots_below(value: Any, path: Path, role: Role) -> list[Slot]:
    """The texts of any part of a request or answer."""
    return list(_walk(value, path, role, len(path)))


def json_slots(value: Any, role: Role) -> list[Slot]:
    """The texts of a tool's own JSON, whose keys mean nothing to us."""
    return list(_free(value, (), role, 0))


def _walk(value: Any, path: Path, role: Role, depth: int) -> Iterator[Slot]:
    if isinstance(value, str):
        if value:
            yield Slot(path, role, value)
    elif isinstance(value, list):
        if depth < MAX_DEPTH:
            for index, item in enumerate(cast("list[Any]", value)):
                yield from _walk(item, (*path, index), role, depth + 1)
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        yield from _walk_object(cast("dict[str, Any]", value), path, role, depth + 1)


def _walk_object(value: dict[str, Any], path: Path, role: Role, depth: int) -> Iterator[Slot]:
    kind, speaker = value.get("type"), value.get("role")
    if isinstance(speaker, str):
        role = _SPEAKERS.get(speaker, role)
    if isinstance(kind, str):
        role = _TYPES.get(kind, role)
    for key, item in value.items():
        if key == "data" and kind == "text":  # a document given as plain text
            yield from _walk(item, (*path, key), role, depth)
            continue
        if key in _PASSED_OVER or (key in _LINKS and isinstance(item, str) and item[:5] == "data:"):
            continue
        at = (*path, key)
        if key in _JSON_TEXT and isinstance(item, str):
            yield Slot(at, "tool_call", item, json=True)
        elif key in _TOOL_JSON and isinstance(item, dict | list):
            yield from _free(item, at, _TOOL_JSON[key], depth)
        elif key == "input" and (
            kind in ("tool_use", "server_tool_use", "custom_tool_call", "mcp_tool_use") or _is_tool_use(path)
        ):
            yield from _free(item, at, "tool_call", depth)
        else:
            yield from _walk(item, at, _KEYS.get(key, role), depth)


def _is_tool_use(path: Path) -> bool:
    return bool(path) and path[-1] == "toolUse"


def _free(value: Any, path: Path, role: Role, depth: int) -> Iterator[Slot]:
    if isinstance(value, str):
        if value:
            yield Slot(path, role, value)
        return
    if depth >= MAX_DEPTH:
        return
    items: list[tuple[Step, Any]] = []
    if isinstance(value, list):
        items = list(enumerate(cast("list[Any]", value)))
    elif isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).items())
    for step, item in items:
        yield from _free(item, (*path, step), role, depth + 1)
