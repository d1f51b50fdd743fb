"""Content blocks to parts: what requests and replies have in common.

A cache point is a block of its own that speaks of the one before it; it becomes that part's cache hint. A block
that is new, or that only Bedrock understands, stays whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from msgspec.structs import replace

from penstock.core.errors import ShapeError
from penstock.core.parts import CacheHint, Opaque, Part, Refused, Text, ToolResult
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.citations import decode_citation, encode_citation
from penstock.shapes.converse.keep import (
    block,
    cut_pieces,
    join_pieces,
    json_text,
    json_value,
    keep,
    kept,
    kept_object,
    sizes_to_keep,
)
from penstock.shapes.converse.media import decode_media
from penstock.shapes.converse.thinking import decode_thinking
from penstock.shapes.converse.tool_blocks import decode_tool_use
from penstock.shapes.taker import Taker

_TTL = {"5m": 300, "1h": 3600}
_TTL_NAME = {seconds: name for name, seconds in _TTL.items()}
_STATUS = {"success": False, "error": True}
CITED = "citationsContent"
JSON = "json"


def decode_blocks(items: list[Any], where: str, *, strict: bool) -> tuple[Part, ...]:
    """The parts of a list of blocks."""
    parts: list[Part] = []
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            raise ShapeError(f"{where}[{at}]", "an object")
        value = cast("dict[str, Any]", item)
        if not value:
            parts.append(Opaque(SHAPE, value))
            continue
        if "cachePoint" in value and parts and _hint(parts, value):
            continue
        parts.append(decode_block(value, f"{where}[{at}]", strict=strict))
    return tuple(parts)


def decode_block(value: dict[str, Any], where: str, *, strict: bool) -> Part:
    """One block, by the first of its members that is known."""
    for name in value:
        reader = _READERS.get(name)
        if reader is not None:
            part = reader(Taker(value, where, strict=strict))
            if part is not None:
                return part
            break
    return Opaque(SHAPE, value)


def _text(beside: Taker) -> Part | None:
    text = beside.text("text")
    return Text(text, extras=keep(beside=beside.rest)) if text is not None else None


def _cited(beside: Taker) -> Part | None:
    inside = beside.object(CITED)
    if inside is None:
        return None
    citations = inside.objects("citations")
    pieces = join_pieces(inside.rest.get("content"))
    if pieces is not None:
        del inside.rest["content"]
    text, sizes = pieces if pieces is not None else ("", [0])
    return Text(
        text,
        tuple([decode_citation(each) for each in citations or ()]),
        extras=keep(
            form=CITED,
            inside=inside.rest,
            beside=beside.rest,
            sizes=sizes_to_keep(sizes),
            absent=_absent(content=pieces, citations=citations),
        ),
    )


def _absent(**members: Any) -> list[str] | None:
    return [name for name, value in members.items() if value is None] or None


def _json(beside: Taker) -> Part | None:
    value = beside.any(JSON)
    return None if value is None else Text(json_text(value), extras=keep(form=JSON, beside=beside.rest))


def _tool_result(beside: Taker) -> Part | None:
    given = beside.rest.get("toolResult")
    if isinstance(given, dict) and "type" in given:
        return None  # of a tool that Bedrock ran itself
    inside = beside.object("toolResult")
    call_id = inside.text("toolUseId") if inside is not None else None
    if inside is None or call_id is None:
        return None
    content = inside.items("content")
    status = inside.rest.get("status")
    if isinstance(status, str) and status in _STATUS:
        del inside.rest["status"]
    value = _only_json(content)
    parts: tuple[Part, ...] = ()
    if content is not None and value is None:
        parts = decode_blocks(content, inside.path("content"), strict=inside.strict)
    return ToolResult(
        call_id,
        content=parts,
        value=value,
        is_error=_STATUS.get(status) if isinstance(status, str) else None,
        extras=keep(inside=inside.rest, beside=beside.rest, absent=_absent(content=content)),
    )


def _only_json(content: list[Any] | None) -> Any:
    """The value of a result that is one JSON value and nothing else."""
    if content is None or len(content) != 1 or not isinstance(content[0], dict):
        return None
    only = cast("dict[str, Any]", content[0])
    return only.get(JSON) if len(only) == 1 else None


_READERS: dict[str, Callable[[Taker], Part | None]] = {
    "text": _text,
    CITED: _cited,
    JSON: _json,
    "image": lambda beside: decode_media(beside, "image"),
    "document": lambda beside: decode_media(beside, "document"),
    "video": lambda beside: decode_media(beside, "video"),
    "audio": lambda beside: decode_media(beside, "audio"),
    "reasoningContent": decode_thinking,
    "toolUse": decode_tool_use,
    "toolResult": _tool_result,
}


def _hint(parts: list[Part], value: dict[str, Any]) -> bool:
    """Give the last part the cache point's hint; not where it has one, or can have none."""
    last, point = parts[-1], value["cachePoint"]
    if len(value) != 1 or not isinstance(point, dict) or isinstance(last, Opaque | Refused):
        return False
    members = cast("dict[str, Any]", point)
    if last.cache is not None or members.get("type") != "default":
        return False
    parts[-1] = replace(last, cache=decode_cache_point(members))
    return True


def decode_cache_point(point: dict[str, Any]) -> CacheHint:
    """The hint that a cache point gives."""
    rest = {name: value for name, value in point.items() if name != "type"}
    named = rest.get("ttl")
    ttl_s = _TTL.get(named) if isinstance(named, str) else None
    if ttl_s is not None:
        del rest["ttl"]
    return CacheHint(ttl_s, keep(point=rest, form="ttl" if ttl_s is not None else None))


def encode_cache_point(hint: CacheHint) -> dict[str, Any]:
    """The block for a hint. Five minutes are what Bedrock does unasked: only its own clients' are repeated."""
    point = {"type": "default", **kept_object(hint.extras, "point")}
    name = _TTL_NAME.get(hint.ttl_s) if hint.ttl_s is not None else None
    if name is not None and (kept(hint.extras, "form") == "ttl" or hint.ttl_s == 3600):
        point["ttl"] = name
    return {"cachePoint": point}


def text_block(part: Text) -> dict[str, Any]:
    """A text's block in the form in which it came."""
    if part.extras is None:
        return {"text": part.text}
    if kept(part.extras, "form") == JSON:
        try:
            return block(part.extras, JSON, json_value(part.text))
        except ValueError:
            return {"text": part.text}
    return block(part.extras, "text", part.text)


def cited_block(part: Text) -> dict[str, Any]:
    """A text with the places that it comes from."""
    value = kept_object(part.extras, "inside")
    absent = kept(part.extras, "absent") or ()
    if part.text or "content" not in absent:
        value["content"] = cut_pieces(part.text, kept(part.extras, "sizes"))
    if part.citations or "citations" not in absent:
        value["citations"] = [encode_citation(each) for each in part.citations]
    return block(part.extras, CITED, value)


def tool_result_block(part: ToolResult, call_id: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    """A tool's result with its content as blocks."""
    value = kept_object(part.extras, "inside")
    value["toolUseId"] = call_id
    if content or "content" not in (kept(part.extras, "absent") or ()):
        value["content"] = content
    if part.is_error is not None:
        value["status"] = "error" if part.is_error else "success"
    return block(part.extras, "toolResult", value)
