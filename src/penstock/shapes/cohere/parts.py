"""Pieces of content in Cohere's chat: text, thinking, pictures, documents, tool calls."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Document,
    Extras,
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
)
from penstock.core.turns import made_id
from penstock.shapes.cohere import CHAT
from penstock.shapes.taker import Taker, extras_of, put

PLAN = "~plan"  # thinking that stood in `tool_plan`
STRING = "~string"  # a document, or a message's content, that was a bare string
ARGUMENTS = "~arguments"  # what stood where arguments do, if it was not an object's text
MADE = "~made"  # the id is ours
_TEXTS = ("text", "snippet", "content")


def read_piece(value: Any, where: str) -> Part:
    """One member of `content`."""
    if not isinstance(value, dict):
        raise ShapeError(where, "an object")
    raw = cast("dict[str, Any]", value)
    piece = Taker(raw, where)
    kind = piece.text("type")
    if kind == "text" and (text := piece.text("text")) is not None:
        return Text(text, extras=piece.extras(CHAT))
    if kind == "thinking" and (text := piece.text("thinking")) is not None:
        return Thinking(text, extras=piece.extras(CHAT))
    if kind == "image_url" and isinstance(piece.rest.get("image_url"), dict):
        return _image(piece, raw)
    if kind == "document":
        inner = piece.rest.pop("document", None)
        document = read_document(inner)
        if document is not None and not piece.rest:
            return document
    return Opaque(CHAT, raw)


def _image(piece: Taker, raw: dict[str, Any]) -> Part:
    inner = piece.object("image_url")
    url = inner.text("url") if inner is not None else None
    if inner is None or url is None:
        return Opaque(CHAT, raw)
    detail = inner.text("detail") or ""
    if inner.rest:
        piece.rest["image_url"] = inner.rest
    return Image(_source(url), detail, extras=piece.extras(CHAT))


def _source(url: str) -> Source:
    if url.startswith("data:"):
        head, _, data = url[5:].partition(",")
        if head.endswith(";base64"):
            return Inline(head[:-7], data)
    return Link(url)


def read_document(value: Any) -> Document | None:
    """A document of the request or of a tool's result; None where no text can be found in it."""
    if isinstance(value, str):
        return Document(Plain(value), citable=True, extras=Extras(CHAT, {STRING: True}))
    if not isinstance(value, dict):
        return None
    body = Taker(value)
    data = body.object("data")
    if data is None:
        return None
    for name in _TEXTS:
        text = data.text(name)
        if text is not None:
            title = data.text("title")
            kept = {**body.rest, "data": data.rest}
            if name != "text":
                kept["~text"] = name
            return Document(Plain(text), title=title or "", citable=True, extras=Extras(CHAT, kept))
    return None


def write_document(document: Document, name: str) -> dict[str, Any] | str | None:
    """A document, None where it is not text; `name` is its id, by which citations name it."""
    if not isinstance(document.source, Plain):
        return None
    own = extras_of(document.extras, CHAT)
    if own.pop(STRING, False):
        return document.source.text
    field = own.pop("~text", "text")
    data = {**cast("dict[str, Any]", own.get("data") or {}), field: document.source.text}
    if document.title or document.name:
        data["title"] = document.title or document.name
    if document.context:
        data["context"] = document.context
    if document.extras is None or document.extras.shape != CHAT:
        own["id"] = name
    return {**own, "data": data}


def write_piece(part: Part) -> dict[str, Any] | None:
    """A member of `content`, None where Cohere has nothing for it."""
    if isinstance(part, Text):
        return {**extras_of(part.extras, CHAT), "type": "text", "text": part.text}
    if isinstance(part, Thinking):
        return {**extras_of(part.extras, CHAT), "type": "thinking", "thinking": part.text}
    if isinstance(part, Refused):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        own = extras_of(part.extras, CHAT)
        url = _url(part.source)
        if url is None:
            return None
        inner = put(
            dict(cast("dict[str, Any]", own.get("image_url") or {})), url=url, detail=part.detail or None
        )
        return {**own, "type": "image_url", "image_url": inner}
    if isinstance(part, Opaque) and part.shape == CHAT:
        return part.value
    return None


def _url(source: Source) -> str | None:
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}"
    return None if isinstance(source, Plain | FileRef) else source.url


def read_call(body: Taker) -> ToolCall | None:
    """A tool call, None where it cannot be read; Cohere writes the arguments of no arguments as `null`."""
    function = body.object("function")
    call_id = body.text("id") if body.rest.get("id") else None
    name = function.text("name") if function is not None else None
    if function is None or name is None:
        return None
    arguments = function.text("arguments")
    if arguments == "null" or arguments is None:
        function.rest[ARGUMENTS] = arguments
        arguments = "{}"
    if not call_id:
        call_id = made_id("call_", name, arguments)
        body.rest[MADE] = True
    if body.rest.get("type") == "function":
        del body.rest["type"]
    if function.rest:
        body.rest["function"] = function.rest
    return ToolCall(call_id, name, arguments, extras=Extras(CHAT, body.rest))


def write_call(call: ToolCall, call_id: str) -> dict[str, Any]:
    """A tool call."""
    own = extras_of(call.extras, CHAT)
    kept = call.extras is not None and call.extras.shape == CHAT
    function = dict(cast("dict[str, Any]", own.pop("function", {})))
    arguments = call.arguments if kept else call.arguments or "{}"
    if ARGUMENTS in function:
        came = function.pop(ARGUMENTS)
        arguments = came if arguments == "{}" else arguments
    put(function, name=call.name, arguments=arguments)
    if not own.pop(MADE, False):
        own["id"] = call_id
    return {**own, "type": own.get("type", "function"), "function": function}
