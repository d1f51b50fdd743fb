"""Where pieces of an answer come from: `groundingMetadata` and `citationMetadata`.

Google counts offsets in bytes of UTF-8 and puts all sources beside the candidate; the pivot counts characters
and puts a Citation on the text. Google's own metadata stay in the candidate's extras: citations read from them
are marked, so that only those of others are written.
https://ai.google.dev/api/generate-content#GroundingMetadata
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, cast

from penstock.core.parts import Citation, Extras
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import own

_MARK = Extras(SHAPE, {})
# How many characters are looked through, in one answer, for segments whose offsets do not fit, and what each
# look costs besides; an answer that needs more was not made to be read.
_MOST_SEARCHED = 4_000_000
_SEARCH = 100
Found = tuple[int, Citation]
"""A text part's index, and one of its citations."""


def read_citations(candidate: dict[str, Any], texts: dict[int, str]) -> list[Found]:
    """The citations in a candidate's metadata; `texts` has the answer's text parts by their index."""
    if not texts or not ("groundingMetadata" in candidate or "citationMetadata" in candidate):
        return []
    grounding = _object(candidate.get("groundingMetadata"))
    answer = _Answer(texts)
    found = _supported(grounding, answer) if grounding else []
    cited = _object(candidate.get("citationMetadata"))
    for source in _objects(cited.get("citationSources")) + _objects(cited.get("citations")):
        uri, title = source.get("uri"), source.get("title")
        if isinstance(uri, str):
            at, start, end = answer.place(source)
            named = title if isinstance(title, str) else ""
            found.append((at, Citation(uri, named, start=start, end=end, extras=_MARK)))
    return found


class _Answer:
    """The texts of an answer, and where their characters begin in UTF-8, counted once."""

    __slots__ = ("_ends", "_last", "_left", "_texts")

    def __init__(self, texts: dict[int, str]) -> None:
        self._texts = texts
        self._last = max(texts)
        self._left = _MOST_SEARCHED
        self._ends: dict[int, list[int]] = {}

    def place(self, segment: dict[str, Any]) -> tuple[int, int | None, int | None]:
        """The text part of a segment, and its offsets in characters where they can be told."""
        start, end = segment.get("startIndex", 0), segment.get("endIndex")
        said = segment.get("text")
        at = segment.get("partIndex", 0)
        if not isinstance(at, int) or at not in self._texts:
            at = self._last  # Google leaves the index out where other parts come first
        text = self._texts[at]
        if isinstance(start, int) and isinstance(end, int) and 0 <= start <= end:
            first, last = (start, end) if text.isascii() else self._characters(at, start, end)
            same = not isinstance(said, str) or (last - first == len(said) and text.startswith(said, first))
            if last <= len(text) and same:
                return at, first, last
        if isinstance(said, str) and said:
            for index, each in self._texts.items():
                if self._left < 0:
                    break
                self._left -= len(each) + _SEARCH
                if (first := each.find(said)) >= 0:
                    return index, first, first + len(said)
        return at, None, None

    def _characters(self, at: int, start: int, end: int) -> tuple[int, int]:
        ends = self._ends.get(at)
        if ends is None:
            ends = self._ends[at] = [0, *accumulate([_width(each) for each in self._texts[at]])]
        return bisect_left(ends, start), bisect_left(ends, end)


def _width(character: str) -> int:
    code = ord(character)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


def _supported(grounding: dict[str, Any], answer: _Answer) -> list[Found]:
    chunks = [_source(each) for each in _objects(grounding.get("groundingChunks"))]
    found: list[Found] = []
    for support in _objects(grounding.get("groundingSupports")):
        at, start, end = answer.place(_object(support.get("segment")))
        numbers = support.get("groundingChunkIndices")
        distinct = dict.fromkeys(
            [each for each in cast("list[Any]", numbers) if isinstance(each, int)]
            if isinstance(numbers, list)
            else []
        )
        for number in distinct:
            if 0 <= number < len(chunks):
                uri, title, cited = chunks[number]
                found.append((at, Citation(uri, title, cited, start, end, extras=_MARK)))
    return found


def _source(chunk: dict[str, Any]) -> tuple[str, str, str]:
    for kind in ("web", "retrievedContext", "maps", "image"):
        source = _object(chunk.get(kind))
        if source:
            names = ("uri" if kind != "image" else "sourceUri", "title", "text")
            uri, title, text = [source.get(name) for name in names]
            return (
                uri if isinstance(uri, str) else "",
                title if isinstance(title, str) else "",
                text if isinstance(text, str) and kind == "retrievedContext" else "",
            )
    return "", "", ""


def write_citations(cited: Iterable[tuple[int, str, Citation]]) -> dict[str, Any] | None:
    """`groundingMetadata` for others' citations: part index, the part's text, citation; None without any."""
    chunks: list[dict[str, Any]] = []
    numbers: dict[tuple[str, str, str], int] = {}
    supports: list[dict[str, Any]] = []
    for at, text, citation in cited:
        if own(citation.extras):
            continue
        key = (citation.url, citation.title, citation.cited)
        number = numbers.setdefault(key, len(chunks))
        if number == len(chunks):
            chunks.append(_chunk(citation))
        supports.append({"segment": _segment(at, text, citation), "groundingChunkIndices": [number]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else None


def _chunk(citation: Citation) -> dict[str, Any]:
    source: dict[str, Any] = {"uri": citation.url} if citation.url else {}
    if citation.title:
        source["title"] = citation.title
    if citation.url and not citation.cited:
        return {"web": source}
    if citation.cited:
        source["text"] = citation.cited
    return {"retrievedContext": source}


def _segment(at: int, text: str, citation: Citation) -> dict[str, Any]:
    first = citation.start or 0
    last = citation.end if citation.end is not None else len(text)
    if text.isascii():
        start, end = first, last
    else:
        start = len(text[:first].encode("utf-8", "surrogatepass"))
        end = start + len(text[first:last].encode("utf-8", "surrogatepass"))
    segment: dict[str, Any] = {"startIndex": start, "endIndex": end, "text": text[first:last]}
    return {"partIndex": at, **segment} if at else segment


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", each) for each in cast("list[Any]", value) if isinstance(each, dict)]
