"""Pictures, sound, films and documents: `inlineData` with base64, `fileData` with an address."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from penstock.core.parts import Audio, Document, FileRef, Image, Inline, Link, Plain, Signature, Source, Video
from penstock.shapes.gemini.reader import Reader, closed, opened, own, own_fields
from penstock.shapes.taker import put

Media = Image | Audio | Video | Document

# Names of sound formats as OpenAI has them, by the media types that Google documents, and the other way round.
# https://ai.google.dev/gemini-api/docs/audio#supported-formats
_AUDIO_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mp3",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "aiff": "audio/aiff",
    "pcm16": "audio/L16;codec=pcm;rate=24000",
}
_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/l16": "pcm16",
    "audio/flac": "flac",
    "audio/aac": "aac",
    "audio/ogg": "ogg",
}
_BY_ENDING = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "json": "application/json",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "mov": "video/mov",
    "webm": "video/webm",
}
_FILES = ("https://generativelanguage.googleapis.com/", "files/")


def read_media(data: Reader, *, linked: bool, signature: Signature | None, rest: Reader) -> Media | None:
    """The part for an `inlineData` or `fileData` object; `rest` has the part's other fields. None: unknown."""
    source = _linked(data) if linked else _inline(data)
    if source is None:
        return None
    kind = _kind(source)
    name = data.text("displayName") if kind == "document" else None
    left = data.left()
    if left:
        rest.note("data", left)
    if not source.media_type:
        rest.note("untyped", value=True)
    if signature is not None and kind != "image":
        rest.note("signature", signature.value)
    extras = rest.extras()
    if kind == "image":
        return Image(source, signature=signature, extras=extras)
    if kind == "audio":
        return Audio(source, format=_format(source.media_type), extras=extras)
    if kind == "video":
        return Video(source, extras=extras)
    return Document(_as_text(source), name=name or "", extras=extras)


def _inline(data: Reader) -> Inline | None:
    text = data.text("data")
    return None if text is None else Inline(data.filled("mimeType"), text)


def _linked(data: Reader) -> Link | FileRef | None:
    uri = data.text("fileUri")
    if uri is None:
        return None
    media_type = data.filled("mimeType")
    if uri.startswith(_FILES) and "files/" in uri:
        return FileRef(uri, media_type)
    return Link(uri, media_type)


def _kind(source: Inline | Link | FileRef) -> str:
    media_type = source.media_type or (_guess(source.url) if isinstance(source, Link) else "")
    head = media_type.partition("/")[0]
    return head if head in ("image", "audio", "video") else "document"


def _guess(url: str) -> str:
    path = url.partition("?")[0].partition("#")[0]
    host = path.split("/", 3)[2] if path.count("/") > 2 else ""
    if host.removeprefix("www.").removeprefix("m.") in ("youtube.com", "youtu.be"):
        return "video/mp4"
    return _BY_ENDING.get(path.rpartition(".")[2].lower(), "")


def _format(media_type: str) -> str:
    head = media_type.partition(";")[0].strip().lower()
    return _AUDIO_FORMATS.get(head, head.partition("/")[2])


def _as_text(source: Inline | Link | FileRef) -> Source:
    """Plain text as such, for vendors that take documents as text, where writing it back gives the same."""
    if isinstance(source, Inline) and source.media_type == "text/plain":
        try:
            raw = base64.b64decode(source.data, validate=True)
            if base64.b64encode(raw).decode() == source.data:
                return Plain(raw.decode())
        except (ValueError, binascii.Error):
            pass  # a text in another encoding stays as it is
    return source


def write_media(part: Media, seal: str | None) -> dict[str, Any] | None:
    """The part's JSON with its `thoughtSignature`; None for a source that Google cannot have."""
    out, notes = opened(own_fields(part.extras))
    found = _data(part.source, _default_type(part)) if part.source is not None else None
    if found is None:
        return None
    field, data = found
    if not own(part.extras):
        if data.get("mimeType") == "image/jpg":
            data["mimeType"] = "image/jpeg"
    elif isinstance(part, Document) and part.name:
        data["displayName"] = part.name  # the Gemini API refuses it, Vertex AI takes it
    if "~untyped" in notes and isinstance(part.source, Inline | Link | FileRef) and not part.source.media_type:
        data.pop("mimeType", None)
    left, spelling = opened(notes.get("~data", {}))
    out[field] = closed({**left, **data}, spelling)
    put(out, thoughtSignature=seal if isinstance(part, Image) else notes.get("~signature"))
    return closed(out, notes)


def _default_type(part: Media) -> str:
    source = part.source
    if isinstance(source, Link) and (found := _guess(source.url)):
        return found
    if isinstance(part, Audio):
        return _AUDIO_TYPES.get(part.format, f"audio/{part.format or 'wav'}")
    if isinstance(part, Image):
        return "image/jpeg"
    return "video/mp4" if isinstance(part, Video) else "application/pdf"


def _data(source: Source, default: str) -> tuple[str, dict[str, Any]] | None:
    if isinstance(source, Inline):
        return "inlineData", {"mimeType": source.media_type or default, "data": source.data}
    if isinstance(source, Plain):
        data = base64.b64encode(source.text.encode()).decode()
        return "inlineData", {"mimeType": "text/plain", "data": data}
    if isinstance(source, Link):
        return "fileData", {"mimeType": source.media_type or default, "fileUri": source.url}
    if source.file_id.startswith(_FILES) or source.file_id.startswith("gs://"):
        return "fileData", put({"fileUri": source.file_id}, mimeType=source.media_type or None)
    return None
