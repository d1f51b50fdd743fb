"""Encode a conversation as Cohere's messages, and the documents that it is to cite from."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.parts import (
    Document,
    Extras,
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
from penstock.core.turns import merged, tools_apart
from penstock.ports.translation import Addressee
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.messages import as_plan, is_plan, write_assistant
from penstock.shapes.cohere.parts import STRING, write_document, write_piece
from penstock.shapes.taker import extras_of

_encode = msgspec.json.Encoder().encode


class Conversation:
    """Messages on their way into Cohere's form.

    Documents gather in `documents`, or stand in their messages as text where Cohere could not cite them.
    """

    __slots__ = ("_cite", "_own", "_to", "documents")

    def __init__(self, to: Addressee, *, own: bool, cite: bool) -> None:
        self._to = to
        self._own = own
        self._cite = cite
        self.documents: list[Any] = []

    def messages(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        """The list of messages."""
        turns = messages
        if not self._own:
            drop_names(messages, self._to.losses)
            turns = merged(tools_apart(errors_in_words(messages, self._to.losses)), tool_as_user=False)
        out: list[dict[str, Any]] = []
        shown: list[Part] = []  # what tools gave that can stand in a user's message alone
        for message in tools_apart(turns):
            if message.role == "tool":
                out += [self._result(part, message.extras, shown) for part in message.parts if _is_result(part)]
                continue
            if shown:
                if message.role == "user":
                    out += self._message(replace(message, parts=(*shown, *message.parts)))
                else:
                    out += self._message(Message("user", tuple(shown)))
                    out += self._message(message)
                shown = []
                continue
            out += self._message(message)
        if shown:
            out += self._message(Message("user", tuple(shown)))
        return out

    def _message(self, message: Message) -> list[dict[str, Any]]:
        if message.role == "assistant":
            return self._assistant(message)
        role = "user" if message.role == "user" else "system"
        own = extras_of(message.extras, CHAT)
        string = own.pop(STRING, message.extras is None or message.extras.shape != CHAT)
        before = len(self.documents)
        pieces = self._pieces(message.parts)
        if not pieces and not self._own:
            # A message has to say something: its documents stand in it where nothing else does.
            del self.documents[before:]
            pieces = [{"type": "text", "text": text} for text in _document_texts(message.parts)]
            if not pieces:
                return []
        own["role"] = role
        if pieces or "content" not in own:
            whole = string and all(piece.keys() == {"type", "text"} for piece in pieces)
            own["content"] = "\n".join([piece["text"] for piece in pieces]) if whole else pieces
        return [own]

    def _assistant(self, message: Message) -> list[dict[str, Any]]:
        extras = message.extras
        calls = any(isinstance(part, ToolCall) for part in message.parts)
        said = message.parts
        if calls and not self._own and "thinking" in self._to.profile.lacks:
            # What a model without thinking has of it is the plan before its calls.
            said = tuple([as_plan(part) if isinstance(part, Thinking) else part for part in said])
        parts = [part for part in said if self._sayable(part)]
        texts = [part for part in parts if isinstance(part, Text | Refused)]
        if extras is None or extras.shape != CHAT:
            if calls:
                parts = [part for part in parts if not isinstance(part, Text) or part.text]
            elif len(texts) == len(parts):
                extras = Extras(CHAT, {STRING: True})
        if not parts and not self._own:
            return []
        return [{**write_assistant(tuple(parts), extras, {}), "role": "assistant"}]

    def _sayable(self, part: Part) -> bool:
        if isinstance(part, Thinking):
            foreign = part.sealed is not None or (part.signature is not None and part.signature.signer != CHAT)
            if foreign or not (part.text or self._own):
                return False
            return is_plan(part) or "thinking" not in self._to.profile.lacks
        if isinstance(part, Text | Refused | ToolCall) or (isinstance(part, Opaque) and part.shape == CHAT):
            return True
        if not isinstance(part, Opaque):
            self._lost(part)
        return False

    def _pieces(self, parts: tuple[Part, ...]) -> list[dict[str, Any]]:
        pieces: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Document):
                found = write_document(part, f"doc:{len(self.documents)}")
                if found is None:
                    self._lost(part)
                elif self._cite:
                    self.documents.append(found)
                else:
                    pieces += [{"type": "text", "text": text} for text in _document_texts((part,))]
                continue
            if isinstance(part, Image) and "image" in self._to.profile.lacks:
                self._lost(part)
                continue
            piece = write_piece(part)
            if piece is not None:
                pieces.append(piece)
            elif not isinstance(part, Opaque | Thinking):
                self._lost(part)
        return pieces

    def _lost(self, part: Part) -> None:
        name = type(part).__name__.lower()
        if isinstance(part, Image) and not isinstance(part.source, Inline | Link):
            name = "image.file"
        self._to.losses.drop(name)

    def _result(self, part: Part, extras: Extras | None, shown: list[Part]) -> dict[str, Any]:
        """A tool's result: text or documents; a picture follows in a message of the user's."""
        result = cast("ToolResult", part)
        own = extras_of(result.extras, CHAT) or extras_of(extras, CHAT)
        string = own.pop(STRING, result.extras is None or result.extras.shape != CHAT)
        out: dict[str, Any] = {**own, "role": "tool", "tool_call_id": result.call_id}
        if result.value is not None:
            return {**out, "content": _encode(result.value).decode()}
        pieces: list[dict[str, Any]] = []
        for at, inside in enumerate(result.content):
            if (
                isinstance(inside, Document)
                and (found := write_document(inside, f"{result.call_id}:{at}")) is not None
            ):
                document = found if isinstance(found, dict) else {"data": {"text": found}}
                pieces.append({"type": "document", "document": document})
            elif isinstance(inside, Text) or (isinstance(inside, Opaque) and inside.shape == CHAT):
                pieces.append(cast("dict[str, Any]", write_piece(inside)))
            elif isinstance(inside, Image) and "image" not in self._to.profile.lacks:
                if self._to.losses.map("tool_result.image"):
                    shown.append(replace(inside, extras=None))
            elif not isinstance(inside, Opaque):
                self._lost(inside)
        if not pieces and "content" in out:
            return out
        whole = string and all(piece.keys() == {"type", "text"} for piece in pieces)
        out["content"] = "\n".join([piece["text"] for piece in pieces]) if whole else pieces
        return out


def _document_texts(parts: tuple[Part, ...]) -> list[str]:
    found: list[str] = []
    for part in parts:
        if isinstance(part, Document) and isinstance(part.source, Plain):
            title = part.title or part.name
            found.append(f"{title}\n{part.source.text}" if title else part.source.text)
    return found


def _is_result(part: Part) -> bool:
    return isinstance(part, ToolResult)
