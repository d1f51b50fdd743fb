"""Where a text block's words come from. The kinds differ in how they say the place; that stays in the extras.

https://platform.claude.com/docs/en/build-with-claude/citations
"""

from __future__ import annotations

from typing import Any

from penstock.core.parts import Citation, Extras
from penstock.shapes.anthropic import NO_SEAL, SHAPE, own
from penstock.shapes.taker import Taker, extras_of

_WEB = "web_search_result_location"
# Which member has the address and which the title, by kind.
_URL = {_WEB: "url", "search_result_location": "source"}
_TITLE = {
    "char_location": "document_title",
    "page_location": "document_title",
    "content_block_location": "document_title",
}


def read_citation(value: dict[str, Any]) -> Citation:
    """A citation of any kind."""
    taker = Taker(value)
    url_at, title_at = _members(value.get("type"))
    url, title = kept(taker, url_at), kept(taker, title_at)
    cited = kept(taker, "cited_text")
    document = taker.count("document_index")
    return Citation(url, title, cited, document=document, extras=Extras(SHAPE, taker.rest))


def _members(kind: Any) -> tuple[str, str]:
    """Where a citation of this kind has its address and its title."""
    return (_URL.get(kind, "url"), _TITLE.get(kind, "title")) if isinstance(kind, str) else ("url", "title")


def write_citation(citation: Citation) -> dict[str, Any] | None:
    """The citation; None for a foreign one without an address, of which this API could not say the place."""
    if not own(citation.extras):
        if not citation.url:
            return None
        return {
            "type": _WEB,
            "url": citation.url,
            "title": citation.title or None,
            "cited_text": citation.cited,
            "encrypted_index": NO_SEAL,
        }
    value = extras_of(citation.extras, SHAPE)
    url_at, title_at = _members(value.get("type"))
    if citation.url:
        value[url_at] = citation.url
    if citation.title:
        value[title_at] = citation.title
    if citation.cited:
        value["cited_text"] = citation.cited
    if citation.document is not None:
        value["document_index"] = citation.document
    return value


def may_be_sent(citation: Citation) -> bool:
    """Whether the vendor made this citation, and so takes it back."""
    return own(citation.extras) and extras_of(citation.extras, SHAPE).get("encrypted_index") != NO_SEAL


def kept(taker: Taker, name: str) -> str:
    """A string; one that is absent or empty is empty, and stays where it is for the same shape."""
    return (taker.text(name) or "") if taker.rest.get(name) else ""
