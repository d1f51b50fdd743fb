"""Sources that a vendor lists beside the answer: Perplexity's `search_results` and `citations`.

They stay where they are for clients of this shape; for others the answer's text cites them.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.parts import Citation, Extras, Part, Text


def listed_sources(reply: dict[str, Any], shape: str) -> tuple[Citation, ...]:
    """The pages that a reply or a chunk lists."""
    mark = Extras(shape, {"~listed": True})
    found: list[Citation] = []
    results: Any = reply.get("search_results") or reply.get("citations")
    for each in cast("list[Any]", results) if isinstance(results, list) else []:
        if isinstance(each, str):
            found.append(Citation(each, extras=mark))
        elif isinstance(each, dict):
            page = cast("dict[str, Any]", each)
            url, title, cited = page.get("url"), page.get("title"), page.get("snippet")
            if isinstance(url, str) and url:
                found.append(Citation(url, _text(title), _text(cited), extras=mark))
    return tuple(found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def with_sources(parts: tuple[Part, ...], sources: tuple[Citation, ...]) -> tuple[Part, ...]:
    """The parts, the first text citing the sources unless a text has citations of its own."""
    if not sources or any(isinstance(part, Text) and part.citations for part in parts):
        return parts
    at = next((at for at, part in enumerate(parts) if isinstance(part, Text)), None)
    if at is None:
        return parts
    return (*parts[:at], replace(cast("Text", parts[at]), citations=sources), *parts[at + 1 :])


def is_listed(citation: Citation, shape: str) -> bool:
    """Whether the reply lists the source anyway."""
    return (
        citation.extras is not None and citation.extras.shape == shape and "~listed" in citation.extras.fields
    )
