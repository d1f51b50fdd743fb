"""The texts in one event of a stream, by the API shape in which it goes to the client.

A piece continues the text of its `key` (choice, part); `whole` texts stand for themselves. Arguments of tool
calls are pieces, too, but mean nothing before they are complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from penstock.core.detector import Role
from penstock.guardrails.texts.slots import slots_below
from penstock.wire.json_paths import Path

Kind = Literal["text", "arguments", "whole", "whole_json"]
Key = tuple[object, ...]
_Object = dict[str, Any]


class Piece(NamedTuple):
    """A text in an event. `key` begins with the choice that it belongs to."""

    key: Key
    path: Path
    kind: Kind
    role: Role
    text: str


class Told(NamedTuple):
    """What an event says, and whether texts that were going on are complete by it."""

    pieces: list[Piece]
    closes: bool


Reader = Callable[[_Object], Told]
_NOT_TEXT = frozenset({"role", "id", "type", "refusal_id", "encrypted_content", "signature"})


def reader_of(shape: str) -> Reader | None:
    """What reads the events of a stream of this shape; None where it has no texts."""
    return _READERS.get(shape)


def _objects(value: object) -> list[_Object]:
    """The objects of a list; anything else in their places is an empty one, so that places stay right."""
    if not isinstance(value, list):
        return []
    items = cast("list[object]", value)
    return [cast("_Object", item) if isinstance(item, dict) else {} for item in items]


def _object(value: object) -> _Object:
    return cast("_Object", value) if isinstance(value, dict) else {}


def _wholes(value: object, path: Path, role: Role = "assistant") -> Iterator[Piece]:
    for slot in slots_below(value, path, role):
        yield Piece((), slot.path, "whole_json" if slot.json else "whole", slot.role, slot.text)


def _chat(value: _Object) -> Told:
    pieces: list[Piece] = []
    closes = False
    for at, choice in enumerate(_objects(value.get("choices"))):
        index = choice.get("index", at)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for name, item in cast("_Object", delta).items():
                if isinstance(item, str):
                    if item and name not in _NOT_TEXT:
                        path: Path = ("choices", at, "delta", name)
                        pieces.append(Piece((index, name), path, "text", "assistant", item))
                elif item:
                    pieces += _chat_rest(name, item, index, ("choices", at, "delta", name))
        closes = closes or choice.get("finish_reason") is not None
    return Told(pieces, closes)


def _chat_rest(name: str, item: object, index: object, path: Path) -> Iterator[Piece]:
    """What a chunk's delta has besides plain texts."""
    if name == "tool_calls":
        for at, call in enumerate(_objects(item)):
            key: Key = (index, "call", call.get("index", at))
            for kind, field in (("function", "arguments"), ("custom", "input")):
                text = _object(call.get(kind)).get(field)
                if isinstance(text, str) and text:
                    yield Piece(key, (*path, at, kind, field), "arguments", "tool_call", text)
    elif name == "function_call":
        text = _object(item).get("arguments")
        if isinstance(text, str) and text:
            yield Piece((index, "call", ""), (*path, "arguments"), "arguments", "tool_call", text)
    elif name == "audio":
        text = _object(item).get("transcript")
        if isinstance(text, str) and text:
            yield Piece((index, "audio"), (*path, "transcript"), "text", "assistant", text)
    else:
        yield from _wholes(item, path)


def _completions(value: _Object) -> Told:
    pieces: list[Piece] = []
    closes = False
    for at, choice in enumerate(_objects(value.get("choices"))):
        text = choice.get("text")
        if isinstance(text, str) and text:
            key: Key = (choice.get("index", at), "text")
            pieces.append(Piece(key, ("choices", at, "text"), "text", "assistant", text))
        closes = closes or choice.get("finish_reason") is not None
    return Told(pieces, closes)


def _anthropic(value: _Object) -> Told:
    kind = value.get("type")
    if kind == "content_block_delta":
        delta, index = _object(value.get("delta")), value.get("index")
        for name in ("text", "thinking"):
            text = delta.get(name)
            if isinstance(text, str) and text:
                return Told([Piece((0, index), ("delta", name), "text", "assistant", text)], closes=False)
        text = delta.get("partial_json")
        if isinstance(text, str) and text:
            piece = Piece((0, index), ("delta", "partial_json"), "arguments", "tool_call", text)
            return Told([piece], closes=False)
        return Told(list(_wholes(delta.get("citation"), ("delta", "citation"))), closes=False)
    if kind == "content_block_start":
        block = _object(value.get("content_block"))
        for name in ("text", "thinking"):
            text = block.get(name)
            if isinstance(text, str) and text:
                key: Key = (0, value.get("index"))
                return Told([Piece(key, ("content_block", name), "text", "assistant", text)], closes=False)
        return Told(list(_wholes(block, ("content_block",))), closes=True)
    return Told([], closes=kind in ("content_block_stop", "message_delta", "message_stop"))


def _gemini(value: _Object) -> Told:
    pieces: list[Piece] = []
    closes = False
    for at, candidate in enumerate(_objects(value.get("candidates"))):
        index = candidate.get("index", at)
        path: Path = ("candidates", at, "content", "parts")
        for place, part in enumerate(_objects(_object(candidate.get("content")).get("parts"))):
            text = part.get("text")
            if isinstance(text, str) and text:
                key: Key = (index, "thought" if part.get("thought") else "text")
                pieces.append(Piece(key, (*path, place, "text"), "text", "assistant", text))
            else:
                pieces += _wholes(part, (*path, place))
        closes = closes or candidate.get("finishReason") is not None
    return Told(pieces, closes)


def _converse(value: _Object) -> Told:
    delta = _object(value.get("delta"))
    index = value.get("contentBlockIndex")
    text = delta.get("text")
    if isinstance(text, str) and text:
        return Told([Piece((0, index), ("delta", "text"), "text", "assistant", text)], closes=False)
    text = _object(delta.get("reasoningContent")).get("text")
    if isinstance(text, str) and text:
        path: Path = ("delta", "reasoningContent", "text")
        return Told([Piece((0, index), path, "text", "assistant", text)], closes=False)
    text = _object(delta.get("toolUse")).get("input")
    if isinstance(text, str) and text:
        path = ("delta", "toolUse", "input")
        return Told([Piece((0, index), path, "arguments", "tool_call", text)], closes=False)
    stopped = "stopReason" in value or (index is not None and not delta and "start" not in value)
    return Told([], stopped)


def _responses(value: _Object) -> Told:
    kind = value.get("type")
    if not isinstance(kind, str):
        return Told([], closes=False)
    if kind.endswith(".delta"):
        text = value.get("delta")
        if not isinstance(text, str) or not text or ("audio" in kind and "transcript" not in kind):
            return Told([], closes=False)
        parts = (value.get("content_index"), value.get("summary_index"))
        key: Key = (0, value.get("output_index"), *parts, kind)
        call = "arguments" in kind or "tool_call" in kind
        role: Role = "tool_call" if call else "assistant"
        return Told([Piece(key, ("delta",), "arguments" if call else "text", role, text)], closes=False)
    return Told(list(_repeated(value)), closes=not kind.endswith((".added", ".created", ".in_progress")))


def _repeated(value: _Object) -> Iterator[Piece]:
    """What an event of the Responses API says in full, most of which deltas before it said in pieces."""
    for name in ("text", "refusal", "code"):
        if isinstance(value.get(name), str):
            yield from _wholes(value[name], (name,))
    for name in ("arguments", "input"):
        text = value.get(name)
        if isinstance(text, str) and text:
            yield Piece((), (name,), "whole_json", "tool_call", text)
    for name in ("item", "part", "annotation"):
        if name in value:
            yield from _wholes(value[name], (name,))
    output = _object(value.get("response")).get("output")
    if output:
        yield from _wholes(output, ("response", "output"))


_READERS: dict[str, Reader] = {
    "openai.chat": _chat,
    "openai.completions": _completions,
    "openai.responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "converse": _converse,
}
