"""Which events of a stream carry text, and in which field it is repeated in full at the end."""

from __future__ import annotations

from typing import Any, NamedTuple

ADDED = "response.output_item.added"
DONE = "response.output_item.done"
PART_ADDED = "response.content_part.added"
PART_DONE = "response.content_part.done"
ANNOTATION = "response.output_text.annotation.added"
TERMINAL = frozenset({"response.completed", "response.incomplete"})
EARLY = frozenset({"response.created", "response.queued", "response.in_progress"})
FAILED = frozenset({"response.failed", "response.cancelled"})


class Growing(NamedTuple):
    """A text that grows: what tells its place, the field that has it in full, and what it belongs to."""

    place: str
    full: str
    of: str


GROWING: dict[str, Growing] = {
    "response.output_text": Growing("content_index", "text", "text"),
    "response.refusal": Growing("content_index", "refusal", "refused"),
    "response.reasoning_text": Growing("content_index", "text", "thinking"),
    "response.reasoning_summary_text": Growing("summary_index", "text", "thinking"),
    "response.function_call_arguments": Growing("", "arguments", "call"),
    "response.custom_tool_call_input": Growing("", "input", "call"),
}
# Parts of reasoning, whose text is repeated when they end.
REASONING_PARTS = {
    "response.reasoning_summary_part.done": GROWING["response.reasoning_summary_text"],
    "response.reasoning_part.done": GROWING["response.reasoning_text"],
    PART_DONE: GROWING["response.reasoning_text"],
}
Place = tuple[int, str, int]


def place_of(event: dict[str, Any], growing: Growing) -> Place | None:
    """Where a text stands: the item, and its part, the first where none is named; None for no item."""
    item = event.get("output_index")
    part = event.get(growing.place) if growing.place else 0
    if part is None:
        part = 0
    if type(item) is not int or type(part) is not int:
        return None
    return item, growing.place, part


def without(item: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What is different about an object since it was told: `set` to another value, `gone`."""
    return {
        "set": {name: value for name, value in item.items() if name not in told or told[name] != value},
        "gone": [name for name in told if name not in item],
    }


def again(told: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The object that `without` compared."""
    out = {name: value for name, value in told.items() if name not in change["gone"]}
    out.update(change["set"])
    return out
