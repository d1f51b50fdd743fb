"""Annotations of an output text and the pivot's citations."""

from __future__ import annotations

from typing import Any

from penstock.core.parts import Citation, Extras
from penstock.shapes.openai_responses.names import SHAPE, is_own, wire_fields
from penstock.shapes.taker import Taker, put

# Annotations whose title is a file's name.
_OF_FILES = ("file_citation", "container_file_citation", "file_path")


def decode_annotation(value: dict[str, Any]) -> Citation:
    """One annotation; a type that is not known keeps all its fields."""
    taker = Taker(value)
    kind = value.get("type")
    if kind in _OF_FILES:
        title = taker.text("filename")
        url = None
    else:
        title = taker.text("title")
        url = taker.text("url")
    start, end = taker.count("start_index"), taker.count("end_index")
    # An empty text and an absent one are the same in the pivot.
    for name, text in (("url", url), ("filename" if kind in _OF_FILES else "title", title)):
        if text == "":
            taker.rest[name] = ""
    return Citation(url or "", title or "", "", start, end, None, Extras(SHAPE, taker.rest))


def decode_annotations(values: list[Any]) -> tuple[Citation, ...] | None:
    """All of them, None where one is no object."""
    if not all(isinstance(each, dict) for each in values):
        return None
    return tuple([decode_annotation(each) for each in values])


def encode_annotation(citation: Citation, text_length: int) -> dict[str, Any]:
    """The annotation; a foreign citation without a place covers the text so far."""
    if is_own(citation.extras):
        out = wire_fields(citation.extras)
        name = "filename" if out.get("type") in _OF_FILES else "title"
        out.update({key: value for key, value in ((name, citation.title), ("url", citation.url)) if value})
        return put(out, start_index=citation.start, end_index=citation.end)
    if citation.url:
        return {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": citation.start or 0,
            "end_index": citation.end if citation.end is not None else text_length,
        }
    # The quoted words of a document in the request: the nearest thing names the file and its place in the list.
    return {
        "type": "file_citation",
        "file_id": "",
        "filename": citation.title,
        "index": citation.document or 0,
    }
