"""A stream of chat completion chunks.

A chunk's frame keeps, in its extras, the chunk without what its events say: `~choices` has what is left of each
choice, and events that fill one of several items of a list say which in `~at`.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.events import (
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Extras
from penstock.providers.openai_chat.delta import Answer, read_delta
from penstock.providers.openai_chat.response import take_finish, take_logprobs
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.errors import read_broke
from penstock.shapes.openai_chat.sources import listed_sources
from penstock.shapes.openai_chat.usage import read_usage
from penstock.shapes.taker import bounded

_decode = msgspec.json.Decoder().decode
HEAD = ("id", "model", "created", "service_tier")
_DONE = b"[DONE]"


class ChatStream:
    """Reads the events of one stream in order."""

    __slots__ = ("_answers", "_head", "_shape", "_sources")

    def __init__(self, shape: str = SHAPE) -> None:
        self._shape = shape
        self._answers: dict[int, Answer] = {}
        self._head: tuple[Any, ...] | None = None
        self._sources = False

    def read(self, name: str, data: bytes) -> Frame:
        """One event. Raises ShapeError where it is not a JSON object."""
        if data.strip() == _DONE:
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
        self._read_head(rest, events)
        choices = rest.get("choices")
        if choices.__class__ is list:
            self._read_choices(rest, cast("list[Any]", choices), events)
        usage = self._usage(rest)
        if usage is not None:
            events.append(usage)
        broke = self._broke(rest)
        if broke is not None:
            events.append(broke)
        return Frame(name, tuple(events), Extras(self._shape, rest))

    def _read_head(self, rest: dict[str, Any], events: list[Event]) -> None:
        """Id, model, time and tier: told when they change, and taken out of every chunk that repeats them."""
        was = self._head or ("", "", None, None)
        now: list[Any] = []
        said: list[str] = []
        for name, old in zip(HEAD, was, strict=True):
            value = rest.get(name)
            if value.__class__ is (int if name == "created" else str):
                del rest[name]
                said.append(name)
                now.append(value)
            else:
                now.append(old)
        rest["~head"] = said
        head = tuple(now)
        if head != self._head and said:
            self._head = head
            events.append(Started(head[0], head[1], head[2], head[3]))

    def _read_choices(self, rest: dict[str, Any], choices: list[Any], events: list[Event]) -> None:
        if not all(choice.__class__ is dict for choice in choices):
            return
        bounded(len(choices), "choices")
        rest["~choices"] = choices
        del rest["choices"]
        for at, choice in enumerate(choices):
            self._read_choice(choice, at, rest, events)

    def _read_choice(self, choice: dict[str, Any], at: int, rest: dict[str, Any], events: list[Event]) -> None:
        index = choice.get("index")
        if index.__class__ is not int:
            index = choice["~index"] = at
        index = cast("int", index)
        answer = self._answers.get(index)
        if answer is None:
            answer = self._answers[index] = Answer(index, self._head[0] if self._head is not None else "")
        told = len(events)
        delta = choice.get("delta")
        if delta.__class__ is dict:
            read_delta(cast("dict[str, Any]", delta), answer, events, self._shape)
            if not self._sources and answer.kind == "text":
                self._cite(rest, answer, events)
        if "text" in choice or "message" in choice:
            _take_repeats(choice, answer, events[told:])
        if choice.get("logprobs") is not None:
            logprobs = take_logprobs(choice, self._shape)
            if logprobs is not None:
                events.append(LogprobsAdded(index, logprobs))
        if choice.get("finish_reason"):
            finish, native, stop = take_finish(choice, refused=answer.refused)
            if finish is not None:
                events.append(ChoiceFinished(index, finish, native, stop))

    def _cite(self, rest: dict[str, Any], answer: Answer, events: list[Event]) -> None:
        """The first text cites what the chunk lists beside the answer (Perplexity)."""
        self._sources = True
        sources = listed_sources(rest, self._shape)
        events += [CitationAdded(answer.choice, answer.at, source) for source in sources]

    def _usage(self, rest: dict[str, Any]) -> UsageReported | None:
        """The usage, at the top or where Groq (`x_groq`) and Moonshot (in a choice) put it."""
        value = rest.get("usage")
        if value.__class__ is dict:
            del rest["usage"]
            return UsageReported(read_usage(cast("dict[str, Any]", value), self._shape))
        groq = rest.get("x_groq")
        if groq.__class__ is dict and cast("dict[str, Any]", groq).get("usage").__class__ is dict:
            usage = read_usage(cast("dict[str, Any]", groq)["usage"], self._shape)
            return UsageReported(usage, Extras(self._shape, {"~in": "x_groq"}))
        for choice in rest.get("~choices", ()):
            if choice.get("usage").__class__ is dict:
                return UsageReported(
                    read_usage(choice["usage"], self._shape), Extras(self._shape, {"~in": "choice"})
                )
        return None

    def _broke(self, rest: dict[str, Any]) -> Broke | None:
        if rest.get("error"):
            return read_broke(rest.pop("error"), self._shape)
        if rest.get("object") == "error":
            rest["~error"] = "top"
            broke = read_broke({**rest, "~error": None}, self._shape)
            for name in ("message", "type", "code"):
                rest.pop(name, None)
            extras = {"~code": True} if broke.extras and "~code" in broke.extras.fields else None
            return Broke(
                broke.message,
                broke.type,
                broke.code,
                broke.status,
                Extras(self._shape, extras) if extras else None,
            )
        return None


def _take_repeats(choice: dict[str, Any], answer: Answer, events: list[Event]) -> None:
    """Members that repeat the text: `text` (Hugging Face), a `message` with all of it so far (Perplexity)."""
    new = "".join([each.text for each in events if isinstance(each, TextDelta) and each.index in answer.texts])
    if choice.get("text") == new and new:
        choice["~text"] = True
        del choice["text"]
    message: Any = choice.get("message")
    if message.__class__ is dict:
        answer.said += new
        if message.get("content") == answer.said and new:
            message["~all"] = True
            del message["content"]
