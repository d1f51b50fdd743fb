"""Images, files and sound in a request's content, and the pivot's media parts."""

from __future__ import annotations

from typing import Any

from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
    CacheHint,
    Document,
    Extras,
    FileRef,
    Image,
    Inline,
    Link,
    Plain,
    Source,
)
from penstock.shapes.openai_responses.names import SHAPE, is_own, mark, wire_fields
from penstock.shapes.taker import Taker, put

_TTL_S = {"30m": 1800, "12h": 43200}
_BY_SUFFIX = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def decode_cache(taker: Taker) -> CacheHint | None:
    """The part's cache breakpoint."""
    found = taker.value("prompt_cache_breakpoint")
    if found is None:
        return None
    ttl = found.get("ttl")
    return CacheHint(_TTL_S.get(ttl) if isinstance(ttl, str) else None, Extras(SHAPE, found))


def encode_cache(hint: CacheHint | None) -> dict[str, Any] | None:
    """A breakpoint that came in this shape; which models take one is not told by their API."""
    if hint is None or not is_own(hint.extras):
        return None
    out = wire_fields(hint.extras)
    word = next((name for name, seconds in _TTL_S.items() if seconds == hint.ttl_s), None)
    return put(out, ttl=word)


def source_of_url(url: str) -> Source:
    """Media at an address, or inside it."""
    if url.startswith("data:"):
        media_type, mark_of_base64, data = url[5:].partition(";base64,")
        if mark_of_base64:
            return Inline(media_type, data)
    return Link(url)


def url_of_source(source: Source) -> str | None:
    """The address of media, None where it has none."""
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}"
    return source.url if isinstance(source, Link) else None


def decode_image(taker: Taker) -> Image:
    """An `input_image`."""
    url = taker.text("image_url")
    file_id = taker.text("file_id") if url is None else None
    if url is None and file_id is None:
        raise ShapeError(taker.path("image_url"), "a string")
    source = source_of_url(url) if url is not None else FileRef(file_id or "")
    detail = taker.text("detail") or ""
    cache = decode_cache(taker)
    return Image(source, detail, cache, None, taker.extras(SHAPE))


def encode_image(image: Image) -> dict[str, Any] | None:
    """An `input_image`, None where the API cannot be told where the picture is."""
    source, own = image.source, is_own(image.extras)
    out: dict[str, Any] = wire_fields(image.extras) if own else {"type": "input_image"}
    if isinstance(source, FileRef):
        out["file_id"] = source.file_id
    else:
        url = url_of_source(source)
        if url is None or not (own or url.startswith(("data:", "http:", "https:"))):
            return None
        out["image_url"] = url
    # The reference requires a detail of those who write one anew.
    detail = image.detail or (None if own else "auto")
    return put(out, detail=detail, prompt_cache_breakpoint=encode_cache(image.cache))


def decode_file(taker: Taker) -> Document:
    """An `input_file`."""
    name = taker.text("filename")
    source: Source
    if (data := taker.text("file_data")) is not None:
        found = source_of_url(data)
        if isinstance(found, Inline):
            source = found
        else:
            taker.rest["~raw"] = True
            suffix = (name or "").rpartition(".")[2].lower()
            source = Inline(_BY_SUFFIX.get(suffix, "application/pdf"), data)
    elif (url := taker.text("file_url")) is not None:
        source = Link(url)
    elif (file_id := taker.text("file_id")) is not None:
        source = FileRef(file_id)
    else:
        raise ShapeError(taker.path("file_data"), "a string, or file_url or file_id")
    if name == "":
        taker.rest["filename"] = ""
    cache = decode_cache(taker)
    return Document(source, name or "", cache=cache, extras=taker.extras(SHAPE))


def encode_file(document: Document) -> dict[str, Any]:
    """An `input_file`; a text that was given as such becomes an `input_text`."""
    own = is_own(document.extras)
    source = document.source
    if isinstance(source, Plain):
        title = document.title or document.name
        return {"type": "input_text", "text": f"{title}\n\n{source.text}" if title else source.text}
    out: dict[str, Any] = wire_fields(document.extras) if own else {"type": "input_file"}
    if isinstance(source, FileRef):
        out["file_id"] = source.file_id
    elif isinstance(source, Link):
        out["file_url"] = source.url
    else:
        raw = mark(document.extras, "~raw")
        out["file_data"] = source.data if raw else url_of_source(source)
        if not own and not document.name:
            out["filename"] = _file_name(document, source)
    return put(out, filename=document.name or None, prompt_cache_breakpoint=encode_cache(document.cache))


def _file_name(document: Document, source: Inline) -> str:
    """A name for inline data, which the API wants."""
    suffix = next((name for name, media in _BY_SUFFIX.items() if media == source.media_type), "bin")
    title = document.title or "document"
    return title if title.lower().endswith("." + suffix) else f"{title}.{suffix}"


def decode_audio(taker: Taker) -> Audio:
    """An `input_audio`."""
    inner = taker.object("input_audio")
    if inner is None:
        raise ShapeError(taker.path("input_audio"), "an object")
    data, kind = inner.need("data"), inner.text("format") or ""
    if inner.rest:
        taker.rest["input_audio"] = inner.rest
    return Audio(Inline("audio/" + (kind or "wav"), data), kind, extras=taker.extras(SHAPE))


def encode_audio(audio: Audio) -> dict[str, Any] | None:
    """An `input_audio`, None where the sound is elsewhere."""
    if not isinstance(audio.source, Inline):
        return None
    out: dict[str, Any] = wire_fields(audio.extras) if is_own(audio.extras) else {"type": "input_audio"}
    kind = audio.format or audio.source.media_type.rpartition("/")[2]
    out["input_audio"] = {**out.get("input_audio", {}), "data": audio.source.data, "format": kind}
    return out


def decode_made_image(value: dict[str, Any]) -> Image | None:
    """A picture that the model made, from its call of the built-in tool; None where the item has none yet."""
    result = value.get("result")
    if not isinstance(result, str) or not result:
        return None
    kind = value.get("output_format")
    rest = {name: member for name, member in value.items() if name != "result"}
    media_type = f"image/{kind if isinstance(kind, str) else 'png'}"
    return Image(Inline(media_type, result), extras=Extras(SHAPE, {**rest, "~made": True}))


def encode_made_image(image: Image) -> dict[str, Any] | None:
    """The item again, None for a picture that is not one of these."""
    if not mark(image.extras, "~made") or not isinstance(image.source, Inline):
        return None
    return {**wire_fields(image.extras), "result": image.source.data}
