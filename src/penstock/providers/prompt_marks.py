"""Marks for a vendor's prompt cache, put into a body that otherwise passes as it came.

Anthropic's blocks carry `cache_control`; Bedrock's Converse has `cachePoint` blocks of their own behind what is
cached (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html). Only the members that hold a
mark are written anew, and in them only the lists: every other block stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from penstock.core.prompt_cache import SHORT_S, Mark, Piece, Prompt
from penstock.wire.json_fields import Fields, FieldsError, scan

_raws = msgspec.json.Decoder(list[Raw]).decode
_text = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_MATERIAL = frozenset({"image", "document", "tool_result", "search_result", "toolResult", "video"})


class _Kind(msgspec.Struct):
    """What a block of Anthropic's says about itself."""

    type: str = ""
    text: str = ""
    cache_control: Any = None


class _Turn(msgspec.Struct):
    role: str
    content: Raw


_kind = msgspec.json.Decoder(_Kind).decode
_turn = msgspec.json.Decoder(_Turn).decode


class Body:
    """The lists of a body that can be marked. Raises msgspec.DecodeError for what is not of its shape."""

    def __init__(self, fields: Fields, shape: str) -> None:
        self._fields = fields
        self._points = shape == "converse"
        raw = fields.raw
        self._tools = self._tool_list(raw)
        self._system = self._blocks(raw.get("system", b""))
        self._turns = [bytes(turn) for turn in _raws(raw.get("messages", b"[]"))]
        told = [_turn(turn) for turn in self._turns]
        self._contents = [self._blocks(bytes(each.content)) for each in told]
        self.prompt = Prompt(
            [self._piece(block, tool=True) for block in self._tools],
            [self._piece(block) for block in self._system],
            [
                (each.role, [self._piece(block) for block in blocks])
                for each, blocks in zip(told, self._contents, strict=True)
            ],
        )

    def _tool_list(self, raw: dict[str, bytes]) -> list[bytes]:
        if not self._points:
            return [bytes(each) for each in _raws(_or_empty(raw.get("tools", b"")))]
        config = _object(raw.get("toolConfig", b"{}"))
        return [bytes(each) for each in _raws(_or_empty(bytes(config.get("tools", b""))))]

    def _blocks(self, text: bytes) -> list[bytes]:
        if text.startswith(b'"'):
            return [_encode({"type": "text", "text": _text(text)})]
        return [bytes(each) for each in _raws(_or_empty(text))]

    def _piece(self, block: bytes, *, tool: bool = False) -> Piece:
        if self._points:
            kind = next(iter(_object(block)), "")
            marked = kind == "cachePoint"
            markable = tool or kind in _MATERIAL or kind == "text"
            return Piece(b"" if marked else block, kind in _MATERIAL, markable and not marked, marked)
        told = _kind(block)
        markable = tool or told.type in _MATERIAL or (told.type == "text" and bool(told.text.strip()))
        return Piece(block, told.type in _MATERIAL, markable, told.cache_control is not None)

    def edits(self, marks: Sequence[Mark], ttl_s: int) -> dict[str, bytes]:
        """The members that change, by name. Raises FieldsError."""
        out: dict[str, bytes] = {}
        by_turn: dict[int, list[int]] = {}
        for mark in marks:
            if mark.level == "tools":
                tools = self._marked(self._tools, [mark.piece], ttl_s)
                out.update(self._tools_edit(tools))
            elif mark.level == "system":
                out["system"] = self._marked(self._system, [mark.piece], ttl_s)
            else:
                by_turn.setdefault(mark.turn, []).append(mark.piece)
        if by_turn:
            turns = list(self._turns)
            for index, pieces in by_turn.items():
                content = self._marked(self._contents[index], pieces, ttl_s)
                turns[index] = scan(turns[index]).patch({"content": content})
            out["messages"] = b"[%b]" % b",".join(turns)
        return out

    def _tools_edit(self, tools: bytes) -> dict[str, bytes]:
        if not self._points:
            return {"tools": tools}
        return {"toolConfig": scan(self._fields.raw["toolConfig"]).patch({"tools": tools})}

    def _marked(self, blocks: Sequence[bytes], pieces: Sequence[int], ttl_s: int) -> bytes:
        ttl = b"" if ttl_s <= SHORT_S else b',"ttl":"1h"'
        out: list[bytes] = []
        for index, block in enumerate(blocks):
            if index not in pieces:
                out.append(block)
            elif self._points:
                out += [block, b'{"cachePoint":{"type":"default"%b}}' % ttl]
            else:
                out.append(scan(block).patch({"cache_control": b'{"type":"ephemeral"%b}' % ttl}))
        return b"[%b]" % b",".join(out)


def _or_empty(text: bytes) -> bytes:
    return text if text not in (b"", b"null") else b"[]"


def body_of(fields: Fields, shape: str) -> Body | None:
    """The body as what can be marked; None where it is not of its shape, which its vendor will say better."""
    try:
        return Body(fields, shape)
    except (msgspec.DecodeError, FieldsError, UnicodeDecodeError, KeyError):
        return None
