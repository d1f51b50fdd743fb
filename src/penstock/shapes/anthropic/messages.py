"""The conversation in a request: messages, and the system prompt that stands beside them."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part, Text, ToolCall, ToolResult
from penstock.core.seals import from_id
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.blocks import FORM, read_blocks, write_blocks
from penstock.shapes.taker import Taker, extras_of

# Marks the message that was the request's `system` member, unlike one of role system among the others.
PLACE = "~place"
_ROLES = ("user", "assistant", "system")


def read_system(taker: Taker) -> tuple[Message, ...]:
    """The `system` member as a message."""
    value = taker.rest.get("system")
    if value is None:
        return ()
    parts, form = _content(value, taker.path("system"))
    del taker.rest["system"]
    return (Message("system", parts, extras=Extras(SHAPE, {PLACE: "system", **form})),)


def read_messages(taker: Taker) -> tuple[Message, ...]:
    """The `messages` member."""
    members = taker.objects("messages")
    if members is None:
        raise ShapeError(taker.path("messages"), "a list")
    return tuple([_message(each) for each in members])


def _message(taker: Taker) -> Message:
    role = taker.need("role")
    if role not in _ROLES:
        raise ShapeError(taker.path("role"), "user, assistant or system")
    parts, form = _content(taker.any("content"), taker.path("content"))
    extras = {**taker.rest, **form}
    return Message(cast("Any", role), _carried(parts), extras=Extras(SHAPE, extras) if extras else None)


def _content(value: Any, where: str) -> tuple[tuple[Part, ...], dict[str, Any]]:
    if isinstance(value, str):
        return (Text(value),), {FORM: "text"}
    if isinstance(value, list):
        return read_blocks(cast("list[Any]", value), where, strict=True), {}
    raise ShapeError(where, "a string or a list")


def _carried(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts with what other vendors' seals travelled in the ids of tool calls."""
    out: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCall):
            call_id, carried = from_id(part.id)
            out += carried.thinking
            signature = carried.signature or part.signature
            out.append(replace(part, id=call_id, signature=signature) if call_id != part.id else part)
        elif isinstance(part, ToolResult):
            call_id, _ = from_id(part.call_id)
            out.append(replace(part, call_id=call_id) if call_id != part.call_id else part)
        else:
            out.append(part)
    return tuple(out)


def write_messages(messages: tuple[Message, ...], into: dict[str, Any]) -> None:
    """The `messages` and `system` members."""
    rest: list[dict[str, Any]] = []
    for message in messages:
        value = extras_of(message.extras, SHAPE)
        content = _written(message.parts, value.pop(FORM, None))
        if value.pop(PLACE, None) is not None:
            into["system"] = content
        else:
            rest.append({**value, "role": message.role, "content": content})
    into["messages"] = rest


def _written(parts: tuple[Part, ...], form: Any) -> Any:
    if form is not None and len(parts) == 1 and isinstance(parts[0], Text) and parts[0] == Text(parts[0].text):
        return parts[0].text
    return write_blocks(parts)
