"""An answer as a Messages client expects it: https://platform.claude.com/docs/en/api/messages/create."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import Document, Image, Opaque, Part, Text, Thinking, ToolCall, ToolResult
from penstock.dialects.anthropic.shown import shown
from penstock.ports.translation import Asked
from penstock.shapes.anthropic import SHAPE, own
from penstock.shapes.anthropic.blocks import write_blocks
from penstock.shapes.anthropic.finish import foreign_finish, write_finish
from penstock.shapes.anthropic.usage import write_usage
from penstock.shapes.taker import extras_of, put

_NOTHING = Choice()
# In an answer of this shape these are as the vendor said them.
_SAID = (Text, Thinking, Opaque, Image, Document, ToolResult)


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The message. Of several answers the first one: this API has no others."""
    choice = reply.choices[0] if reply.choices else _NOTHING
    if own(reply.extras):
        return _own(reply, choice)
    parts: tuple[Part, ...] = tuple([each for part in choice.parts for each in shown(part)])
    calls = any(isinstance(part, ToolCall) for part in parts)
    return {
        "id": message_id(asked),
        "type": "message",
        "role": "assistant",
        "model": reply.model or asked.model,
        "content": write_blocks(parts),
        "stop_reason": foreign_finish(choice.finish, calls=calls),
        "stop_sequence": choice.stop_sequence,
        "usage": write_usage(reply.usage, reply.service_tier),
    }


def message_id(asked: Asked) -> str:
    """The id of an answer that another vendor named, or nobody."""
    return "msg_" + asked.request_id.removeprefix("req_")


def _own(reply: ChatReply, choice: Choice) -> dict[str, Any]:
    body = extras_of(reply.extras, SHAPE)
    put(body, id=reply.id or None, model=reply.model or None)
    told = [(part,) if isinstance(part, _SAID) else shown(part) for part in choice.parts]
    body["content"] = write_blocks(tuple([part for parts in told for part in parts]))
    if choice.finish is not None:
        body["stop_reason"] = write_finish(choice.finish, choice.native)
    if choice.stop_sequence is not None:
        body["stop_sequence"] = choice.stop_sequence
    if reply.usage is not None:
        body["usage"] = write_usage(reply.usage, reply.service_tier)
    return body
