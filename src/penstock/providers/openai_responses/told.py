"""What a stream has said so far: which parts began, how far they grew, which items are complete."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.events import (
    ArgumentsDelta,
    CitationAdded,
    Event,
    PartEnded,
    PartStarted,
    SignatureDelta,
    TextDelta,
)
from penstock.core.parts import Opaque, Part, Refused, Text, Thinking, ToolCall
from penstock.shapes.openai_responses.content import decode_part
from penstock.shapes.openai_responses.items import decode_item
from penstock.shapes.openai_responses.names import SHAPE
from penstock.shapes.openai_responses.stream_events import Place

_EMPTY_OF = {Text: Text(""), Refused: Refused("")}


class Told:
    """The state of one stream.

    `whole` has the part's index for items that are one part, `parts` for texts within messages; `pieces` the
    texts as they grew; `contents` and `items` what was told as complete, as it stood on the wire.
    """

    __slots__ = (
        "_begun",
        "_ended",
        "_grown",
        "_next",
        "_numbers",
        "calls",
        "contents",
        "items",
        "parts",
        "pieces",
        "refused",
        "whole",
    )

    def __init__(self) -> None:
        self.whole: dict[int, int] = {}
        self.parts: dict[Place, int] = {}
        self.pieces: dict[Place, list[str]] = {}
        self.contents: dict[tuple[int, int], dict[str, Any]] = {}
        self.items: dict[int, dict[str, Any]] = {}
        self.calls = False
        self.refused = False
        self._begun: set[int] = set()
        self._ended: set[Place] = set()
        self._next = 0
        self._numbers: dict[int, list[int]] = {}
        self._grown: set[int] = set()

    def _index(self) -> int:
        self._next += 1
        return self._next - 1

    def start_whole(self, at: int, begun: str = "") -> int:
        """The index of the part that the item at this place is."""
        index = self.whole[at] = self._index()
        if begun:
            self._begun.add(at)
        return index

    def start_part(self, place: Place) -> int:
        """The index of a text within a message."""
        index = self.parts[place] = self._index()
        self._numbers.setdefault(place[0], []).append(place[2])
        return index

    def grow(self, place: Place, text: str) -> bool:
        """More text at this place; whether it is the first there."""
        pieces = self.pieces.get(place)
        if pieces is not None:
            pieces.append(text)
            return False
        self.pieces[place] = [text]
        self._grown.add(place[0])
        return True

    def begun(self, at: int) -> bool:
        """Whether the item at this place had text before any delta."""
        return at in self._begun

    def gap(self, at: int) -> bool:
        """Whether thinking has text already, so that more of it wants a gap. Told once per piece."""
        if at in self._begun:
            return True
        self._begun.add(at)
        return False

    def places_in(self, output: list[Any]) -> list[int | None]:
        """For each item of the complete output the place at which it was told, by order or by its id."""
        places = sorted(self.items)
        if len(places) == len(output):
            return list(places)
        by_id = {self.items[at].get("id"): at for at in places if isinstance(self.items[at].get("id"), str)}
        ids = [cast("dict[str, Any]", item).get("id") if isinstance(item, dict) else None for item in output]
        return [by_id.get(each) if isinstance(each, str) else None for each in ids]

    def content(self, place: Place, part: Text | Refused) -> list[Event]:
        """A text within a message is complete."""
        if place in self._ended:
            return []
        self._ended.add(place)
        self.refused = self.refused or isinstance(part, Refused)
        events: list[Event] = []
        index = self.parts.get(place)
        if index is None:
            index = self.start_part(place)
            events.append(PartStarted(0, index, _EMPTY_OF[type(part)]))
        if place not in self.pieces and part.text:
            events.append(TextDelta(0, index, part.text))
            if isinstance(part, Text):
                events += [CitationAdded(0, index, citation) for citation in part.citations]
        events.append(PartEnded(0, index, part))
        return events

    def message(self, at: int, item: dict[str, Any]) -> tuple[dict[str, Any], list[Event]]:
        """A message is complete: the item with what was told of its content marked so, and what was not."""
        content = item.get("content")
        if not isinstance(content, list):
            return item, []
        events: list[Event] = []
        kept: list[Any] = []
        # Some servers count the parts of all items in one row: the order counts, not the number.
        places = sorted(self._numbers.get(at, ()))
        for order, part in enumerate(cast("list[Any]", content)):
            place = places[order] if order < len(places) else order
            known = self.contents.get((at, place))
            if known is not None and known == part:
                kept.append({"~told": place})
                continue
            decoded = decode_part(part, "content", strict=False) if isinstance(part, dict) else None
            found = (
                self.content((at, "content_index", place), decoded)
                if isinstance(decoded, Text | Refused)
                else []
            )
            if found:
                events += found
                kept.append({"~here": True})
            else:
                kept.append({"~item": part})
        return {**item, "content": kept}, events

    def complete(self, at: int, part: Part) -> list[Event]:
        """An item that is one part is complete."""
        events: list[Event] = []
        index = self.whole.get(at)
        if index is None:
            index = self.start_whole(at)
            if isinstance(part, ToolCall | Thinking):
                events.append(PartStarted(0, index, _bare(part)))
            else:
                return [PartStarted(0, index, part), PartEnded(0, index, part)]
        if isinstance(part, ToolCall):
            self.calls = True
            if part.arguments and at not in self._begun and at not in self._grown:
                events.append(ArgumentsDelta(0, index, part.arguments))
        elif isinstance(part, Thinking):
            if part.text and at not in self._grown:
                events.append(TextDelta(0, index, part.text))
            if part.sealed is not None:
                events.append(SignatureDelta(0, index, part.sealed, sealed=True))
            if part.signature is not None:
                events.append(SignatureDelta(0, index, part.signature))
        events.append(PartEnded(0, index, part))
        return events

    def late(self, at: int, item: dict[str, Any]) -> list[Event]:
        """An item that is told only in the complete response."""
        if item.get("type") == "message":
            return self.message(at, item)[1]
        message = decode_item(item, "item", strict=False)
        part = message.parts[-1] if message.parts else Opaque(SHAPE, item)
        return self.complete(at, part)


def _bare(part: ToolCall | Thinking) -> Part:
    if isinstance(part, ToolCall):
        return ToolCall(part.id, part.name, "", part.type, extras=part.extras)
    return Thinking(id=part.id)
