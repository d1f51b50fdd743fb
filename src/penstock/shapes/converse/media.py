"""Images, documents, video and sound: `{"image": {"format": …, "source": {…}}}` and its like."""

from __future__ import annotations

from typing import Any

from penstock.core.parts import Audio, Document, Extras, Image, Inline, Link, Plain, Source, Video
from penstock.shapes.converse.keep import block, cut_pieces, filled, join_pieces, keep, kept, kept_object
from penstock.shapes.taker import Taker, put

_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES: dict[str, dict[str, str]] = {
    "image": {name: f"image/{name}" for name in ("png", "jpeg", "gif", "webp")},
    "video": {
        "mp4": "video/mp4",
        "webm": "video/webm",
        "mov": "video/quicktime",
        "mkv": "video/x-matroska",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    "audio": {
        "mp3": "audio/mpeg",
        "wav": "audio/wav",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "ogg": "audio/ogg",
        "mp4": "audio/mp4",
        "m4a": "audio/x-m4a",
        "webm": "audio/webm",
        "pcm": "audio/pcm",
    },
    "document": {
        "pdf": "application/pdf",
        "txt": "text/plain",
        "md": "text/markdown",
        "csv": "text/csv",
        "html": "text/html",
        "doc": "application/msword",
        "docx": _OFFICE + "wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": _OFFICE + "spreadsheetml.sheet",
    },
}
_FORMATS = {kind: {media: name for name, media in types.items()} for kind, types in _TYPES.items()}
_FORMATS["image"]["image/jpg"] = "jpeg"
_FORMATS["audio"] |= {"audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/l16": "pcm"}
_FORMATS["document"] |= {"application/json": "txt", "application/xml": "txt", "text/xml": "txt"}
_EXTENSIONS = {"jpg": "jpeg", "htm": "html", "text": "txt", "markdown": "md", "3gp": "three_gp"}


def media_type_of(kind: str, name: str) -> str:
    """The media type of a format; one that is new is named after the kind."""
    known = _TYPES[kind].get(name)
    if known is not None:
        return known
    return name if "/" in name else f"{'application' if kind == 'document' else kind}/{name}"


def format_of(kind: str, media_type: str, name: str = "") -> str:
    """Bedrock's format for a media type, or for a file's name; empty where it has none."""
    base = media_type.partition(";")[0].strip().lower()
    known = _FORMATS[kind].get(base)
    if known is not None:
        return known
    dot = name.rfind(".")
    ending = name[dot + 1 :].lower() if dot >= 0 else ""
    ending = _EXTENSIONS.get(ending, ending)
    if ending in _TYPES[kind]:
        return ending
    return "txt" if kind == "document" and base.startswith("text/") else ""


Media = Image | Document | Video | Audio


def decode_media(beside: Taker, kind: str) -> Media | None:
    """An image, document, video or audio block; None, with nothing taken, where it cannot be read."""
    inside = beside.object(kind)
    source = inside.object("source") if inside is not None else None
    if inside is None or source is None:
        return None
    name = inside.text("format")
    found, sizes = _decode_source(source, media_type_of(kind, name) if name else "")
    if found is None:
        return None
    document = _document_fields(inside) if kind == "document" else {}
    groups = {
        "inside": inside.rest,
        "beside": beside.rest,
        "source": source.rest,
        "sizes": sizes,
        "format": _odd_format(kind, name, found),
    }
    if kind == "audio":
        return Audio(found, format=name or "", extras=keep(**groups))
    extras = keep(**groups)
    if kind == "document":
        return Document(found, **document, extras=extras)
    return Image(found, extras=extras) if kind == "image" else Video(found, extras=extras)


def _document_fields(inside: Taker) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": filled(inside, "name")}
    fields["context"] = filled(inside, "context")
    if inside.rest.get("citations") == {"enabled": True}:
        del inside.rest["citations"]
        fields["citable"] = True
    return fields


def _decode_source(source: Taker, media_type: str) -> tuple[Source | None, list[int] | str | None]:
    """The source, and which of its forms it came in where that is not the usual one."""
    data = source.text("bytes")
    if data is not None:
        return Inline(media_type, data), None
    location = source.object("s3Location")
    if location is not None:
        uri = location.text("uri")
        if location.rest:
            source.rest["s3Location"] = location.rest
        return (Link(uri, media_type), None) if uri is not None else (None, None)
    text = source.text("text")
    if text is not None:
        return Plain(text), None
    pieces = join_pieces(source.rest.get("content"))
    if pieces is None:
        return None, None
    del source.rest["content"]
    return Plain(pieces[0]), sizes if len(sizes := pieces[1]) != 1 else "content"


def _odd_format(kind: str, name: str | None, source: Source) -> str | None:
    """The format where the source does not tell it; `-` for one that was not given."""
    expected = "txt" if isinstance(source, Plain) else format_of(kind, _type_in(source))
    if name is None or name == "":
        return "-" + (name or "")
    return None if name == expected else name


def _type_in(source: Source) -> str:
    return source.media_type if isinstance(source, Inline | Link) else ""


def encode_media(part: Media, kind: str, *, name: str = "") -> dict[str, Any] | None:
    """The block; None where Bedrock has no such format or source. `name` is a document's."""
    source = _encode_source(part)
    form = _format(part, kind)
    if source is None or form is None:
        return None
    value = kept_object(part.extras, "inside")
    if isinstance(part, Document):
        put(
            value,
            name=name or None,
            context=part.context or None,
            citations={"enabled": True} if part.citable else None,
        )
    if form:
        value["format"] = form
    value["source"] = source
    return block(part.extras, kind, value)


def _format(part: Media, kind: str) -> str | None:
    """The format; empty for one that was not given, None where there is none for this medium."""
    source = part.source
    odd = kept(part.extras, "format")
    if odd == "-":
        return ""
    if isinstance(odd, str) and (isinstance(source, Plain) or _fits(kind, odd, source)):
        return odd
    if isinstance(source, Plain):
        return "txt"
    if isinstance(part, Audio) and part.format:
        return part.format if part.format != "pcm16" else "pcm"
    name = part.name if isinstance(part, Document) else ""
    address = source.url.partition("?")[0] if isinstance(source, Link) else ""
    return format_of(kind, _type_in(source) if source is not None else "", name or address) or None


def _fits(kind: str, name: str, source: Source | None) -> bool:
    return source is not None and media_type_of(kind, name) == _type_in(source)


def _encode_source(part: Media) -> dict[str, Any] | None:
    source, rest = part.source, kept_object(part.extras, "source")
    if isinstance(source, Inline):
        return {**rest, "bytes": source.data}
    if isinstance(source, Link):
        if not source.url.startswith("s3://"):
            return None
        old = rest.get("s3Location")
        return {**rest, "s3Location": {**(old if isinstance(old, dict) else {}), "uri": source.url}}
    if isinstance(source, Plain):
        return {**rest, **_plain(source.text, part.extras)}
    return None


def _plain(text: str, extras: Extras | None) -> dict[str, Any]:
    sizes = kept(extras, "sizes")
    return {"content": cut_pieces(text, sizes)} if sizes is not None else {"text": text}
