"""The messages of a request, by role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part, Thinking, ToolCall, ToolResult
from penstock.core.seals import from_id
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.calls import is_old, old_id
from penstock.shapes.openai_chat.content import read_content
from penstock.shapes.openai_chat.message import read_assistant
from penstock.shapes.taker import Taker

_ROLES = "a role: system, developer, user, assistant, tool or function"


def read_messages(t: Taker, shape: str) -> tuple[Message, ...]:
    """Take the messages out of a request."""
    items = t.objects("messages")
    if items is None:
        raise ShapeError("messages", "a list")
    return _numbered([_message(item, shape) for item in items])


def _numbered(messages: list[Message]) -> tuple[Message, ...]:
    """The messages with ids for each `function_call` and its result, which follow each other by name."""
    calls: Counter[str] = Counter()
    results: Counter[str] = Counter()
    for at, message in enumerate(messages):
        last = message.parts[-1] if message.parts else None
        extras = message.extras.fields if message.extras is not None else {}
        if isinstance(last, ToolCall) and is_old(last, SHAPE):
            calls[last.name] += 1
            named = replace(last, id=old_id(last.name, calls[last.name]))
        elif isinstance(last, ToolResult) and "~role" in extras:
            results[last.name] += 1
            named = replace(last, call_id=old_id(last.name, results[last.name]))
        else:
            continue
        messages[at] = replace(message, parts=(*message.parts[:-1], named))
    return tuple(messages)


def _message(t: Taker, shape: str) -> Message:
    role = t.need("role")
    reader = _READERS.get(role)
    if reader is None:
        raise ShapeError(t.path("role"), _ROLES)
    return reader(t, role, shape)


def _read_plain(t: Taker, role: Any, shape: str) -> Message:
    parts = read_content(t, shape)
    return Message(role, parts, _name(t), Extras(shape, t.rest))


def _name(t: Taker) -> str | None:
    """A participant's name. One that is empty says nothing."""
    return t.text("name") if t.rest.get("name") != "" else None


def _read_assistant(t: Taker, _: str, shape: str) -> Message:
    parts = unsealed(read_assistant(t, shape, t.where))
    return Message("assistant", parts, _name(t), Extras(shape, t.rest))


def unsealed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts with the vendors' own ids of the tool calls, and the thinking that travelled in them.

    The thinking of the first call begins the message, as it did where it came from.
    """
    out: list[Part] = []
    carried: list[Thinking] = []
    for part in parts:
        if isinstance(part, ToolCall):
            own_id, found = from_id(part.id)
            if own_id != part.id:
                at = _after_thinking(out) if not carried else len(out)
                out[at:at] = found.thinking
                carried += found.thinking
                out.append(replace(part, id=own_id, signature=found.signature))
                continue
        out.append(part)
    return _without_shown(out, carried) if carried else tuple(out)


def _after_thinking(parts: list[Part]) -> int:
    return next((at for at, part in enumerate(parts) if not isinstance(part, Thinking)), len(parts))


def _without_shown(parts: list[Part], carried: list[Thinking]) -> tuple[Part, ...]:
    """The plain thinking of a message less what came back sealed: a client sees it as one text."""
    out: list[Part] = []
    for part in parts:
        if isinstance(part, Thinking) and part.signature is None and part.sealed is None:
            text = part.text
            for sealed in carried:
                text = text.replace(sealed.text, "", 1) if sealed.text else text
            if not text.strip():
                continue
            part = replace(part, text=text)  # noqa: PLW2901 - the same part, shorter
        out.append(part)
    return tuple(out)


def _read_tool(t: Taker, role: str, shape: str) -> Message:
    content = read_content(t, shape)
    name = _name(t)
    if role == "function":
        t.rest["~role"] = role
        call_id = ""  # see _numbered
    else:
        call_id = from_id(t.text("tool_call_id") or "")[0] if t.rest.get("tool_call_id") else ""
    result = ToolResult(call_id, name or "", content)
    if name is not None and role != "function":
        t.rest["~named"] = True
    return Message("tool", (result,), extras=Extras(shape, t.rest))


_READERS: dict[str, Callable[[Taker, str, str], Message]] = {
    "system": _read_plain,
    "developer": _read_plain,
    "user": _read_plain,
    "assistant": _read_assistant,
    "tool": _read_tool,
    "function": _read_tool,
}
