"""Parts of a conversation as the content blocks that Bedrock takes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from penstock.core.losses import Losses
from penstock.core.parts import (
    Audio,
    CacheHint,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Opaque,
    Part,
    Plain,
    Refused,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.providers.converse.profile import Family
from penstock.shapes.converse import SHAPE, SIGNER
from penstock.shapes.converse.blocks import (
    CITED,
    cited_block,
    encode_cache_point,
    text_block,
    tool_result_block,
)
from penstock.shapes.converse.keep import is_own, json_text, kept
from penstock.shapes.converse.media import encode_media
from penstock.shapes.converse.names import DocumentNames, tool_id
from penstock.shapes.converse.thinking import blob_of, readable_block, redacted_block
from penstock.shapes.converse.tool_blocks import encode_tool_use

Block = dict[str, Any]


class RequestBlocks:
    """Writes the parts of one request. `own` is whether it was made in this shape: then nothing is mended."""

    __slots__ = ("_caches", "_family", "_lacks", "_losses", "_names", "_own", "_writers")

    def __init__(self, family: Family, lacks: frozenset[str], losses: Losses, *, own: bool) -> None:
        self._own = own
        self._family = family
        self._lacks = lacks
        self._losses = losses
        self._names = DocumentNames()
        self._caches = own or "cache" not in lacks
        self._writers: dict[type, Callable[[Any], Block | None]] = {
            Text: self._text,
            Refused: lambda part: {"text": part.text} if part.text.strip() else None,
            Thinking: self._thinking,
            ToolCall: self._call,
            ToolResult: self._result,
            Image: lambda part: self._media(part, "image"),
            Video: lambda part: self._media(part, "video"),
            Audio: lambda part: self._media(part, "audio"),
            Document: self._document,
            Opaque: self._opaque,
        }

    def blocks(self, parts: tuple[Part, ...]) -> list[Block]:
        """The blocks of a message, with cache points."""
        found: list[Block] = []
        for part in parts:
            block = self._writers[type(part)](part)
            if block is not None:
                found.append(block)
            hint = _hint_of(part)
            if hint is not None and found and self._caches and "cachePoint" not in found[-1]:
                found.append(encode_cache_point(hint))
        return found

    def _text(self, part: Text) -> Block | None:
        form = kept(part.extras, "form")
        if form == CITED:
            return cited_block(part)
        return text_block(part) if self._own or part.text.strip() else None

    def _thinking(self, part: Thinking) -> Block | None:
        """Own seals go back; foreign ones cannot be checked, and Claude takes no thinking without a seal."""
        seal = part.sealed
        if seal is not None:
            return redacted_block(part, blob_of(seal)) if seal.signer in (SIGNER, SHAPE) else None
        if part.signature is not None:
            return readable_block(part, part.signature.value) if part.signature.signer == SIGNER else None
        if self._own:
            return readable_block(part, None)
        plain = part.text.strip() and self._family not in ("claude", "deepseek", "nova")
        return readable_block(part, None) if plain and "reasoning" not in self._lacks else None

    def _call(self, part: ToolCall) -> Block | None:
        if self._own:
            return encode_tool_use(part, part.id, part.name)
        if part.type == "custom":
            part = replace(part, arguments=json_text({"input": part.arguments}))
        return encode_tool_use(part, tool_id(part.id), part.name)

    def _result(self, part: ToolResult) -> Block | None:
        value: Any = part.value
        if value is not None:
            plain = self._own or isinstance(value, dict)
            content: list[Block] = [{"json": value} if plain else {"text": json_text(value)}]
        else:
            caches, self._caches = self._caches, self._caches and self._own
            content = self.blocks(part.content)
            self._caches = caches
        call_id = part.call_id if self._own else tool_id(part.call_id)
        return tool_result_block(part, call_id, content)

    def _media(self, part: Image | Video | Audio, kind: str) -> Block | None:
        if part.source is None:  # what a model said before, of which only its words are left
            return {"text": part.transcript} if part.transcript.strip() else None
        if not self._own and kind in self._lacks:
            self._losses.drop(kind)
            return None
        block = encode_media(part, kind)
        if block is None:
            self._losses.drop(kind + _trouble(part.source))
        return block

    def _document(self, part: Document) -> Block | None:
        if self._own:
            return encode_media(part, "document", name=part.name)
        if "document" in self._lacks:
            return self._read_aloud(part)
        source = part.source
        if isinstance(source, Plain) and not part.citable:
            data = base64.b64encode(source.text.encode(errors="replace")).decode()
            part = replace(part, source=Inline("text/plain", data))
        name = self._names.take(part.title or part.name)
        block = encode_media(part, "document", name=name)
        if block is None:
            self._losses.drop("document" + _trouble(source))
        return block

    def _read_aloud(self, part: Document) -> Block | None:
        """A text document for a model that takes no documents."""
        if isinstance(part.source, Plain) and self._losses.map("document"):
            title = part.title or part.name
            return {"text": f"{title}\n\n{part.source.text}" if title else part.source.text}
        if not isinstance(part.source, Plain):
            self._losses.drop("document")
        return None

    def _opaque(self, part: Opaque) -> Block | None:
        return part.value if part.shape == SHAPE else None


def _trouble(source: Source) -> str:
    """What of a medium Bedrock cannot take: where it is, or (nothing) its format."""
    if isinstance(source, Link):
        return ".link"
    return ".file" if isinstance(source, FileRef) else ""


def _hint_of(part: Part) -> CacheHint | None:
    if isinstance(part, Opaque | Refused):
        return None
    if part.cache is None and isinstance(part, ToolResult) and not is_own(part.extras):
        hints = [hint for hint in map(_hint_of, part.content) if hint is not None and not is_own(hint.extras)]
        return hints[-1] if hints else None
    return part.cache
