"""A client's generateContent request as a ChatRequest."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, Message, Role
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part, Text, ToolResult
from penstock.core.seals import from_id
from penstock.dialects.gemini.config import read_config
from penstock.dialects.gemini.tools import read_choice, read_tools
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.calls import CallIds
from penstock.shapes.gemini.parts import read_parts
from penstock.shapes.gemini.reader import Reader

_ROLES: dict[str | None, Role] = {
    "user": "user",
    "model": "assistant",
    "assistant": "assistant",
    "function": "tool",
    "tool": "tool",
    "system": "system",
}
_TIERS = {"standard": "default", "flex": "flex", "priority": "priority"}


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request; `model` and `stream` are what the path says. Raises ShapeError."""
    try:
        return _request(Reader(body, strict=True), model, stream=stream)
    except RecursionError:
        raise ShapeError("", "less deeply nested") from None


def _request(reader: Reader, model: str, *, stream: bool) -> ChatRequest:
    ids = CallIds("request")
    system = _system(reader)
    messages = _messages(reader, ids)
    tools = read_tools(reader)
    choice = read_choice(reader)
    fields = read_config(reader)
    tier = reader.text("serviceTier")
    if tier is not None and _TIERS.get(tier) != tier:
        reader.note("tier", tier)
    return ChatRequest(
        model=model,
        messages=(*([system] if system is not None else ()), *messages),
        tools=tools,
        tool_choice=choice,
        stream=stream,
        service_tier=_TIERS.get(tier, tier) if tier is not None else None,
        metadata=_labels(reader),
        extras=reader.mark(),
        **fields,
    )


def _messages(reader: Reader, ids: CallIds) -> list[Message]:
    """The contents; a list without any stays in place, since the pivot does not tell it from none."""
    members = (reader.raw("contents") or []) if reader.rest.get("contents") else []
    messages: list[Message] = []
    empty: Message | None = None
    for at, member in enumerate(members):
        if member:
            messages.append(_message(reader.member(member, "contents", at), ids))
        else:  # refused by Google, and cheap to send in thousands
            empty = empty or _message(Reader(member), ids)
            messages.append(empty)
    return messages


def _system(reader: Reader) -> Message | None:
    given = reader.rest.get("systemInstruction")
    if isinstance(given, str):
        del reader.rest["systemInstruction"]
        return Message("system", (Text(given),), extras=Extras(SHAPE, {"~form": "string"}))
    content = reader.object("systemInstruction")
    return Message("system", _parts(content, CallIds("system")), extras=content.mark()) if content else None


def _parts(content: Reader, ids: CallIds) -> tuple[Part, ...]:
    return read_parts(content, ids)


def _message(content: Reader, ids: CallIds) -> Message:
    given = content.text("role")
    role = _ROLES.get(given, "user")
    if given not in ("user", "model"):
        content.note("role", given)
    parts = tuple([_unpacked(each) for each in _parts(content, ids)])
    return Message(role, parts, extras=content.mark())


def _unpacked(part: Part) -> Part:
    """A result without what travelled in its call's id, which the call itself has brought."""
    if isinstance(part, ToolResult) and "-ps1-" in part.call_id:
        call_id, _ = from_id(part.call_id)
        return ToolResult(
            call_id,
            part.name,
            part.content,
            part.value,
            part.is_error,
            signature=part.signature,
            extras=part.extras,
        )
    return part


def _labels(reader: Reader) -> dict[str, str] | None:
    labels = reader.rest.get("labels")
    if not isinstance(labels, dict) or not labels:
        return None
    named = cast("dict[str, Any]", labels)
    return reader.value("labels") if all(isinstance(each, str) for each in named.values()) else None
