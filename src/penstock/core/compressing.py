"""Prompts made shorter without losing anything: whatever is taken out can be put back to the letter.

Two things are repeated in prompts of agents and of retrieval: the same passages and tools' results, and the
formatting of JSON. A passage that stood before is replaced by a reference that quotes how it begins and ends;
JSON loses its indentation. Earlier turns are never touched because of later ones, so that prefixes stay cached.

Each step is only taken where `restored` gives the original back. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, Message
from penstock.core.parts import Part, Text, ToolResult

LEAST_CHARS = 400
_LEAST_LINE = 16
_QUOTED = 32
_MOST_TEXT = 1_000_000
_MOST_SOURCES = 4_000_000
_REFERENCE = re.compile(
    r"\[Here the passage above is repeated that begins (\".*?\") and ends (\".*?\"), (\d+) characters\]"
)
# JSON as programs write it: indentation, and whether other characters than ASCII are escaped.
_STYLES = tuple([(indent, ascii_) for indent in (2, 4, None, 1, 3, 8) for ascii_ in (False, True)])
# The place of a text: message, part, and the piece of a tool's result (-1: the part itself).
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Compressed:
    """A request made shorter. `styles`: how JSON was written before, by place. `saved`: characters."""

    chat: ChatRequest
    styles: dict[Place, tuple[int | None, bool]]
    saved: int


def compressed(chat: ChatRequest) -> Compressed:
    """The request without repetitions."""
    styles: dict[Place, tuple[int | None, bool]] = {}
    sources = _Sources()
    saved = 0

    def shorten(place: Place, text: str, *, said: bool) -> str:
        nonlocal saved
        out = text
        if not said:
            style = _style(text)
            if style is not None:
                styles[place] = style
                out = _written(json.loads(text), None, minimal=True)
            full = out
            out = sources.referring(full)
            sources.add(full)
        else:
            sources.add(text)
        saved += len(text) - len(out)
        return out

    return Compressed(_mapped(chat, shorten), styles, saved)


def restored(chat: ChatRequest, styles: dict[Place, tuple[int | None, bool]]) -> ChatRequest:
    """The request that `compressed` was given."""
    before: list[str] = []

    def lengthen(place: Place, text: str, *, said: bool) -> str:
        full = text if said else _dereferenced(text, before)
        before.append(full)
        if place not in styles:
            return full
        indent, ascii_ = styles[place]
        return _written(json.loads(full), indent, ascii_=ascii_)

    return _mapped(chat, lengthen)


def _mapped(chat: ChatRequest, change: Callable[..., str]) -> ChatRequest:
    """The request with each text changed, in reading order. What a model said itself is only told (`said`)."""
    messages: list[Message] = []
    for at, message in enumerate(chat.messages):
        said = message.role == "assistant"
        parts: list[Part] = []
        for index, part in enumerate(message.parts):
            if isinstance(part, Text):
                text = change((at, index, -1), part.text, said=said)
                parts.append(part if text == part.text else replace(part, text=text))
            elif isinstance(part, ToolResult):
                parts.append(_result(part, (at, index), change))
            else:
                parts.append(part)
        same = all(new is old for new, old in zip(parts, message.parts, strict=True))
        messages.append(message if same else replace(message, parts=tuple(parts)))
    return replace(chat, messages=tuple(messages))


def _result(part: ToolResult, at: tuple[int, int], change: Callable[..., str]) -> ToolResult:
    content: list[Part] = []
    for index, each in enumerate(part.content):
        text = change((*at, index), each.text, said=False) if isinstance(each, Text) else ""
        changed = isinstance(each, Text) and text != each.text
        content.append(replace(each, text=text) if isinstance(each, Text) and changed else each)
    same = all(new is old for new, old in zip(content, part.content, strict=True))
    return part if same else replace(part, content=tuple(content))


def _style(text: str) -> tuple[int | None, bool] | None:
    """How a text was written, if it is JSON with formatting that can be put back; None for anything else."""
    if not LEAST_CHARS // 4 <= len(text) <= _MOST_TEXT or text[0] not in "{[":
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return next((style for style in _STYLES if _written(value, style[0], ascii_=style[1]) == text), None)


def _written(value: Any, indent: int | None, *, ascii_: bool = False, minimal: bool = False) -> str:
    separators = (",", ":") if minimal else None
    return json.dumps(value, indent=indent, ensure_ascii=ascii_, separators=separators)


class _Sources:
    """The texts so far, by line, for finding where one stood before."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._lines: dict[str, tuple[int, int]] = {}
        self._chars = 0

    def add(self, text: str) -> None:
        """One more text; where a line stood first is what counts."""
        if self._chars > _MOST_SOURCES or len(text) > _MOST_TEXT:
            return
        self._chars += len(text)
        number = len(self._texts)
        self._texts.append(text)
        for line, start in _lines(text):
            if len(line) >= _LEAST_LINE:
                self._lines.setdefault(line, (number, start))

    def referring(self, text: str) -> str:
        """The text with references in place of what stood before."""
        if len(text) < LEAST_CHARS or len(text) > _MOST_TEXT or _REFERENCE.search(text):
            return text
        out: list[str] = []
        kept = at = 0
        for line, start in _lines(text):
            if start < at or line not in self._lines:
                continue
            number, where = self._lines[line]
            length = _common(text, start, self._texts[number], where)
            if length < LEAST_CHARS:
                continue
            passage = text[start : start + length]
            reference = _reference(passage)
            if _find(reference, self._texts) == passage:
                out += [text[kept:start], reference]
                kept = at = start + length
        return "".join([*out, text[kept:]]) if out else text


def _lines(text: str) -> list[tuple[str, int]]:
    """The lines of a text, with where they begin."""
    found: list[tuple[str, int]] = []
    start = 0
    for line in text.split("\n"):
        found.append((line, start))
        start += len(line) + 1
    return found


def _common(text: str, start: int, other: str, where: int) -> int:
    """How many whole lines' characters two texts have in common from here on."""
    most = min(len(text) - start, len(other) - where)
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if text[start : start + middle] == other[where : where + middle]:
            low = middle
        else:
            high = middle - 1
    if low == len(text) - start and (where + low == len(other) or other[where + low] == "\n"):
        return low
    end = text.rfind("\n", start, start + low)
    return max(0, end - start)


def _reference(passage: str) -> str:
    first, last = (
        json.dumps(passage[:_QUOTED], ensure_ascii=False),
        json.dumps(passage[-_QUOTED:], ensure_ascii=False),
    )
    return (
        f"[Here the passage above is repeated that begins {first} and ends {last}, {len(passage)} characters]"
    )


def _find(reference: str, sources: Sequence[str]) -> str | None:
    """The first passage that a reference can mean."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    try:
        first, last, length = json.loads(found[1]), json.loads(found[2]), int(found[3])
    except ValueError:
        return None
    for source in sources:
        at = source.find(first)
        while at >= 0:
            passage = source[at : at + length]
            if len(passage) == length and passage.endswith(last):
                return passage
            at = source.find(first, at + 1)
    return None


def _dereferenced(text: str, sources: Sequence[str]) -> str:
    def full(match: re.Match[str]) -> str:
        return _find(match[0], sources) or match[0]

    return _REFERENCE.sub(full, text)
