"""Items of the input or the output as messages of the pivot, one message an item."""

from __future__ import annotations

from typing import Any, cast, get_args

from msgspec.structs import replace

from penstock.core.chat import Message, Role
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Image, Opaque, Part, Refused, Text, Thinking, ToolCall
from penstock.shapes.openai_responses.calls import CALLS, OUTPUTS, decode_call, decode_output, encode_call
from penstock.shapes.openai_responses.content import decode_parts
from penstock.shapes.openai_responses.media import decode_made_image, encode_made_image
from penstock.shapes.openai_responses.names import SHAPE
from penstock.shapes.openai_responses.reasoning import decode_reasoning, encode_reasoning
from penstock.shapes.taker import Taker

_ROLES = frozenset(get_args(Role)) - {"tool"}
_OUTPUT_TYPES = frozenset(OUTPUTS.values())
# Items that answer what the model asked for, so that they are the user's turn.
_ANSWERS = frozenset({"mcp_approval_response", "additional_tools", "configuration_update"})


def decode_item(value: Any, where: str, *, strict: bool) -> Message:
    """One item. What is not known, or cannot be read in a vendor's reply, is kept as it came."""
    if not isinstance(value, dict):
        raise ShapeError(where, "an object")
    item = cast("dict[str, Any]", value)
    try:
        return _known(item, where, strict=strict)
    except ShapeError:
        if strict:
            raise
        return _opaque(item)


def _known(item: dict[str, Any], where: str, *, strict: bool) -> Message:
    kind = item.get("type")
    if kind == "message" or (kind is None and "role" in item):
        return _message(item, where, strict=strict)
    if kind == "reasoning":
        return Message("assistant", (decode_reasoning(item, where, strict=strict),))
    if not isinstance(kind, str):
        return _opaque(item)
    if kind in CALLS:
        carried, call = decode_call(item, where, strict=strict)
        return Message("assistant", (*carried, call))
    if kind in _OUTPUT_TYPES:
        return Message("tool", (decode_output(item, where, strict=strict),))
    if kind == "image_generation_call" and (image := decode_made_image(item)) is not None:
        return Message("assistant", (image,))
    return _opaque(item)


def encode_item(part: Part) -> dict[str, Any] | None:
    """A part that is an item of its own, with the fields it came with; None for what stands in a message."""
    if isinstance(part, ToolCall):
        return encode_call(part)
    if isinstance(part, Thinking):
        return encode_reasoning(part)
    if isinstance(part, Image):
        return encode_made_image(part)
    if isinstance(part, Opaque) and part.shape == SHAPE:
        return part.value
    return None


def _opaque(item: dict[str, Any]) -> Message:
    kind = item.get("type")
    answers = isinstance(kind, str) and (kind.endswith("call_output") or kind in _ANSWERS)
    return Message("user" if answers else "assistant", (Opaque(SHAPE, item),))


def _message(item: dict[str, Any], where: str, *, strict: bool) -> Message:
    taker = Taker(item, where, strict=strict)
    role = taker.rest.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        if strict and not isinstance(role, str):
            raise ShapeError(taker.path("role"), "a string")
        return _opaque(item)
    del taker.rest["role"]
    content = taker.rest.get("content")
    parts: tuple[Part, ...] = ()
    if isinstance(content, str):
        del taker.rest["content"]
        parts = (Text(content),) if content else ()
        taker.rest["~content"] = "text"
    elif isinstance(content, list):
        del taker.rest["content"]
        parts = decode_parts(cast("list[Any]", content), taker.path("content"), strict=strict)
        taker.rest["~content"] = "list"
    elif content is None:
        taker.rest["~content"] = "none"
    else:
        raise ShapeError(taker.path("content"), "a string or a list")
    return Message(cast("Role", role), parts, extras=Extras(SHAPE, taker.rest))


def decode_output_item(value: Any, where: str) -> tuple[Part, ...]:
    """One item of a reply as parts of the answer. The first part of a message remembers the message."""
    message = decode_item(value, where, strict=False)
    extras = message.extras
    if extras is None:
        return message.parts
    if extras.fields["~content"] != "list" or not message.parts:
        return (Opaque(SHAPE, value),)  # nothing of it can be shown in another shape
    about = {**extras.fields, "role": message.role}
    del about["~content"]
    return tuple([in_message(part, about if at == 0 else None) for at, part in enumerate(message.parts)])


def in_message(part: Part, about: dict[str, Any] | None) -> Part:
    """The part, marked as the first of a message of which this is known, or as one more of the last message."""
    name, value = ("~item", about) if about is not None else ("~more", True)
    if isinstance(part, Opaque):
        return Opaque(part.shape, {**part.value, name: value})
    if not isinstance(part, Text | Refused):
        # Media in an answer is nothing that the API documents; it is kept as this shape wrote it.
        extras = getattr(part, "extras", None)
        return replace(part, extras=Extras(SHAPE, {**(extras.fields if extras else {}), name: value}))  # type: ignore[call-arg]
    fields = part.extras.fields if part.extras is not None else {}
    return replace(part, extras=Extras(SHAPE, {**fields, name: value}))
