"""The messages of a request as a chat completions API wants them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.parts import (
    Audio,
    Document,
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
from penstock.core.turns import merged, tools_apart
from penstock.ports.translation import Addressee
from penstock.shapes.openai_chat.content import in_content
from penstock.shapes.openai_chat.data_url import text_in
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.openai_chat.message import write_assistant, write_content
from penstock.shapes.openai_chat.thinking import DETAILS
from penstock.shapes.taker import extras_of

_encode = msgspec.json.Encoder().encode


def write_messages(
    messages: tuple[Message, ...], to: Addressee, shape: str, *, own: bool
) -> list[dict[str, Any]]:
    """All messages. Those of another shape are joined where neighbours mean one turn."""
    turns = messages
    if not own:
        turns = tools_apart(merged(errors_in_words(messages, to.losses), tool_as_user=False))
    out: list[dict[str, Any]] = []
    shown: list[Part] = []  # what a tool gave and a tool message cannot hold
    for message in turns:
        if shown and message.role != "tool":
            out.append({"role": "user", "content": _items(shown, shape)})
            shown = []
        if message.role == "tool":
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            out += [_write_result(result, message, to, shape, shown) for result in results]
            continue
        written = _write(message, to, shape)
        if written is not None:
            out.append(written)
    if shown:
        out.append({"role": "user", "content": _items(shown, shape)})
    return out


def _write(message: Message, to: Addressee, shape: str) -> dict[str, Any] | None:
    own = is_own(message.extras, shape)
    if message.role == "assistant":
        return _write_said(message, to, shape, own=own)
    out = extras_of(message.extras, shape)
    role = (
        "system"
        if message.role == "developer" and not own and "developer" in to.profile.lacks
        else message.role
    )
    parts = [part for part in [_sendable(part, to, own=own) for part in message.parts] if part is not None]
    listed = out.pop("~content", None) == "list" or (not own and _hinted(parts, to))
    if not own and message.role == "user" and len(parts) > 1:
        listed = True
    write_content(parts, out, shape, listed=listed, joiner="" if own else "\n\n")
    if "content" not in out and not own:
        out["content"] = ""
    if message.name is not None:
        out["name"] = message.name
    return {"role": role, **out}


def _write_said(message: Message, to: Addressee, shape: str, *, own: bool) -> dict[str, Any] | None:
    field = to.profile.thinking_field
    sendable = [_sendable_said(part, to, shape, own=own) for part in message.parts]
    parts = [part for part in sendable if part is not None]
    out = write_assistant(parts, message.extras, shape, field=field)
    if not own:
        if not out and message.parts:
            return None  # nothing of it can be said here
        out.setdefault("content", None if "tool_calls" in out or "refusal" in out else "")
        if "tool_calls" in out and "call.thoughtless" in to.profile.lacks:
            out.setdefault(field, "")
    if message.name is not None:
        out["name"] = message.name
    return {"role": "assistant", **out}


def _sendable_said(part: Part, to: Addressee, shape: str, *, own: bool) -> Part | None:
    """What the assistant said, as this model can take it again."""
    if isinstance(part, Thinking):
        return part if _may_return(part, shape, to.profile.thinking_field) else None
    if isinstance(part, ToolCall | Refused) or (isinstance(part, Opaque) and part.shape == shape):
        return part
    if isinstance(part, Image | Audio | Video | Document) and not own:
        to.losses.drop("assistant.media")
        return None
    return _sendable(part, to, own=own)


def _may_return(part: Thinking, shape: str, field: str) -> bool:
    """Thinking goes back where it came from; what another vendor sealed, only where the seal has a place."""
    if is_own(part.extras, shape) or in_content(part.extras, shape):
        return True
    if part.signature is None and part.sealed is None:
        return True
    return field == DETAILS


def _sendable(part: Part, to: Addressee, *, own: bool) -> Part | None:
    """The part as this model can take it, None where it cannot; a client of this API knows what it sends."""
    lacks = to.profile.lacks
    if own or isinstance(part, Refused):
        return part
    if isinstance(part, Text):
        return part if part.cache is None or "cache" not in lacks else replace(part, cache=None)
    if isinstance(part, Image):
        return _sendable_image(part, to)
    if isinstance(part, Document):
        return _sendable_document(part, to)
    missing = "opaque" if isinstance(part, Opaque) else ""
    if isinstance(part, Video) and "video" in lacks:
        missing = "video"
    elif isinstance(part, Audio):
        link = isinstance(part.source, Link) and "audio.link" in lacks
        missing = "audio" if "audio" in lacks else "audio.link" if link else ""
    if missing:
        to.losses.drop(missing)
    return part if isinstance(part, Audio | Video) and not missing else None


def _sendable_image(part: Image, to: Addressee) -> Image | None:
    source = part.source
    missing = ""
    if "image" in to.profile.lacks:
        missing = "image"
    elif isinstance(source, FileRef):
        missing = "image.file"
    elif isinstance(source, Link) and ("image.link" in to.profile.lacks or not source.url.startswith("http")):
        missing = "image.link"
    if missing:
        to.losses.drop(missing)
        return None
    return part if part.cache is None or "cache" not in to.profile.lacks else replace(part, cache=None)


def _sendable_document(part: Document, to: Addressee) -> Part | None:
    lacks = to.profile.lacks
    if part.citable:
        to.losses.drop("document.citable")
    text = text_in(part.source)
    if text is not None:
        if not to.losses.map("document.text"):
            return None
        head = "\n".join([line for line in (part.title or part.name, part.context) if line])
        return Text(f"{head}\n\n{text}" if head else text)
    if "document" in lacks or (isinstance(part.source, Link) and "document.link" in lacks):
        to.losses.drop("document" if "document" in lacks else "document.link")
        return None
    name = part.name or part.title
    if not name and not isinstance(part.source, FileRef):
        name = "document.pdf"
    cache = None if "cache" in lacks else part.cache
    return replace(part, name=name, cache=cache)


def _hinted(parts: list[Part], to: Addressee) -> bool:
    """Whether a text has a cache hint that this vendor takes, for which the content must be a list."""
    if "cache" in to.profile.lacks:
        return False
    return any(isinstance(part, Text) and part.cache is not None for part in parts)


def _items(parts: list[Part], shape: str) -> list[dict[str, Any]]:
    out: dict[str, Any] = {}
    write_content(parts, out, shape, listed=True)
    return out["content"]


def _write_result(
    result: ToolResult, message: Message, to: Addressee, shape: str, shown: list[Part]
) -> dict[str, Any]:
    own = is_own(message.extras, shape)
    out = extras_of(message.extras, shape)
    role = out.pop("~role", "tool")
    listed = out.pop("~content", None) == "list"
    parts: list[Part] = list(result.content)
    if not own:
        parts = _texts_of(result, to, shown)
    if result.value is not None:
        parts = [Text(_encode(result.value).decode())]
    write_content(parts, out, shape, listed=listed, joiner="" if own else "\n")
    if not own:
        out.setdefault("content", "")
    if out.pop("~named", None) or role == "function":
        out["name"] = result.name
    if role == "tool" and (result.call_id or not own):
        out["tool_call_id"] = result.call_id
    return {"role": role, **out}


def _texts_of(result: ToolResult, to: Addressee, shown: list[Part]) -> list[Part]:
    """A result's texts; its pictures and files follow in a user message, since a tool message has no place."""
    texts: list[Part] = []
    media: list[Part] = []
    for part in result.content:
        sendable = _sendable(part, to, own=False)
        if isinstance(sendable, Text):
            texts.append(replace(sendable, cache=None, citations=()))
        elif sendable is not None and to.losses.map("tool_result.media"):
            media.append(sendable)
    if media:
        if not texts:
            texts.append(Text("The result follows."))
        shown += [Text(f"The result of tool call {result.call_id}:"), *media]
    return texts
