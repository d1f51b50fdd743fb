"""One part of a content: whichever of its fields is set says what it is."""

from __future__ import annotations

from typing import Any

from penstock.core.parts import (
    Audio,
    Document,
    Extras,
    Image,
    Opaque,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    Video,
)
from penstock.core.seals import from_id
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.calls import CallIds, read_call, read_result, write_call
from penstock.shapes.gemini.media import read_media, write_media
from penstock.shapes.gemini.reader import Reader, closed, opened, own, own_fields
from penstock.shapes.gemini.seals import unsealed, with_carried
from penstock.shapes.taker import put

_KINDS = ("text", "functionCall", "functionResponse", "inlineData", "fileData")
_OPAQUE_KINDS = frozenset({"executableCode", "codeExecutionResult", "toolCall", "toolResponse"})


def read_parts(content: Reader, ids: CallIds) -> tuple[Part, ...]:
    """All parts of a content, with the thinking that travelled in their signatures and ids."""
    members = content.raw("parts")
    if not members:
        if members is not None:
            content.note("parts", value=True)
        return ()
    parts: list[Part] = []
    for at, member in enumerate(members):
        if (plain := plain_part(member)) is not None:
            parts.append(plain)
            continue
        carried, part = read_part(content.member(member, "parts", at), ids)
        if isinstance(part, ToolCall) and "-ps1-" in part.id:
            part, more = _unpacked(part)
            carried = carried or more
        if carried:
            with_carried(parts, carried)
        parts.append(part)
    return tuple(parts)


def plain_part(member: dict[str, Any]) -> Part | None:
    """The usual part, a text and nothing else, and the least one, at once; None for any other."""
    if len(member) == 1:
        text = member.get("text")
        return Text(text) if isinstance(text, str) else None
    return None if member else Opaque(SHAPE, member)


def _unpacked(part: ToolCall) -> tuple[ToolCall, tuple[Thinking, ...]]:
    call_id, found = from_id(part.id)
    signature = part.signature or found.signature
    return ToolCall(call_id, part.name, part.arguments, signature=signature, extras=part.extras), found.thinking


def read_part(reader: Reader, ids: CallIds) -> tuple[tuple[Thinking, ...], Part]:
    """One part, and thinking that travelled in its signature."""
    rest = reader.rest
    kind = _kind(rest)
    if kind is None:
        return (), _opaque(reader)
    carried: tuple[Thinking, ...] = ()
    signature: Signature | None = None
    written = rest.get("thoughtSignature")
    if isinstance(written, str) and written:
        del rest["thoughtSignature"]
        carried, signature = unsealed(written)
    part = _text(reader, kind, signature) if kind in ("text", "") else _data(reader, kind, signature, ids)
    if part is None:
        put(rest, thoughtSignature=written)
        return (), _opaque(reader)
    return carried, part


def _kind(rest: dict[str, Any]) -> str | None:
    """The field that says what the part is, empty for a signature alone; None: for Google alone."""
    found = [each for each in _KINDS if each in rest]
    if len(found) > 1 or not _OPAQUE_KINDS.isdisjoint(rest):
        return None
    if not found:
        return "" if "thoughtSignature" in rest else None
    kind = found[0]
    thought_only = rest.get("thought") is True and kind not in ("text", "functionCall")  # a draft of a picture
    return None if rest[kind] is None or thought_only else kind


def _data(reader: Reader, kind: str, signature: Signature | None, ids: CallIds) -> Part | None:
    data = reader.object(kind)
    if data is None:
        return None
    if kind == "functionCall":
        return read_call(data, ids, signature, reader)
    if kind == "functionResponse":
        return read_result(data, ids, signature, reader)
    part = read_media(data, linked=kind == "fileData", signature=signature, rest=reader)
    if part is None:
        reader.rest[kind] = closed(*opened(data.left()))
    return part


def _opaque(reader: Reader) -> Opaque:
    left = reader.left()
    return Opaque(SHAPE, closed(*opened(left)) if "~snake" in left else left)


def _text(reader: Reader, kind: str, signature: Signature | None) -> Part | None:
    text = reader.text("text")
    if text is None and kind:
        return None  # not a string, and nobody insists
    if not kind:
        reader.note("bare", value=True)
    if reader.rest.get("thought") is True:
        del reader.rest["thought"]
        return Thinking(text or "", signature, extras=reader.extras())
    return Text(text or "", signature=signature, extras=reader.extras())


def write_text(text: str, extras: Extras | None, seal: str | None, *, thought: bool) -> dict[str, Any]:
    """The JSON of a text or a thought; `seal` is its `thoughtSignature`."""
    out, notes = opened(own_fields(extras))
    if text or "~bare" not in notes:
        out["text"] = text
    if thought:
        out["thought"] = True
    if seal is not None:
        out["thoughtSignature"] = seal
    return closed(out, notes) if notes else out


def write_part(part: Part, seal: str | None) -> dict[str, Any] | None:
    """The JSON of any part but a tool's result; None where Google has nothing like it."""
    if isinstance(part, Text | Refused):
        return write_text(part.text, part.extras, seal, thought=False)
    if isinstance(part, Thinking):
        return write_text(part.text, part.extras, seal, thought=True)
    if isinstance(part, ToolCall):
        return write_call(part, seal)
    if isinstance(part, Opaque):
        return dict(part.value) if part.shape == SHAPE else None
    if isinstance(part, Image | Audio | Video | Document):
        return write_media(part, seal)
    return None


def is_own(part: Part) -> bool:
    """Whether the part itself was written in this shape."""
    return part.shape == SHAPE if isinstance(part, Opaque) else own(part.extras)
