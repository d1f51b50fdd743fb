"""Where the bytes of an image or a document are: in the request, at an address, uploaded, or plain text.

A `content` source and a search result are lists of text blocks; the pivot has their text, the extras the list,
which counts as long as its text is the pivot's.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.parts import FileRef, Inline, Link, Plain, Source
from penstock.shapes.taker import Taker

BLOCKS = "~blocks"
REST = "~source"


def read_source(taker: Taker) -> Source | None:
    """The source, taken out; what is left of it stands in the object as `~source`. None: not understood."""
    value = taker.rest.get("source")
    if not isinstance(value, dict):
        return None
    inner = Taker(value, taker.path("source"))
    kind = inner.text("type")
    source = _READERS[kind](inner, taker) if kind in _READERS else None
    if source is not None:
        del taker.rest["source"]
        if inner.rest:
            taker.rest[REST] = inner.rest
    return source


def _inline(inner: Taker, _: Taker) -> Source | None:
    media_type, data = inner.text("media_type"), inner.text("data")
    return Inline(media_type, data) if media_type is not None and data is not None else None


def _link(inner: Taker, _: Taker) -> Source | None:
    url = inner.text("url")
    return Link(url) if url is not None else None


def _file(inner: Taker, _: Taker) -> Source | None:
    file_id = inner.text("file_id")
    return FileRef(file_id) if file_id is not None else None


def _plain(inner: Taker, _: Taker) -> Source | None:
    text = inner.text("data")
    if inner.rest.get("media_type") == "text/plain":
        del inner.rest["media_type"]
    return Plain(text) if text is not None else None


def _content(inner: Taker, outer: Taker) -> Source | None:
    content = inner.any("content")
    text = content if isinstance(content, str) else text_of_blocks(content)
    if text is None:
        return None
    outer.rest[BLOCKS] = content
    return Plain(text)


_READERS = {"base64": _inline, "url": _link, "file": _file, "text": _plain, "content": _content}


def text_of_blocks(content: Any) -> str | None:
    """The text of a list of blocks, None where it is not a list; blocks of other kinds add nothing."""
    if not isinstance(content, list):
        return None
    texts: list[str] = []
    for block in cast("list[Any]", content):
        text = cast("dict[str, Any]", block).get("text") if isinstance(block, dict) else None
        if isinstance(text, str):
            texts.append(text)
    return "\n".join(texts)


def take_blocks(fields: dict[str, Any], text: str) -> Any:
    """The list whose text this is, taken out of the extras; None where there is no such list."""
    content = fields.pop(BLOCKS, None)
    return content if content == text or text_of_blocks(content) == text else None


def write_source(fields: dict[str, Any], source: Source) -> dict[str, Any]:
    """The `source` member; takes what belongs to it out of the part's extras."""
    rest = fields.pop(REST, None)
    value: dict[str, Any] = dict(cast("dict[str, Any]", rest)) if isinstance(rest, dict) else {}
    if isinstance(source, Inline):
        return {**value, "type": "base64", "media_type": source.media_type, "data": source.data}
    if isinstance(source, Link):
        return {**value, "type": "url", "url": source.url}
    if isinstance(source, FileRef):
        return {**value, "type": "file", "file_id": source.file_id}
    content = take_blocks(fields, source.text)
    if content is not None:
        return {**value, "type": "content", "content": content}
    return {"media_type": "text/plain", **value, "type": "text", "data": source.text}
