"""Media at an address or within one: `data:` URLs (RFC 2397) and links."""

from __future__ import annotations

import base64
from urllib.parse import unquote_to_bytes

from penstock.core.parts import FileRef, Inline, Link, Plain, Source


def source_of(url: str) -> Source:
    """The source that an address is. A `data:` URL that is not base64 becomes it."""
    if url[:5].lower() != "data:":
        return Link(url)
    head, _, data = url[5:].partition(",")
    kind, *parameters = head.split(";")
    if parameters and parameters[-1].lower() == "base64":
        return Inline(kind, data)
    return Inline(kind or "text/plain", base64.b64encode(unquote_to_bytes(data)).decode())


def url_of(source: Source, said: str | None = None) -> str:
    """The address of a source; `said` is how it was written, and kept where it means the same."""
    if said is not None and source_of(said) == source:
        return said
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}"
    if isinstance(source, Link):
        return source.url
    if isinstance(source, FileRef):
        return source.file_id
    return f"data:text/plain;base64,{base64.b64encode(source.text.encode()).decode()}"


def exact(url: str) -> bool:
    """Whether the source alone gives back the address as it was written."""
    return url_of(source_of(url)) == url


def text_in(source: Source) -> str | None:
    """The text of a document that is plain text, None for any other."""
    if isinstance(source, Plain):
        return source.text
    if isinstance(source, Inline) and source.media_type.startswith("text/"):
        try:
            return base64.b64decode(source.data).decode()
        except ValueError:
            return None
    return None
