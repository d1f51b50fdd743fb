"""What a kept response is good for: its input items page by page, and a conversation that goes on from it.

Pure functions over JSON values. Who may see a kept response, and where it lies, is the pipeline's business.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from penstock.core.errors import ShapeError
from penstock.core.turns import made_id

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "computer_call_output": "cuo",
    "local_shell_call_output": "lsho",
    "shell_call_output": "sho",
    "apply_patch_call_output": "apo",
    "mcp_approval_response": "mcpr",
}


def input_items(body: dict[str, Any], response_id: str) -> list[dict[str, Any]]:
    """The input of a request as a list of items, each with an id, oldest first. Raises ShapeError."""
    return [_complete(item, response_id, at) for at, item in enumerate(_items(body.get("input"), "input"))]


def item_page(
    items: list[dict[str, Any]],
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = DEFAULT_LIMIT,
    order: Literal["asc", "desc"] = "desc",
) -> dict[str, Any]:
    """One page of items, as `GET /v1/responses/{id}/input_items` answers.

    Raises ShapeError for a cursor that is none of the items, and for a limit that the API does not allow.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ShapeError("limit", f"a whole number from 1 to {MAX_LIMIT}")
    listed = items if order == "asc" else items[::-1]
    first, last = 0, len(listed)
    if after is not None:
        first = _at(listed, after, "after") + 1
    if before is not None:
        last = _at(listed, before, "before")
    # A page that is bounded by its end alone is the one right before it.
    from_end = before is not None and after is None
    page = listed[max(first, last - limit) : last] if from_end else listed[first:last][:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": max(0, last - first) > len(page),
    }


def joined(
    earlier_request: dict[str, Any], earlier_reply: dict[str, Any], request: dict[str, Any]
) -> dict[str, Any]:
    """The request with what `previous_response_id` stands for written out, and without that field.

    The earlier request is the one that was joined itself, where it went on from another. Its input and the
    output that it got come before the new input; its instructions, tools and settings are not carried over.
    References to earlier items are replaced by the items. Raises ShapeError.
    """
    response_id = earlier_reply.get("id")
    past = [
        *input_items(earlier_request, response_id if isinstance(response_id, str) else ""),
        *_items(earlier_reply.get("output"), "output"),
    ]
    by_id = {item["id"]: item for item in past if isinstance(item.get("id"), str)}
    new = [_resolved(item, by_id) for item in _items(request.get("input"), "input")]
    out = {name: value for name, value in request.items() if name != "previous_response_id"}
    out["input"] = [*past, *new]
    return out


def with_items(request: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The request with references to these items replaced by the items. Raises ShapeError."""
    return request | {"input": [_resolved(item, by_id) for item in _items(request.get("input"), "input")]}


def _items(value: Any, where: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    if not isinstance(value, list):
        raise ShapeError(where, "a string or a list")
    for at, item in enumerate(cast("list[Any]", value)):
        if not isinstance(item, dict):
            raise ShapeError(f"{where}[{at}]", "an object")
    return cast("list[dict[str, Any]]", value)


def _complete(item: dict[str, Any], response_id: str, at: int) -> dict[str, Any]:
    """The item as it is listed: with type and id, a message also with status and content parts."""
    kind = item.get("type")
    if not isinstance(kind, str):
        kind = "message" if "role" in item else "item_reference"
    out: dict[str, Any] = {"type": kind, **{name: value for name, value in item.items() if name != "type"}}
    if not isinstance(out.get("id"), str):
        out["id"] = made_id(_PREFIXES.get(kind, "item") + "_", response_id, at)
    if kind == "message":
        out.setdefault("status", "completed")
        content = out.get("content")
        if isinstance(content, str):
            role = out.get("role")
            text: dict[str, Any] = {"type": "input_text", "text": content}
            if role == "assistant":
                text = {"type": "output_text", "text": content, "annotations": []}
            out["content"] = [text]
    return out


def _resolved(item: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> dict[str, Any]:
    identity = item.get("id")
    is_reference = item.get("type") == "item_reference" or item.keys() <= {"id", "type"}
    return by_id.get(identity, item) if is_reference and isinstance(identity, str) else item


def _at(items: list[dict[str, Any]], identity: str, where: str) -> int:
    for at, item in enumerate(items):
        if item["id"] == identity:
            return at
    raise ShapeError(where, "the id of an item of this response")
