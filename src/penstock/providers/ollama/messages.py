"""Encode a conversation as Ollama's messages."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.chat import Message
from penstock.core.parts import (
    Document,
    Image,
    Inline,
    Link,
    Opaque,
    Part,
    Plain,
    Refused,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from penstock.core.plain_turns import drop_names, errors_in_words
from penstock.core.turns import merged, tool_names, tools_apart
from penstock.ports.translation import Addressee
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.messages import write_assistant
from penstock.shapes.taker import extras_of

_encode = msgspec.json.Encoder().encode


class Conversation:
    """Messages on their way into Ollama's form: a text, and beside it pictures as base64."""

    __slots__ = ("_names", "_own", "_to")

    def __init__(self, to: Addressee, *, own: bool) -> None:
        self._to = to
        self._own = own
        self._names: dict[str, str] = {}

    def messages(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        """The list of messages."""
        self._names = tool_names(messages)
        turns = messages
        if not self._own:
            drop_names(messages, self._to.losses)
            turns = merged(tools_apart(errors_in_words(messages, self._to.losses)), tool_as_user=False)
        out: list[dict[str, Any]] = []
        for message in tools_apart(turns):
            if message.role == "assistant":
                out += self._assistant(message)
            elif message.role == "tool":
                out += [self._result(part, message) for part in message.parts if isinstance(part, ToolResult)]
            else:
                out += self._said(message)
        return out

    def _assistant(self, message: Message) -> list[dict[str, Any]]:
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, Thinking):
                # A seal of somebody else's cannot be shown, and its summary is not what this model thought.
                if part.sealed is None and part.signature is None:
                    parts.append(part)
            elif isinstance(part, Text | Refused | ToolCall):
                parts.append(part)
            else:
                self._lost(part)
        if not parts and not self._own:
            return []
        return [{**write_assistant(tuple(parts), message.extras, {}), "role": "assistant"}]

    def _said(self, message: Message) -> list[dict[str, Any]]:
        out = extras_of(message.extras, CHAT)
        text, images = self._content(message.parts)
        if not text and not images and not self._own:
            return []
        out["role"] = "user" if message.role == "user" else "system"
        if text or not self._own:
            out["content"] = text
        if images:
            out["images"] = images
        return [out]

    def _result(self, result: ToolResult, message: Message) -> dict[str, Any]:
        out = extras_of(result.extras, CHAT) or extras_of(message.extras, CHAT)
        text, images = self._content(result.content)
        if result.value is not None:
            text = _encode(result.value).decode()
        out["role"] = "tool"
        if text or "content" not in out:
            out["content"] = text
        if images:
            out["images"] = images
        if self._own:
            if result.name:
                out["tool_name"] = result.name
            if "~made" not in out:
                out["tool_call_id"] = result.call_id
            out.pop("~made", None)
            return out
        name = result.name or self._names.get(result.call_id, "")
        if name:
            out["tool_name"] = name
        out["tool_call_id"] = result.call_id
        return out

    def _content(self, parts: tuple[Part, ...]) -> tuple[str, list[str]]:
        texts: list[str] = []
        images: list[str] = []
        for part in parts:
            if isinstance(part, Text | Refused):
                texts.append(part.text)
            elif isinstance(part, Image) and isinstance(part.source, Inline):
                images.append(part.source.data)
            elif isinstance(part, Document) and isinstance(part.source, Plain):
                if self._to.losses.map("document"):
                    title = part.title or part.name
                    texts.append(f"{title}\n{part.source.text}" if title else part.source.text)
            elif not isinstance(part, Opaque | Thinking):
                self._lost(part)
        return "\n".join(texts), images

    def _lost(self, part: Part) -> None:
        if isinstance(part, Opaque):
            return
        name = type(part).__name__.lower()
        if isinstance(part, Image):
            name = "image.link" if isinstance(part.source, Link) else "image.file"
        self._to.losses.drop(name)
