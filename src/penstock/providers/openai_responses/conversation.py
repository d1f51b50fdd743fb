"""The conversation as `instructions` and `input`."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ChatRequest, Message
from penstock.core.parts import (
    Audio,
    Document,
    Extras,
    FileRef,
    Image,
    Link,
    Opaque,
    Part,
    Refused,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.core.plain_turns import errors_in_words
from penstock.ports.translation import Addressee
from penstock.providers.openai_responses.limits import short
from penstock.shapes.openai_responses.calls import OUTPUTS
from penstock.shapes.openai_responses.content import encode_part
from penstock.shapes.openai_responses.items import encode_item
from penstock.shapes.openai_responses.names import SHAPE, is_made, is_own, mark, wire_fields

_SYSTEM = ("system", "developer")
_encode = msgspec.json.Encoder().encode


def encode_input(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The fields `instructions` and `input`; a string where the request of this shape had one."""
    instructions, rest = _instructions(request)
    out: dict[str, Any] = {} if instructions is None else {"instructions": instructions}
    form = mark(request.extras, "~input")
    if form == "none" and not rest:
        return out
    if form == "text" and len(rest) == 1 and isinstance(text := _content_as_text(rest[0]), str):
        out["input"] = text
        return out
    writer = _Writer(request, to)
    for message in rest if is_own(request.extras) else errors_in_words(rest, to.losses):
        writer.add(message)
    out["input"] = writer.items
    return out


def _instructions(request: ChatRequest) -> tuple[str | None, tuple[Message, ...]]:
    """What stands before the conversation: the field itself, or another dialect's leading system texts."""
    messages = request.messages
    own = is_own(request.extras)
    texts: list[str] = []
    at = 0
    for message in messages:
        if own:
            is_leading = at == 0 and mark(message.extras, "~instructions")
        else:
            is_leading = message.role in _SYSTEM and not is_own(message.extras) and bool(message.parts)
        if not is_leading or not all(isinstance(part, Text) for part in message.parts):
            break
        texts += [part.text for part in message.parts if isinstance(part, Text)]
        at += 1
    return ("\n\n".join(texts) if at else None), messages[at:]


def _content_as_text(message: Message) -> str | None:
    """The content of a message of this shape that had a string, where it still is one text."""
    if mark(message.extras, "~content") != "text":
        return None
    if not message.parts:
        return ""
    first = message.parts[0]
    return first.text if len(message.parts) == 1 and isinstance(first, Text) and not first.citations else None


def _extras(part: Part) -> Extras | None:
    return part.extras if isinstance(part, Image) else None


class _Writer:
    """Turns messages into items, in order."""

    __slots__ = ("_customs", "_ids", "_to", "items")

    def __init__(self, request: ChatRequest, to: Addressee) -> None:
        self.items: list[dict[str, Any]] = []
        self._to = to
        self._ids: dict[str, str] = {}
        self._customs = {
            part.id
            for message in request.messages
            for part in message.parts
            if isinstance(part, ToolCall) and part.type == "custom"
        }

    def add(self, message: Message) -> None:
        """The items of one message: calls, results and thinking are items of their own."""
        if message.name and not is_own(message.extras):
            self._to.losses.drop("message.name")
        if mark(message.extras, "~content") is not None:
            self._add_own(message)
            return
        content: list[dict[str, Any]] = []
        for part in message.parts:
            item = self._item(part)
            if item is not None:
                self._flush(message, content)
                content = []
                self.items.append(item)
            elif isinstance(part, ToolCall | ToolResult | Thinking | Opaque):
                continue
            elif mark(_extras(part), "~made"):
                self._to.losses.drop("image")  # a picture that another vendor made, under an id of ours
            elif (written := self._content(part, message.role)) is not None:
                content.append(written)
        self._flush(message, content)
        if not message.parts and message.role == "user":
            self.items.append({"role": "user", "content": ""})

    def _add_own(self, message: Message) -> None:
        """A message of this shape, whose opaque parts are content."""
        out = wire_fields(message.extras)
        out["role"] = message.role
        text = _content_as_text(message)
        if text is not None:
            out["content"] = text
        elif message.parts or mark(message.extras, "~content") == "list":
            parts = [self._content(part, message.role) for part in message.parts]
            out["content"] = [part for part in parts if part is not None]
        if is_made(out.get("id")):
            del out["id"]
        self.items.append(out)

    def _flush(self, message: Message, content: list[dict[str, Any]]) -> None:
        if not content:
            return
        role = "user" if message.role == "tool" else message.role
        only = content[0]
        plain = len(content) == 1 and (
            only.keys() == {"type", "text"} or (role == "assistant" and only["type"] == "output_text")
        )
        self.items.append({"role": role, "content": only["text"] if plain else content})

    def _item(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, ToolCall):
            return self._written(self._call(part))
        if isinstance(part, Thinking):
            seal = part.sealed or part.signature
            if (seal is not None and seal.signer != SHAPE) or (seal is None and not is_own(part.extras)):
                return None
        return self._written(part)

    def _written(self, part: Part) -> dict[str, Any] | None:
        """The item; without its id where the gateway made that, which the vendor would look up in vain."""
        item = encode_item(part)
        if item is None or not is_made(item.get("id")):
            return item
        if isinstance(part, ToolCall | Thinking) and not (isinstance(part, Thinking) and part.sealed is None):
            return {name: value for name, value in item.items() if name != "id"}
        return None  # the vendor does not know it, and there is nothing in it that it could use

    def _call(self, call: ToolCall) -> ToolCall:
        """A call of another shape, or one that the gateway showed, with id and arguments that the API takes."""
        if is_own(call.extras) and not is_made(wire_fields(call.extras).get("id")):
            return call
        call_id = self._ids[call.id] = short(call.id, "call_") or call.id
        empty = not call.arguments and call.type == "function"
        return replace(call, id=call_id, arguments="{}" if empty else call.arguments)

    def _result(self, result: ToolResult) -> dict[str, Any]:
        own = is_own(result.extras)
        kind = "custom" if result.call_id in self._customs else "function"
        out: dict[str, Any] = wire_fields(result.extras) if own else {"type": OUTPUTS[kind]}
        call_id = self._ids.get(result.call_id, result.call_id)
        out["call_id"] = call_id if own else short(call_id, "call_")
        form = mark(result.extras, "~output")
        if result.value is not None:
            out["output"] = _encode(result.value).decode()
            return out
        texts = [part.text for part in result.content if isinstance(part, Text)]
        if form != "list" and len(texts) == len(result.content) <= 1:
            out["output"] = "".join(texts)
            return out
        written = [self._content(part, "tool") for part in result.content]
        out["output"] = [part for part in written if part is not None]
        return out

    def _content(self, part: Part, role: str) -> dict[str, Any] | None:
        """A content part; what the model or the API does not take is noted."""
        feature = self._lacking(part, role)
        if feature:
            self._to.losses.drop(feature)
            return None
        if isinstance(part, Audio) and role == "assistant":
            return {"type": "output_text", "text": part.transcript} if part.transcript else None
        if isinstance(part, Refused) and role != "assistant" and not is_own(part.extras):
            return {"type": "input_text", "text": part.text}
        written = encode_part(part, "output_text" if role == "assistant" else "input_text")
        if written is None and not isinstance(part, Opaque):
            self._to.losses.drop("image.link" if isinstance(part, Image) else str(part.__struct_config__.tag))
        return written

    def _lacking(self, part: Part, role: str) -> str:
        lacks = self._to.profile.lacks
        if isinstance(part, Video):
            return "video"
        if isinstance(part, Image | Document):
            name = "image" if isinstance(part, Image) else "document"
            if name in lacks or (role == "assistant" and not is_own(part.extras)):
                return name
            if isinstance(part.source, Link) and f"{name}.link" in lacks:
                return f"{name}.link"
            return f"{name}.file" if isinstance(part.source, FileRef) and f"{name}.file" in lacks else ""
        if isinstance(part, Audio) and role != "assistant":
            return "audio" if "audio" in lacks or role == "tool" else ""
        return ""
