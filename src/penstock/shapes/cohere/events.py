"""Where the pieces of a chat stream's events stand: the way to the innermost object, by the event's type.

https://docs.cohere.com/v2/docs/streaming
"""

from __future__ import annotations

from typing import Any, cast

PATHS: dict[str, tuple[str, ...]] = {
    "content-start": ("delta", "message", "content"),
    "content-delta": ("delta", "message", "content"),
    "tool-plan-delta": ("delta", "message"),
    "tool-call-start": ("delta", "message", "tool_calls"),
    "tool-call-delta": ("delta", "message", "tool_calls", "function"),
    "citation-start": ("delta", "message", "citations"),
    "message-end": ("delta",),
}
DONE = "~done"  # the stream's last line, `[DONE]`, which is not JSON


def inner(event: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    """The object at the end of the path, to be changed in place; None where there is none."""
    node: Any = event
    for name in path:
        node = cast("dict[str, Any]", node).get(name)
        if not isinstance(node, dict):
            return None
    return cast("dict[str, Any]", node)


def filled(event: dict[str, Any], path: tuple[str, ...], members: dict[str, Any]) -> dict[str, Any]:
    """A copy of the event with members added to the object at the end of the path."""
    copy = dict(event)
    node = copy
    for name in path:
        child = dict(cast("dict[str, Any]", node.get(name) or {}))
        node[name] = child
        node = child
    node.update(members)
    return copy
