"""A request in the pivot as the pieces that vendors cache, and marks put back on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ChatRequest, FunctionTool, Message
from penstock.core.parts import (
    Audio,
    CacheHint,
    Document,
    Image,
    Opaque,
    Part,
    Refused,
    Text,
    ToolResult,
    Video,
)
from penstock.core.prompt_cache import Mark, Piece, Prompt

_SYSTEM = frozenset({"system", "developer"})
_MATERIAL = (Image, Audio, Video, Document, ToolResult)
# Where a part of the conversation stands: message, part.
Ref = tuple[int, int]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Pieces:
    """A prompt, and where in the request each of its pieces stands."""

    prompt: Prompt
    system: list[Ref]
    turns: list[list[Ref]] = field(default_factory=list[list[Ref]])


def pieces_of(chat: ChatRequest) -> Pieces:
    """The request in the order in which vendors read it: tools, system, turns."""
    system: list[Piece] = []
    system_refs: list[Ref] = []
    turns: list[tuple[str, list[Piece]]] = []
    refs: list[list[Ref]] = []
    for at, message in enumerate(chat.messages):
        if message.role in _SYSTEM:
            system += [_piece(part) for part in message.parts]
            system_refs += [(at, index) for index in range(len(message.parts))]
            continue
        role = "user" if message.role == "tool" else message.role
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
            refs.append([])
        turns[-1][1].extend([_piece(part) for part in message.parts])
        refs[-1].extend([(at, index) for index in range(len(message.parts))])
    tools = [
        Piece(
            _encode(tool),
            markable=isinstance(tool, FunctionTool),
            marked=isinstance(tool, FunctionTool) and tool.cache is not None,
        )
        for tool in chat.tools
    ]
    return Pieces(Prompt(tools, system, turns), system_refs, refs)


def _piece(part: Part) -> Piece:
    hint = None if isinstance(part, Refused | Opaque) else part.cache
    markable = isinstance(part, _MATERIAL) or (isinstance(part, Text) and bool(part.text.strip()))
    bare = part if hint is None or isinstance(part, Refused | Opaque) else replace(part, cache=None)
    return Piece(_encode(bare), isinstance(part, _MATERIAL), markable, hint is not None)


def with_marks(chat: ChatRequest, pieces: Pieces, marks: Sequence[Mark], ttl_s: int) -> ChatRequest:
    """The request with a hint at each mark."""
    hint = CacheHint(ttl_s)
    tools = list(chat.tools)
    places: set[Ref] = set()
    for mark in marks:
        if mark.level == "tools":
            tool = tools[mark.piece]
            if isinstance(tool, FunctionTool):
                tools[mark.piece] = replace(tool, cache=hint)
        elif mark.level == "system":
            places.add(pieces.system[mark.piece])
        else:
            places.add(pieces.turns[mark.turn][mark.piece])
    messages = tuple(_hinted(chat.messages, places, hint))
    return replace(chat, tools=tuple(tools), messages=messages)


def _hinted(messages: Iterable[Message], places: set[Ref], hint: CacheHint) -> Iterator[Message]:
    wanted = {at for at, _ in places}
    for at, message in enumerate(messages):
        if at not in wanted:
            yield message
            continue
        parts = [
            replace(part, cache=hint)
            if (at, index) in places and not isinstance(part, Refused | Opaque)
            else part
            for index, part in enumerate(message.parts)
        ]
        yield replace(message, parts=tuple(parts))
