"""Citations: Cohere lists them beside the content, the pivot has them in the text that they are about."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.parts import Citation, Extras, Part, Text
from penstock.shapes.cohere import CHAT
from penstock.shapes.taker import Taker, extras_of

ORDER = "~order"


def read_citation(body: Taker) -> Citation:
    """One citation; `text` is a piece of the answer, the source's own text is what is cited."""
    source = _source(body.rest.get("sources"))
    return Citation(
        url=_word(source, "url"),
        title=_word(source, "title"),
        cited=_word(source, "text") or _word(source, "snippet") or _word(source, "content"),
        start=body.count("start"),
        end=body.count("end"),
        document=_number(source.get("id")),
        extras=Extras(CHAT, body.rest),
    )


def write_citation(citation: Citation, text: str, at: int) -> dict[str, Any]:
    """One citation of a piece of `text`, which is the content's piece `at`."""
    own = extras_of(citation.extras, CHAT)
    own.pop(ORDER, None)
    if citation.start is not None:
        own["start"] = citation.start
    if citation.end is not None:
        own["end"] = citation.end
    if citation.extras is None or citation.extras.shape != CHAT:
        own["text"] = text[citation.start : citation.end] if citation.start is not None else citation.cited
        name = citation.url or f"doc:{citation.document or 0}"
        found = {"title": citation.title, "url": citation.url, "text": citation.cited}
        document = {"id": name, **{key: value for key, value in found.items() if value}}
        own["sources"] = [{"type": "document", "id": name, "document": document}]
        own |= {"type": "TEXT_CONTENT", "content_index": at}
    return own


def with_citations(parts: list[Part], found: list[Taker]) -> list[dict[str, Any]]:
    """Put citations into the texts that they are about; gives those that are about no text, as they came."""
    left: list[dict[str, Any]] = []
    into: dict[int, list[Citation]] = {}
    first = next((at for at, part in enumerate(parts) if isinstance(part, Text)), None)
    for order, each in enumerate(found):
        named = each.rest.get("content_index")
        at = named if isinstance(named, int) else first
        if at is None or not 0 <= at < len(parts) or not isinstance(parts[at], Text):
            each.rest[ORDER] = order
            left.append(each.rest)
            continue
        each.rest[ORDER] = order
        into.setdefault(at, []).append(read_citation(each))
    for at, citations in into.items():
        parts[at] = replace(cast("Text", parts[at]), citations=tuple(citations))
    return left


def all_citations(parts: list[Part], left: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The citations of an answer whose content is `parts`, in the order in which they came."""
    found: list[tuple[float, dict[str, Any]]] = []
    for at, part in enumerate(parts):
        if not isinstance(part, Text):
            continue
        for citation in part.citations:
            order = extras_of(citation.extras, CHAT).get(ORDER, float("inf"))
            found.append((order, write_citation(citation, part.text, at)))
    found += [(each.get(ORDER, float("inf")), {k: v for k, v in each.items() if k != ORDER}) for each in left]
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _source(sources: Any) -> dict[str, Any]:
    """The first source's fields: a document's, or those of a tool's output."""
    if not isinstance(sources, list) or not sources or not isinstance(sources[0], dict):
        return {}
    first = cast("dict[str, Any]", sources[0])
    inner = first.get("document", first.get("tool_output"))
    fields = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return {**fields, "id": first.get("id")}


def _word(source: dict[str, Any], name: str) -> str:
    value = source.get(name)
    return value if isinstance(value, str) else ""


def _number(name: Any) -> int | None:
    """The document's position where its id tells it; Cohere numbers documents that have no id so too."""
    if isinstance(name, str) and name.startswith("doc:") and name[4:].isdecimal() and len(name) < 12:
        return int(name[4:])
    return None
