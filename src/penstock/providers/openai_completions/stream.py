"""A stream of text completion chunks."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.events import (
    ChoiceFinished,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Extras, Text
from penstock.providers.openai_completions.response import take_finish, take_logprobs
from penstock.shapes.openai_chat.errors import read_broke
from penstock.shapes.openai_chat.usage import read_usage
from penstock.shapes.openai_completions import SHAPE
from penstock.shapes.taker import bounded

_decode = msgspec.json.Decoder().decode
_HEAD = {"id": str, "model": str, "created": int}


class CompletionStream:
    """Reads the events of one stream in order."""

    __slots__ = ("_begun", "_head")

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._begun: set[int] = set()

    def read(self, name: str, data: bytes) -> Frame:
        """One event. Raises ShapeError where it is not a JSON object."""
        if data.strip() == b"[DONE]":
            return Frame(name, (Ended(),))
        if not data:
            return Frame(name)
        try:
            rest: dict[str, Any] = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ShapeError("the event", "JSON") from None
        if rest.__class__ is not dict:
            raise ShapeError("the event", "an object")
        events: list[Event] = []
        head = {key: rest.pop(key) for key, kind in _HEAD.items() if rest.get(key).__class__ is kind}
        if any(self._head.get(key) != value for key, value in head.items()):
            self._head.update(head)
            now = self._head
            events.append(Started(now.get("id", ""), now.get("model", ""), now.get("created")))
        rest["~head"] = list(head)
        choices = rest.get("choices")
        if isinstance(choices, list) and all(each.__class__ is dict for each in cast("list[Any]", choices)):
            bounded(len(cast("list[Any]", choices)), "choices")
            rest["~choices"] = rest.pop("choices")
            for at, choice in enumerate(rest["~choices"]):
                self._choice(choice, at, events)
        if rest.get("usage").__class__ is dict:
            events.append(UsageReported(read_usage(rest.pop("usage"), SHAPE)))
        if rest.get("error"):
            events.append(read_broke(rest.pop("error"), SHAPE))
        return Frame(name, tuple(events), Extras(SHAPE, rest))

    def _choice(self, choice: dict[str, Any], at: int, events: list[Event]) -> None:
        index: int = choice["index"] if choice.get("index").__class__ is int else at
        text = choice.get("text")
        if text.__class__ is str and text:
            del choice["text"]
            if index not in self._begun:
                self._begun.add(index)
                events.append(PartStarted(index, 0, Text("")))
            events.append(TextDelta(index, 0, cast("str", text)))
        logprobs = take_logprobs(choice)
        if logprobs is not None:
            events.append(LogprobsAdded(index, logprobs))
        finish, native = take_finish(choice)
        if finish is not None:
            events.append(ChoiceFinished(index, finish, native))
