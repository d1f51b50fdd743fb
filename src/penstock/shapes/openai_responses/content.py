"""What stands inside a message: text, media, refusals; every other kind is kept as it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import Audio, Document, Image, Opaque, Part, Refused, Text
from penstock.shapes.openai_responses.annotations import decode_annotations, encode_annotation
from penstock.shapes.openai_responses.media import (
    decode_audio,
    decode_cache,
    decode_file,
    decode_image,
    encode_audio,
    encode_cache,
    encode_file,
    encode_image,
)
from penstock.shapes.openai_responses.names import SHAPE, is_own, mark, wire_fields
from penstock.shapes.taker import Taker, put


def _text(taker: Taker) -> Text:
    text = taker.need("text")
    citations = None
    found = taker.rest.get("annotations")
    if isinstance(found, list):
        citations = decode_annotations(cast("list[Any]", found))
        if citations is not None:
            taker.rest["~annotations"] = True
            del taker.rest["annotations"]
    cache = decode_cache(taker)
    return Text(text, citations or (), cache, None, taker.extras(SHAPE))


def _refusal(taker: Taker) -> Refused:
    return Refused(taker.need("refusal"), taker.extras(SHAPE))


_READERS: dict[str, Callable[[Taker], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": decode_image,
    "input_file": decode_file,
    "input_audio": decode_audio,
}


def decode_part(value: Any, where: str, *, strict: bool) -> Part:
    """One content part. The extras keep its type, so that one of this shape can be told from a foreign one."""
    taker = Taker(value, where, strict=strict)
    kind = taker.rest.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return Opaque(SHAPE, taker.rest)
    try:
        return read(taker)
    except ShapeError:
        if strict:
            raise
        return Opaque(SHAPE, cast("dict[str, Any]", value))


def decode_parts(values: list[Any], where: str, *, strict: bool) -> tuple[Part, ...]:
    """A list of content parts."""
    return tuple([decode_part(each, f"{where}[{at}]", strict=strict) for at, each in enumerate(values)])


def encode_text(part: Text, kind: str) -> dict[str, Any]:
    """A text as `input_text` or `output_text`; one of this shape keeps its own type."""
    if is_own(part.extras):
        out = wire_fields(part.extras)
        kind = out.get("type", kind)
    else:
        out: dict[str, Any] = {"type": kind}
    out["text"] = part.text
    if kind == "output_text" and (
        part.citations or mark(part.extras, "~annotations") or not is_own(part.extras)
    ):
        out["annotations"] = [encode_annotation(each, len(part.text)) for each in part.citations]
    return put(out, prompt_cache_breakpoint=encode_cache(part.cache))


def encode_refusal(part: Refused) -> dict[str, Any]:
    """A refusal."""
    out = wire_fields(part.extras) if is_own(part.extras) else {"type": "refusal"}
    out["refusal"] = part.text
    return out


def encode_part(part: Part, kind: str) -> dict[str, Any] | None:
    """One content part, None where the API has nothing like it; `kind` is what a foreign text becomes."""
    if isinstance(part, Text):
        return encode_text(part, kind)
    if isinstance(part, Refused):
        return encode_refusal(part)
    if isinstance(part, Image):
        return encode_image(part)
    if isinstance(part, Document):
        return encode_file(part)
    if isinstance(part, Audio):
        return encode_audio(part)
    if isinstance(part, Opaque) and part.shape == SHAPE:
        return {name: value for name, value in part.value.items() if not name.startswith("~")}
    return None
