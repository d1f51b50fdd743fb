"""What an assistant says, in a request's history and in a reply: one object with a member for each kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from msgspec.structs import replace

from penstock.core.parts import Audio, Extras, Image, Inline, Opaque, Part, Refused, Text, Thinking, ToolCall
from penstock.shapes.openai_chat.annotations import read_annotations, write_annotations
from penstock.shapes.openai_chat.calls import read_calls, write_calls
from penstock.shapes.openai_chat.content import in_content, read_content, read_item, write_item
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.openai_chat.thinking import read_thinking, write_thinking
from penstock.shapes.taker import Taker, extras_of


def read_assistant(t: Taker, shape: str, seed: str) -> tuple[Part, ...]:
    """Take the parts out of an assistant's message, in the order thinking, content, media, calls.

    Calls without an id get one that `seed` tells from those of other messages.
    """
    parts: list[Part] = [*read_thinking(t, shape), *read_content(t, shape)]
    if t.rest.get("refusal") and isinstance(t.rest["refusal"], str):
        parts.append(Refused(t.rest.pop("refusal")))
    audio = _read_audio(t, shape)
    if audio is not None:
        parts.append(audio)
    parts += _read_images(t, shape)
    at = next((at for at in reversed(range(len(parts))) if isinstance(parts[at], Text)), None)
    if at is not None:
        citations = read_annotations(t, shape)
        if citations:
            parts[at] = replace(cast("Text", parts[at]), citations=citations)
    parts += read_calls(t, shape, seed)
    return tuple(parts)


def _read_audio(t: Taker, shape: str) -> Audio | None:
    value: Any = t.rest.get("audio")
    if not isinstance(value, dict):
        return None
    inner = Taker(cast("dict[str, Any]", value))
    if not (inner.rest.get("id") or inner.rest.get("data")):
        return None
    del t.rest["audio"]
    data = inner.text("data")
    source = Inline("audio/wav", data) if data is not None else None
    transcript = inner.text("transcript") if inner.rest.get("transcript") else None
    audio_id = inner.text("id") if inner.rest.get("id") else None
    return Audio(source, "", transcript or "", audio_id or "", extras=inner.extras(shape))


def write_audio(part: Audio, shape: str) -> dict[str, Any]:
    """The `audio` of an answer."""
    out = extras_of(part.extras, shape)
    if part.id:
        out["id"] = part.id
    if isinstance(part.source, Inline):
        out["data"] = part.source.data
    if part.transcript:
        out["transcript"] = part.transcript
    return out


def _read_images(t: Taker, shape: str) -> list[Part]:
    items: Any = t.rest.get("images")
    if not isinstance(items, list) or not items:
        return []
    parts = [read_item(item, "", shape, strict=False) for item in cast("list[Any]", items)]
    if not all(isinstance(part, Image) for part in parts):
        return []
    del t.rest["images"]
    return parts


def write_assistant(
    parts: Iterable[Part], extras: Extras | None, shape: str, *, field: str, joiner: str = ""
) -> dict[str, Any]:
    """The message of these parts, without its role; `field` is where thinking of other shapes goes."""
    out, own = extras_of(extras, shape), is_own(extras, shape)
    listed = out.pop("~content", None) == "list"
    thinking: list[Thinking] = []
    content: list[Part] = []
    calls: list[ToolCall | Opaque] = []
    images: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCall) or (isinstance(part, Opaque) and "~call" in part.value):
            if isinstance(part, ToolCall) or part.shape == shape:
                calls.append(part)
        elif isinstance(part, Thinking) and not in_content(part.extras, shape):
            thinking.append(part)
        elif isinstance(part, Refused) and not in_content(part.extras, shape):
            out["refusal"] = (out.get("refusal") or "") + part.text
        elif isinstance(part, Audio):
            out["audio"] = write_audio(part, shape)
        elif isinstance(part, Image) and not listed:
            images.append(part)
        elif own or isinstance(part, Text) or in_content(getattr(part, "extras", None), shape):
            content.append(part)
    write_thinking(thinking, out, shape, field)
    write_content(content, out, shape, listed=listed, joiner=joiner)
    if images:
        out["images"] = [write_item(part, shape) for part in images]
    write_annotations([part for part in content if isinstance(part, Text)], out, shape, own=own)
    write_calls(calls, out, shape)
    return out


def write_content(
    parts: list[Part], out: dict[str, Any], shape: str, *, listed: bool, joiner: str = ""
) -> None:
    """Put content into a message: a list where it was one or must be one, else a string; nothing for none."""
    if not listed and all(isinstance(part, Text) for part in parts):
        if parts:
            out["content"] = joiner.join([part.text for part in parts if isinstance(part, Text)])
        return
    items: list[Any] = []
    for part in parts:
        item = write_item(part, shape)
        if item is not None:
            items.append(item.get("~item", item))
    out["content"] = items
