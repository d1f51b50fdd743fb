"""The items of a message's `content`, read and written by type.

Beside OpenAI's own types stand those that compatible vendors take: `video_url` and `audio_url` (vLLM, Qwen),
`file_url` (Perplexity), `document_url` and `thinking` (Mistral, https://docs.mistral.ai/api/). Any other type
is kept as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
    Document,
    Extras,
    FileRef,
    Image,
    Inline,
    Opaque,
    Part,
    Refused,
    Source,
    Text,
    Thinking,
    Video,
)
from penstock.shapes.openai_chat.data_url import exact, source_of, url_of
from penstock.shapes.openai_chat.forms import cache_control, fold, take_cache
from penstock.shapes.taker import Taker, extras_of

_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}
_PDF = "application/pdf"


def read_content(t: Taker, shape: str) -> tuple[Part, ...]:
    """Take `content`. An empty string stays where it is: it says nothing."""
    value = t.rest.get("content")
    if isinstance(value, str):
        if not value:
            return ()
        del t.rest["content"]
        return (Text(value),)
    if isinstance(value, list):
        del t.rest["content"]
        t.rest["~content"] = "list"
        where = t.path("content")
        items = enumerate(cast("list[Any]", value))
        return tuple([read_item(item, f"{where}[{at}]", shape, strict=t.strict) for at, item in items])
    if value is not None and t.strict:
        raise ShapeError(t.path("content"), "a string or a list")
    return ()


def read_item(item: Any, where: str, shape: str, *, strict: bool) -> Part:
    """One item of a list."""
    if not isinstance(item, dict):
        if strict:
            raise ShapeError(where, "an object")
        return Opaque(shape, {"~item": item})
    t = Taker(cast("dict[str, Any]", item), where, strict=strict)
    kind = t.rest.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None and strict and not isinstance(kind, str):
        raise ShapeError(t.path("type"), "a string")
    part = reader(t, shape) if reader is not None else None
    return part if part is not None else Opaque(shape, cast("dict[str, Any]", item))


def write_item(part: Part, shape: str) -> dict[str, Any] | None:
    """The part as an item, None where a list of content has no form for it."""
    writer = _WRITERS.get(type(part))
    return writer(part, shape) if writer is not None else None


def _read_text(t: Taker, shape: str) -> Part | None:
    text = t.text("text")
    if text is None:
        if t.strict:
            raise ShapeError(t.path("text"), "a string")
        return None
    del t.rest["type"]
    return Text(text, cache=take_cache(t, shape), extras=t.extras(shape))


def _write_text(part: Text, shape: str) -> dict[str, Any]:
    out = {"type": "text", "text": part.text, **extras_of(part.extras, shape)}
    if part.cache is not None:
        out["cache_control"] = cache_control(part.cache, shape)
    return out


def _take_url(t: Taker, name: str) -> tuple[Source, Taker | None] | None:
    """An address that stands in an object, or, where a vendor allows it, as a string."""
    value = t.rest.get(name)
    inner: Taker | None = None
    if isinstance(value, str):
        t.rest["~form"] = "string"
        del t.rest[name]
        url = value
    else:
        inner = t.object(name)
        found = inner.text("url") if inner is not None else None
        if found is None or inner is None:
            if t.strict:
                raise ShapeError(f"{t.path(name)}.url", "a string")
            return None
        url = found
    if not exact(url):
        t.rest["~url"] = url
    return source_of(url), inner


def _put_url(source: Source, name: str, base: dict[str, Any]) -> dict[str, Any]:
    url = url_of(source, base.pop("~url", None))
    if base.pop("~form", None) == "string":
        return {name: url, **base}
    return {**base, name: {"url": url, **base.get(name, {})}}


def _read_image(t: Taker, shape: str) -> Part | None:
    found = _take_url(t, "image_url")
    if found is None:
        return None
    source, inner = found
    detail = (inner.text("detail") if inner is not None else None) or ""
    if inner is not None:
        fold(t, "image_url", inner)
    del t.rest["type"]
    return Image(source, detail, take_cache(t, shape), extras=t.extras(shape))


def _write_image(part: Image, shape: str) -> dict[str, Any]:
    out = _put_url(part.source, "image_url", extras_of(part.extras, shape))
    if part.detail:
        if isinstance(out["image_url"], str):
            out["image_url"] = {"url": out["image_url"]}
        out["image_url"]["detail"] = part.detail
    if part.cache is not None:
        out["cache_control"] = cache_control(part.cache, shape)
    return {"type": "image_url", **out}


def _read_linked(t: Taker, shape: str) -> Part | None:
    kind: str = t.rest["type"]
    found = _take_url(t, kind)
    if found is None:
        return None
    source, inner = found
    if inner is not None:
        fold(t, kind, inner)
    cache = take_cache(t, shape)
    t.rest["~type"] = t.rest.pop("type")
    if kind == "video_url":
        return Video(source, cache, t.extras(shape))
    if kind == "audio_url":
        return Audio(source, cache=cache, extras=t.extras(shape))
    name = t.text("document_name") or ""
    return Document(source, name, cache=cache, extras=t.extras(shape))


def _write_linked(
    part: Video | Audio | Document, kind: str, source: Source, base: dict[str, Any], shape: str
) -> dict[str, Any]:
    out = {"type": kind, **_put_url(source, kind, base)}
    if isinstance(part, Document) and part.name:
        out["document_name"] = part.name
    if part.cache is not None:
        out["cache_control"] = cache_control(part.cache, shape)
    return out


def _write_video(part: Video, shape: str) -> dict[str, Any]:
    base = extras_of(part.extras, shape)
    return _write_linked(part, base.pop("~type", "video_url"), part.source, base, shape)


def _read_audio(t: Taker, shape: str) -> Part | None:
    inner = t.object("input_audio")
    data = inner.text("data") if inner is not None else None
    if inner is None or data is None:
        if t.strict:
            raise ShapeError(t.path("input_audio") + ".data", "a string")
        return None
    kind = inner.text("format") or ""
    source: Source = Inline(f"audio/{kind}" if kind else "", data)
    if data.startswith(("data:", "https://", "http://")):
        source = source_of(data)
        t.rest["~url"] = data
    fold(t, "input_audio", inner)
    del t.rest["type"]
    return Audio(source, kind, cache=take_cache(t, shape), extras=t.extras(shape))


def _write_audio(part: Audio, shape: str) -> dict[str, Any] | None:
    source, base = part.source, extras_of(part.extras, shape)
    if source is None:
        return None
    if "~type" in base:
        return _write_linked(part, base.pop("~type"), source, base, shape)
    said = base.pop("~url", None)
    inner = dict(base.pop("input_audio", {}))
    if said is not None and source_of(said) == source:
        inner["data"] = said
    else:
        inner["data"] = source.data if isinstance(source, Inline) else url_of(source)
    kind = part.format or (_FORMATS.get(source.media_type, "") if isinstance(source, Inline) else "")
    if kind:
        inner["format"] = kind
    out = {"type": "input_audio", **base, "input_audio": inner}
    if part.cache is not None:
        out["cache_control"] = cache_control(part.cache, shape)
    return out


def _read_file(t: Taker, shape: str) -> Part | None:
    inner = t.object("file")
    if inner is None:
        return None
    data, file_id = inner.text("file_data"), inner.text("file_id")
    name = inner.text("filename") or ""
    source: Source
    if data is not None:
        source = source_of(data) if ":" in data[:8] else Inline(_PDF, data)
        if url_of(source) != data:
            t.rest["~url"] = data
        if file_id is not None:
            inner.rest["file_id"] = file_id
    elif file_id is not None:
        source = FileRef(file_id)
    else:
        return None
    fold(t, "file", inner)
    del t.rest["type"]
    return Document(source, name, cache=take_cache(t, shape), extras=t.extras(shape))


def _write_file(part: Document, shape: str) -> dict[str, Any]:
    source, base = part.source, extras_of(part.extras, shape)
    if "~type" in base:
        return _write_linked(part, base.pop("~type"), source, base, shape)
    said = base.pop("~url", None)
    inner = dict(base.pop("file", {}))
    if isinstance(source, FileRef):
        inner["file_id"] = source.file_id
    elif said is not None and Inline(_PDF, said) == source:
        inner["file_data"] = said
    else:
        inner["file_data"] = url_of(source, said)
    if part.name:
        inner["filename"] = part.name
    out = {"type": "file", **base, "file": inner}
    if part.cache is not None:
        out["cache_control"] = cache_control(part.cache, shape)
    return out


def _read_refusal(t: Taker, shape: str) -> Part | None:
    text = t.text("refusal")
    if text is None:
        return None
    t.rest["~in"] = t.rest.pop("type")
    return Refused(text, t.extras(shape))


def _write_refusal(part: Refused, shape: str) -> dict[str, Any]:
    base = extras_of(part.extras, shape)
    return {"type": base.pop("~in", "refusal"), "refusal": part.text, **base}


def thought(value: Any) -> str:
    """The text of a `thinking` item: a string, or a list of text items."""
    if isinstance(value, str):
        return value
    items = cast("list[Any]", value) if isinstance(value, list) else []
    texts = [cast("dict[str, Any]", item).get("text") for item in items if isinstance(item, dict)]
    return "".join([text for text in texts if isinstance(text, str)])


def _read_thinking(t: Taker, shape: str) -> Part | None:
    value = t.rest.pop("thinking", None)
    text = thought(value)
    if value != [{"type": "text", "text": text}]:
        t.rest["~thinking"] = value
    t.rest["~in"] = t.rest.pop("type")
    return Thinking(text, extras=t.extras(shape))


def _write_thinking(part: Thinking, shape: str) -> dict[str, Any]:
    base = extras_of(part.extras, shape)
    said = base.pop("~thinking", None)
    inner = said if said is not None and thought(said) == part.text else [{"type": "text", "text": part.text}]
    return {"type": base.pop("~in", "thinking"), "thinking": inner, **base}


def _write_opaque(part: Opaque, shape: str) -> dict[str, Any] | None:
    if part.shape != shape or "~call" in part.value:
        return None
    return part.value


_READERS: dict[str, Callable[[Taker, str], Part | None]] = {
    "text": _read_text,
    "image_url": _read_image,
    "video_url": _read_linked,
    "audio_url": _read_linked,
    "file_url": _read_linked,
    "document_url": _read_linked,
    "input_audio": _read_audio,
    "file": _read_file,
    "refusal": _read_refusal,
    "thinking": _read_thinking,
}
_WRITERS: dict[type, Callable[[Any, str], dict[str, Any] | None]] = {
    Text: _write_text,
    Image: _write_image,
    Video: _write_video,
    Audio: _write_audio,
    Document: _write_file,
    Refused: _write_refusal,
    Thinking: _write_thinking,
    Opaque: _write_opaque,
}


def in_content(extras: Extras | None, shape: str) -> bool:
    """Whether the part stood in the list of content although its kind has a member of its own."""
    return extras is not None and extras.shape == shape and "~in" in extras.fields
