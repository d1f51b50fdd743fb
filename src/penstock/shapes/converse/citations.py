"""Citations: on a whole block of text (`citationsContent`), and as deltas of a stream.

Converse cites a place in a source (characters, pages or chunks of a document, a web page), never a range of the
answer: that is the block itself.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.parts import Citation
from penstock.shapes.converse.keep import (
    cut_pieces,
    filled,
    join_pieces,
    keep,
    kept,
    kept_object,
    sizes_to_keep,
)
from penstock.shapes.taker import Taker, put


def decode_citation(value: Taker) -> Citation:
    """One citation. Its location is kept whole; address and document are read from it."""
    location = (value.value("location") if value.rest.get("location") else None) or {}
    pieces = join_pieces(value.rest.get("sourceContent"))
    if pieces is not None:
        del value.rest["sourceContent"]
    cited, sizes = pieces if pieces is not None else ("", [0])
    url, document = "", None
    for place in location.values():
        if isinstance(place, dict):
            inside = cast("dict[str, Any]", place)
            found, index = inside.get("url"), inside.get("documentIndex")
            url = found if isinstance(found, str) else url
            document = index if isinstance(index, int) and not isinstance(index, bool) else document
    return Citation(
        url=url,
        title=filled(value, "title"),
        cited=cited,
        document=document,
        extras=keep(
            inside=value.rest,
            location=location,
            sizes=sizes_to_keep(sizes),
            form="empty" if pieces is not None and not cited else None,
        ),
    )


def encode_citation(citation: Citation) -> dict[str, Any]:
    """One citation: the location as it came, with what the pivot knows of it."""
    value = kept_object(citation.extras, "inside")
    if citation.title:
        value["title"] = citation.title
    if citation.cited or kept(citation.extras, "form") == "empty":
        value["sourceContent"] = cut_pieces(citation.cited, kept(citation.extras, "sizes"))
    location = _location(citation)
    return put(value, location=location or None)


def _location(citation: Citation) -> dict[str, Any]:
    location = kept_object(citation.extras, "location")
    for kind, place in location.items():
        if isinstance(place, dict):
            inside = dict(cast("dict[str, Any]", place))
            if "url" in inside and citation.url:
                inside["url"] = citation.url
            if "documentIndex" in inside and citation.document is not None:
                inside["documentIndex"] = citation.document
            location[kind] = inside
    if location:
        return location
    if citation.url:
        return {"web": put({"url": citation.url}, domain=_host(citation.url) or None)}
    if citation.document is not None:
        return {"documentChar": {"documentIndex": citation.document}}
    return {}


def _host(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark or not scheme:
        return ""
    return rest.partition("/")[0].rpartition("@")[2].partition(":")[0]
