"""A vendor's typed events as the pivot's.

The API says everything several times: a text grows by deltas, stands in full when it is done, again in its
content part, in its item, and in the response. Only the first of these becomes events; the repetitions are
marked as such in the frame, so that the dialect's encoder repeats what the frames really said. A vendor that
leaves deltas out is taken at the full text for what is missing at its end, and one that says something else at
the end at what it said first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from penstock.core.chat import Logprobs
from penstock.core.errors import ShapeError
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Extras, Part, Refused, Text, Thinking, ToolCall
from penstock.providers.openai_responses.told import Told
from penstock.shapes.openai_responses.annotations import decode_annotation
from penstock.shapes.openai_responses.content import decode_part
from penstock.shapes.openai_responses.finish import finish_of
from penstock.shapes.openai_responses.items import decode_item
from penstock.shapes.openai_responses.logprobs import decode_logprobs
from penstock.shapes.openai_responses.names import SHAPE
from penstock.shapes.openai_responses.reasoning import GAP
from penstock.shapes.openai_responses.stream_events import (
    ADDED,
    ANNOTATION,
    DONE,
    EARLY,
    FAILED,
    GROWING,
    PART_ADDED,
    PART_DONE,
    REASONING_PARTS,
    TERMINAL,
    Growing,
    place_of,
    without,
)
from penstock.shapes.openai_responses.tools_used import tools_used
from penstock.shapes.openai_responses.usage import decode_usage

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_Reader = Callable[[dict[str, Any]], list[Event]]
_OF: dict[str, Part] = {"text": Text(""), "refused": Refused(""), "thinking": Thinking()}
_GAP_MARK = Extras(SHAPE, {"~gap": True})


class ResponsesStreamDecoder:
    """Reads one stream, event by event. What the pivot does not carry stands in the frame's extras."""

    __slots__ = ("_broken", "_readers", "_started", "_told")

    def __init__(self) -> None:
        self._told = Told()
        self._started: dict[str, Any] | None = None
        self._broken = False
        readers: dict[str, _Reader] = {
            ADDED: self._item_added,
            DONE: self._item_done,
            PART_ADDED: self._part_added,
            PART_DONE: self._part_done,
            ANNOTATION: self._annotation,
            "error": self._error,
        }
        readers.update(dict.fromkeys(EARLY, self._early))
        readers.update(dict.fromkeys(TERMINAL, self._terminal))
        readers.update(dict.fromkeys(FAILED, self._failed))
        for name, growing in REASONING_PARTS.items():
            if name != PART_DONE:
                readers[name] = lambda event, growing=growing: self._reasoning_part_done(event, growing)
        self._readers = readers

    def read(self, name: str, data: bytes) -> Frame:
        """One wire event. Raises ShapeError."""
        try:
            event = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if data == b"[DONE]":
                return Frame(name, (), Extras(SHAPE, {"~done": True}))
            raise ShapeError("", "an event's JSON object") from None
        kind = event.get("type")
        if kind is None:
            kind = name
        if not isinstance(kind, str):
            raise ShapeError("type", "a string")
        read = self._readers.get(kind)
        if read is not None:
            events = read(event)
        elif kind.endswith(".delta") and (growing := GROWING.get(kind[:-6])) is not None:
            events = self._delta(event, growing)
        elif kind.endswith(".done") and (growing := GROWING.get(kind[:-5])) is not None:
            events = self._text_done(event, growing)
        else:
            events = []
        return Frame(name, tuple(events), Extras(SHAPE, event))

    # --- texts that grow --------------------------------------------------------------------------------

    def _delta(self, event: dict[str, Any], growing: Growing) -> list[Event]:
        text = event.get("delta")
        place = place_of(event, growing)
        if not isinstance(text, str) or place is None:
            return []
        events = self._grow(place, growing, text)
        if events:
            del event["delta"]
            event["~delta"] = True
            if event.get("logprobs") and (tokens := decode_logprobs(event["logprobs"])):
                events.append(LogprobsAdded(0, Logprobs(tokens)))
        return events

    def _grow(self, place: tuple[int, str, int], growing: Growing, text: str) -> list[Event]:
        """The events of more text; none where there is no part that could take it."""
        told = self._told
        if growing.of == "call":
            index = told.whole.get(place[0])
            if index is None:
                return []
            told.grow(place, text)
            return [ArgumentsDelta(0, index, text)]
        events: list[Event] = []
        thinking = growing.of == "thinking"
        index = told.whole.get(place[0]) if thinking else told.parts.get(place)
        if index is None:
            index = told.start_whole(place[0]) if thinking else told.start_part(place)
            events.append(PartStarted(0, index, _OF[growing.of]))
        if told.grow(place, text) and thinking and told.gap(place[0]):
            events.append(TextDelta(0, index, GAP, _GAP_MARK))
        events.append(TextDelta(0, index, text))
        return events

    def _text_done(self, event: dict[str, Any], growing: Growing) -> list[Event]:
        text = event.get(growing.full)
        place = place_of(event, growing)
        if not isinstance(text, str) or place is None:
            return []
        pieces = self._told.pieces.get(place)
        if pieces is None and text:
            if growing.of == "call" and self._told.begun(place[0]):
                return []  # they stood in the item when it was added
            events = self._grow(place, growing, text)
            if events:
                del event[growing.full]
                event["~text"] = "here"
            return events
        said = "".join(pieces or ())
        if not text.startswith(said):
            return []
        rest = text[len(said) :]
        events = self._grow(place, growing, rest) if rest else []
        if events or not rest:
            del event[growing.full]
            event["~text"] = "rest" if rest else "told"
        return events

    # --- content parts ----------------------------------------------------------------------------------

    def _part_added(self, event: dict[str, Any]) -> list[Event]:
        place = place_of(event, GROWING["response.output_text"])
        part = event.get("part")
        if place is None or not isinstance(part, dict) or place[0] in self._told.whole:
            return []
        decoded = decode_part(part, "part", strict=False)
        if not isinstance(decoded, Text | Refused) or place in self._told.parts:
            return []
        del event["part"]
        if decoded.text:
            self._told.grow(place, decoded.text)
        return [PartStarted(0, self._told.start_part(place), decoded)]

    def _part_done(self, event: dict[str, Any]) -> list[Event]:
        place = place_of(event, GROWING["response.output_text"])
        part = event.get("part")
        if place is None or not isinstance(part, dict):
            return []
        if place[0] in self._told.whole:
            return self._reasoning_part_done(event, REASONING_PARTS[PART_DONE])
        decoded = decode_part(part, "part", strict=False)
        if not isinstance(decoded, Text | Refused):
            return []
        events = self._told.content(place, decoded)
        if events:
            del event["part"]
            self._told.contents[place[0], place[2]] = cast("dict[str, Any]", part)
        return events

    def _reasoning_part_done(self, event: dict[str, Any], growing: Growing) -> list[Event]:
        place = place_of(event, growing)
        part = event.get("part")
        if place is None or not isinstance(part, dict):
            return []
        inner = cast("dict[str, Any]", part)
        pieces = self._told.pieces.get(place)
        if pieces is not None and inner.get("text") == "".join(pieces):
            event["part"] = {name: value for name, value in inner.items() if name != "text"}
            event["~text"] = "told"
        return []

    def _annotation(self, event: dict[str, Any]) -> list[Event]:
        place = place_of(event, GROWING["response.output_text"])
        annotation = event.get("annotation")
        index = self._told.parts.get(place) if place is not None else None
        if index is None or not isinstance(annotation, dict):
            return []
        del event["annotation"]
        return [CitationAdded(0, index, decode_annotation(cast("dict[str, Any]", annotation)))]

    # --- items ------------------------------------------------------------------------------------------

    def _item_added(self, event: dict[str, Any]) -> list[Event]:
        at, item = event.get("output_index"), event.get("item")
        if type(at) is not int or not isinstance(item, dict) or at in self._told.whole:
            return []
        value = cast("dict[str, Any]", item)
        kind = value.get("type")
        if kind == "reasoning":
            # The seal that stands here is not the one that counts, which comes when the item is done.
            identity = value.get("id")
            thinking = Thinking(id=identity if isinstance(identity, str) else "")
            return [PartStarted(0, self._told.start_whole(at), thinking)]
        if kind in ("function_call", "custom_tool_call"):
            call = next(iter(decode_item(value, "item", strict=False).parts[-1:]), None)
            if isinstance(call, ToolCall):
                del event["item"]
                return [PartStarted(0, self._told.start_whole(at, call.arguments), call)]
        return []

    def _item_done(self, event: dict[str, Any]) -> list[Event]:
        at, item = event.get("output_index"), event.get("item")
        if type(at) is not int or not isinstance(item, dict):
            return []
        value = cast("dict[str, Any]", item)
        self._told.items[at] = value
        if value.get("type") == "message":
            kept, events = self._told.message(at, value)
            event["item"] = kept
            return events
        parts = decode_item(value, "item", strict=False).parts
        if not parts:
            return []
        del event["item"]
        return self._told.complete(at, parts[-1])

    # --- the response -----------------------------------------------------------------------------------

    def _early(self, event: dict[str, Any]) -> list[Event]:
        response = _response(event)
        if response is None:
            return []
        if self._started is not None:
            self._unname(response)
            return []
        self._started = {}
        for name in ("id", "model"):
            value = response.get(name)
            if isinstance(value, str) and value:
                self._started[name] = response.pop(name)
        created, tier = response.get("created_at"), response.get("service_tier")
        return [
            Started(
                self._started.get("id", ""),
                self._started.get("model", ""),
                int(created) if isinstance(created, int | float) and abs(created) < 1e15 else None,
                tier if isinstance(tier, str) and tier != "auto" else None,
            )
        ]

    def _unname(self, response: dict[str, Any]) -> None:
        """Take the id and the model out where they repeat what the stream began with."""
        begun = self._started or {}
        same = [name for name in begun if response.get(name) == begun[name]]
        for name in same:
            del response[name]
        response["~started"] = same

    def _terminal(self, event: dict[str, Any]) -> list[Event]:
        response = _response(event)
        if response is None:
            return []
        self._unname(response)
        events: list[Event] = []
        tools = tools_used(response)
        output = response.get("output")
        if isinstance(output, list):
            response["output"] = self._output(cast("list[Any]", output), events)
        finish, native = finish_of(response, calls=self._told.calls, refused=self._told.refused)
        events.append(
            ChoiceFinished(0, finish or "stop", native, extras=Extras(SHAPE, {"~finish": finish or "stop"}))
        )
        usage = response.get("usage")
        if isinstance(usage, dict):
            del response["usage"]
            events.append(UsageReported(decode_usage(cast("dict[str, Any]", usage), tools)))
        events.append(Ended())
        return events

    def _output(self, output: list[Any], events: list[Event]) -> list[Any]:
        """The output with every item that was told before as its place and what is different about it now."""
        told = self._told
        kept: list[Any] = []
        for at, (item, place) in enumerate(zip(output, told.places_in(output), strict=True)):
            known = told.items.get(place) if place is not None else None
            if not isinstance(item, dict):
                kept.append({"~item": item})
            elif known is None or known.get("type") != cast("dict[str, Any]", item).get("type"):
                if at not in told.items:
                    events += told.late(at, cast("dict[str, Any]", item))
                kept.append({"~item": item})
            else:
                kept.append({"~told": place, **without(cast("dict[str, Any]", item), known)})
        return kept

    def _failed(self, event: dict[str, Any]) -> list[Event]:
        response = _response(event)
        if response is None:
            return []
        self._unname(response)
        error = response.get("error")
        return self._broke(cast("dict[str, Any]", error) if isinstance(error, dict) else {})

    def _error(self, event: dict[str, Any]) -> list[Event]:
        inner = event.get("error")
        return self._broke(cast("dict[str, Any]", inner) if isinstance(inner, dict) else event)

    def _broke(self, error: dict[str, Any]) -> list[Event]:
        if self._broken:
            return []
        self._broken = True
        code, kind, message = error.get("code"), error.get("type"), error.get("message")
        return [
            Broke(
                message if isinstance(message, str) else "",
                kind if isinstance(kind, str) and kind != "error" else "",
                str(code) if isinstance(code, str | int) else "",
            )
        ]


def _response(event: dict[str, Any]) -> dict[str, Any] | None:
    found = event.get("response")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
