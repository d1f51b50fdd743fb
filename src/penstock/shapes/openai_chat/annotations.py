"""Sources of an answer: `annotations` of a message, of which `url_citation` is a citation."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.parts import Citation, Text
from penstock.shapes.openai_chat.forms import fold, inserted
from penstock.shapes.openai_chat.sources import is_listed
from penstock.shapes.taker import Taker, extras_of

_KIND = "url_citation"


def read_annotations(t: Taker, shape: str) -> tuple[Citation, ...]:
    """Take the citations out of a message; annotations of other kinds stay, with their positions."""
    items: Any = t.rest.get("annotations")
    if not isinstance(items, list) or not items:
        return ()
    found: list[Citation] = []
    unread: list[list[Any]] = []
    for at, item in enumerate(cast("list[Any]", items)):
        citation = _read(item, shape)
        if citation is None:
            unread.append([at, item])
        else:
            found.append(citation)
    if found:
        del t.rest["annotations"]
        t.rest["~annotations"] = unread
    return tuple(found)


def _read(item: Any, shape: str) -> Citation | None:
    if not isinstance(item, dict):
        return None
    t = Taker(cast("dict[str, Any]", item))
    inner = t.object(_KIND)
    if t.rest.get("type") != _KIND or inner is None or not isinstance(inner.rest.get("url"), str):
        return None
    url, title = inner.need("url"), inner.text("title")
    if title == "":
        inner.rest["title"] = ""
    cited = inner.text("content") if inner.rest.get("content") else ""
    citation = Citation(url, title or "", cited or "", inner.count("start_index"), inner.count("end_index"))
    del t.rest["type"]
    fold(t, _KIND, inner)
    return Citation(
        citation.url, citation.title, citation.cited, citation.start, citation.end, extras=t.extras(shape)
    )


def write_annotations(texts: list[Text], out: dict[str, Any], shape: str, *, own: bool) -> None:
    """Put the citations of the texts of an answer into its message; only an address can be cited."""
    unread: list[list[Any]] = out.pop("~annotations", [])
    items: list[Any] = []
    before = 0
    for text in texts:
        after = before + len(text.text)
        items += [
            write_citation(each, shape, before, after, own=own)
            for each in text.citations
            if (own or each.url) and not is_listed(each, shape)
        ]
        before = after
    if items or unread:
        out["annotations"] = inserted(items, unread)


def write_citation(each: Citation, shape: str, first: int, last: int, *, own: bool) -> dict[str, Any]:
    """One annotation; a citation without offsets speaks of the text from `first` to `last`."""
    out = extras_of(each.extras, shape)
    inner = dict(out.pop(_KIND, {}))
    inner["url"] = each.url
    if each.title or not own:
        inner["title"] = each.title
    if each.cited:
        inner["content"] = each.cited
    if own:
        offsets = {"start_index": each.start, "end_index": each.end}
        inner.update({name: value for name, value in offsets.items() if value is not None})
    else:
        inner["start_index"] = first + each.start if each.start is not None else first
        inner["end_index"] = first + each.end if each.end is not None else last
    return {"type": _KIND, **out, _KIND: inner}
