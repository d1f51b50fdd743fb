"""The parts of an answer as output items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.core.chat import ChatRequest, FunctionTool
from penstock.core.parts import (
    Audio,
    Image,
    Inline,
    Opaque,
    Part,
    Refused,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.seals import into_id
from penstock.core.turns import made_id
from penstock.shapes.openai_responses.calls import encode_call
from penstock.shapes.openai_responses.content import encode_part, encode_text
from penstock.shapes.openai_responses.items import encode_item
from penstock.shapes.openai_responses.names import SHAPE, is_own, item_id, mark
from penstock.shapes.openai_responses.reasoning import encode_reasoning

PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
    "image_generation_call": "ig",
}


class Items:
    """Makes output items, with ids that depend on the request and the item's place alone."""

    __slots__ = ("_customs", "_seed")

    def __init__(self, request: ChatRequest, request_id: str) -> None:
        self._seed = request_id
        self._customs = {
            tool.name for tool in request.tools if isinstance(tool, FunctionTool) and tool.type == "custom"
        }

    def id(self, kind: str, at: int) -> str:
        """The id of the item at this place."""
        return item_id(PREFIXES[kind], self._seed, at)

    def is_free_text(self, call: ToolCall) -> bool:
        """Whether a call is one of a free-text tool of which the vendor was told as a function."""
        return call.type == "function" and call.name in self._customs and not is_own(call.extras)

    def message(self, at: int, status: str) -> dict[str, Any]:
        """An empty message."""
        return {
            "id": self.id("message", at),
            "type": "message",
            "status": status,
            "content": [],
            "role": "assistant",
        }

    def call(self, call: ToolCall, at: int, status: str) -> dict[str, Any]:
        """A call of a tool."""
        out = encode_call(call)
        if is_own(call.extras):
            return out
        if self.is_free_text(call):
            out = {**out, "type": "custom_tool_call", "input": free_text(out.pop("arguments"))}
        elif call.type == "function":
            out["arguments"] = call.arguments or "{}"
        call_id = call.id or made_id("call_", self._seed, at)
        out["call_id"] = into_id(call_id, (), call.signature)
        out["id"] = self.id(out["type"], at)
        out["status"] = status
        return out

    def reasoning(self, thinking: Thinking, at: int) -> dict[str, Any]:
        """Thinking, readable as a summary; its seal goes where the API's own stands."""
        out = encode_reasoning(thinking)
        if not is_own(thinking.extras):
            out["id"] = self.id("reasoning", at)
        return out

    def image(self, image: Image, at: int) -> dict[str, Any] | None:
        """A picture that the model made, None where its data are elsewhere."""
        if not isinstance(image.source, Inline):
            return None
        return {
            "id": self.id("image_generation_call", at),
            "type": "image_generation_call",
            "status": "completed",
            "result": image.source.data,
        }

    def whole(self, part: Part, at: int) -> dict[str, Any] | None:
        """A part that is an item of its own, None for what stands in a message or cannot be said."""
        if isinstance(part, ToolCall):
            return self.call(part, at, "completed")
        if isinstance(part, Thinking):
            return self.reasoning(part, at)
        if isinstance(part, Image) and not is_own(part.extras):
            return self.image(part, at)
        return encode_item(part)


def free_text(arguments: str) -> str:
    """The text in the arguments of a function that stands for a free-text tool: its only string."""
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    if isinstance(value, dict):
        members: list[Any] = list(value.values())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if len(members) == 1 and isinstance(members[0], str):
            return members[0]
    return arguments


def content_of(part: Part) -> dict[str, Any] | None:
    """A part as it stands in a message's content, None where it does not belong there."""
    if isinstance(part, Audio):
        return _with_logprobs(Text(part.transcript)) if part.transcript else None
    if not isinstance(part, Text | Refused) and not _stood_in_message(part):
        return None
    return _with_logprobs(part) if isinstance(part, Text) else encode_part(part, "output_text")


def _with_logprobs(text: Text) -> dict[str, Any]:
    out = encode_text(text, "output_text")
    if not is_own(text.extras):
        out["logprobs"] = []
    return out


def _about(part: Part) -> tuple[dict[str, Any] | None, bool]:
    """Of which message a part of this shape is the first, or whether it is one more of the last."""
    if isinstance(part, Opaque):
        if part.shape != SHAPE:
            return None, False
        return part.value.get("~item"), bool(part.value.get("~more"))
    extras = part.extras
    return mark(extras, "~item"), bool(mark(extras, "~more"))


def _stood_in_message(part: Part) -> bool:
    about, more = _about(part)
    return about is not None or more


def encode_output(parts: Iterable[Part], items: Items, status: str) -> list[dict[str, Any]]:
    """The output of a whole response. Foreign neighbours that are text stand in one message."""
    out: list[dict[str, Any]] = []
    open_content: list[dict[str, Any]] | None = None
    for part in parts:
        about, _ = _about(part)
        content = content_of(part)
        if content is None:
            item = items.whole(part, len(out))
            if item is not None:
                out.append(item)
                open_content = None
            continue
        if about is not None or open_content is None:
            message = dict(about) if about is not None else items.message(len(out), status)
            open_content = message["content"] = []
            out.append(message)
        open_content.append(content)
    return out
