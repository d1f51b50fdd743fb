"""Content blocks, of which requests, results of tools, and replies are made.

A block of a kind that has no equal in the pivot (what the vendor's own tools were asked and gave, uploads to a
container, …) is Opaque: it goes back as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import Document, Image, Opaque, Part, Plain, Text, Thinking, ToolCall, ToolResult
from penstock.core.seals import unwrap, wrap
from penstock.shapes.anthropic import NO_SEAL, SHAPE
from penstock.shapes.anthropic.cache import read_cache, write_cache
from penstock.shapes.anthropic.calls import arguments_of, input_of, vendor_id
from penstock.shapes.anthropic.citations import kept, read_citation, write_citation
from penstock.shapes.anthropic.sources import BLOCKS, read_source, take_blocks, text_of_blocks, write_source
from penstock.shapes.taker import Taker, extras_of

FORM = "~form"
UNSEALED = "unsealed"  # the form of thinking of a vendor that does not sign
_MAX_DEPTH = 4


def read_blocks(values: list[Any], where: str, *, strict: bool, depth: int = 0) -> tuple[Part, ...]:
    """The parts for a list of blocks."""
    return tuple(
        [read_block(value, f"{where}[{at}]", strict=strict, depth=depth) for at, value in enumerate(values)]
    )


def read_block(value: Any, where: str, *, strict: bool, depth: int = 0) -> Part:
    """The part for a block. Raises ShapeError where it is no object, or, `strict`, where it is malformed."""
    if not isinstance(value, dict):
        raise ShapeError(where, "an object")
    block = cast("dict[str, Any]", value)
    kind = block.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) and depth < _MAX_DEPTH else None
    if reader is None:
        if strict and not isinstance(kind, str):
            raise ShapeError(f"{where}.type", "a string")
        return Opaque(SHAPE, block)
    try:
        taker = Taker(block, where, strict=strict)
        del taker.rest["type"]
        part = reader(taker, depth)
    except ShapeError:
        if strict:
            raise
        part = None
    return part if part is not None else Opaque(SHAPE, block)


def _text(taker: Taker, _: int) -> Part:
    cache = read_cache(taker)
    given = taker.rest.get("citations")
    cited = cast("list[Any]", given) if isinstance(given, list) else []
    if cited and all(isinstance(each, dict) for each in cited):
        del taker.rest["citations"]
        citations = tuple([read_citation(each) for each in cited])
    else:
        citations = ()
    return Text(taker.need("text"), citations, cache, extras=taker.extras(SHAPE))


def _image(taker: Taker, _: int) -> Part | None:
    source, cache = read_source(taker), read_cache(taker)
    return Image(source, cache=cache, extras=taker.extras(SHAPE)) if source is not None else None


def _document(taker: Taker, _: int) -> Part | None:
    source, cache = read_source(taker), read_cache(taker)
    if source is None:
        return None
    title, context, citable = kept(taker, "title"), kept(taker, "context"), _citable(taker)
    return Document(
        source, title=title, context=context, citable=citable, cache=cache, extras=taker.extras(SHAPE)
    )


def _search_result(taker: Taker, _: int) -> Part | None:
    text = text_of_blocks(taker.rest.get("content"))
    if text is None:
        return None
    cache, title, citable = read_cache(taker), kept(taker, "title"), _citable(taker)
    taker.rest[BLOCKS] = taker.rest.pop("content")
    taker.rest[FORM] = "search_result"
    return Document(Plain(text), title=title, citable=citable, cache=cache, extras=taker.extras(SHAPE))


def _citable(taker: Taker) -> bool:
    if taker.rest.get("citations") == {"enabled": True}:
        del taker.rest["citations"]
        return True
    return False


def _tool_use(taker: Taker, _: int) -> Part:
    where = taker.path("input")
    if "input" not in taker.rest:
        taker.rest[FORM] = "no input"
    given, cache = taker.value("input"), read_cache(taker)
    arguments = arguments_of(given, where) if given is not None else ""
    call_id, name = taker.need("id"), taker.need("name")
    return ToolCall(call_id, name, arguments, cache=cache, extras=taker.extras(SHAPE))


def _tool_result(taker: Taker, depth: int) -> Part:
    call_id, is_error, cache = taker.need("tool_use_id"), taker.flag("is_error"), read_cache(taker)
    given: Any = taker.rest.get("content")
    content: tuple[Part, ...] = ()
    if isinstance(given, str):
        content = (Text(given),)
        taker.rest[FORM] = "text"
        del taker.rest["content"]
    elif isinstance(given, list) and given:
        blocks = cast("list[Any]", given)
        content = read_blocks(blocks, taker.path("content"), strict=taker.strict, depth=depth + 1)
        del taker.rest["content"]
    elif given is not None and not isinstance(given, list) and taker.strict:
        raise ShapeError(taker.path("content"), "a string or a list")
    return ToolResult(call_id, content=content, is_error=is_error, cache=cache, extras=taker.extras(SHAPE))


def _thinking(taker: Taker, _: int) -> Part:
    cache, sealed = read_cache(taker), kept(taker, "signature")
    signature = unwrap(sealed, SHAPE) if sealed else None
    if signature is not None and not signature.signer:
        signature = None
        taker.rest[FORM] = UNSEALED
    return Thinking(taker.need("thinking"), signature, cache=cache, extras=taker.extras(SHAPE))


def _redacted(taker: Taker, _: int) -> Part:
    return Thinking(sealed=unwrap(taker.need("data"), SHAPE), extras=taker.extras(SHAPE))


_READERS: dict[str, Callable[[Taker, int], Part | None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}


def write_blocks(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """The blocks for the parts that have one."""
    return [block for part in parts if (block := write_block(part)) is not None]


def write_block(part: Part) -> dict[str, Any] | None:
    """The block for a part, None where this API has none for it."""
    writer = _WRITERS.get(type(part))
    return writer(part) if writer is not None else None


def _write_text(part: Text) -> dict[str, Any]:
    block = extras_of(part.extras, SHAPE)
    block.update({"type": "text", "text": part.text})
    if part.citations:
        cited = [write_citation(each) for each in part.citations]
        found = [each for each in cited if each is not None]
        if found:
            block["citations"] = found
    return write_cache(block, part.cache)


def _write_image(part: Image) -> dict[str, Any]:
    block = extras_of(part.extras, SHAPE)
    block["type"] = "image"
    block["source"] = write_source(block, part.source)
    return write_cache(block, part.cache)


def _write_document(part: Document) -> dict[str, Any]:
    block = extras_of(part.extras, SHAPE)
    form = block.pop(FORM, None)
    if form == "search_result" and isinstance(part.source, Plain):
        block["type"] = form
        content = take_blocks(block, part.source.text)
        block["content"] = content if content is not None else [{"type": "text", "text": part.source.text}]
    else:
        block["type"] = "document"
        block["source"] = write_source(block, part.source)
        if part.context:
            block["context"] = part.context
    title = part.title or part.name
    if title:
        block["title"] = title
    if part.citable:
        block["citations"] = {"enabled": True}
    return write_cache(block, part.cache)


def _write_call(part: ToolCall) -> dict[str, Any]:
    block = extras_of(part.extras, SHAPE)
    silent = block.pop(FORM, None) is not None or "input" in block
    block.update({"type": "tool_use", "id": vendor_id(part.id), "name": part.name})
    if part.arguments or not silent:
        block["input"] = input_of(part.arguments)
    return write_cache(block, part.cache)


def _write_result(part: ToolResult) -> dict[str, Any]:
    block = extras_of(part.extras, SHAPE)
    as_text = block.pop(FORM, None) is not None
    block.update({"type": "tool_result", "tool_use_id": vendor_id(part.call_id)})
    content = part.content
    if part.value is not None:
        block["content"] = arguments_of(part.value, "a tool result")
    elif len(content) == 1 and as_text and _is_plain(content[0]):
        block["content"] = cast("Text", content[0]).text
    elif content:
        block["content"] = write_blocks(content)
    if part.is_error is not None:
        block["is_error"] = part.is_error
    return write_cache(block, part.cache)


def _is_plain(part: Part) -> bool:
    return isinstance(part, Text) and part == Text(part.text)


def _write_thinking(part: Thinking) -> dict[str, Any]:
    block = extras_of(part.extras, SHAPE)
    unsealed = block.pop(FORM, None) is not None
    if part.sealed is not None and not part.text:
        return {**block, "type": "redacted_thinking", "data": wrap(part.sealed, SHAPE)}
    block.update({"type": "thinking", "thinking": part.text})
    if part.signature is not None:
        block["signature"] = wrap(part.signature, SHAPE)
    elif unsealed:
        block["signature"] = NO_SEAL
    return write_cache(block, part.cache)


def _write_opaque(part: Opaque) -> dict[str, Any] | None:
    return part.value if part.shape == SHAPE else None


_WRITERS: dict[type, Callable[[Any], dict[str, Any] | None]] = {
    Text: _write_text,
    Image: _write_image,
    Document: _write_document,
    ToolCall: _write_call,
    ToolResult: _write_result,
    Thinking: _write_thinking,
    Opaque: _write_opaque,
}
