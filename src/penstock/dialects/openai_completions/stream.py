"""Frames as chunks of a text completion."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.chat import Choice
from penstock.core.events import (
    Broke,
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
from penstock.core.parts import Audio, Extras, Part, Refused, Text
from penstock.dialects.openai_completions.encode import echoed, finish_word, reply_id, words_of
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.openai_chat.errors import broke_object
from penstock.shapes.openai_chat.usage import write_usage
from penstock.shapes.openai_completions import SHAPE
from penstock.shapes.openai_completions.logprobs import write_logprobs

_encode = msgspec.json.Encoder().encode
_DONE = WireEvent("", b"[DONE]")


class CompletionStreamEncoder:
    """Writes one stream."""

    __slots__ = ("_asked", "_ended", "_head", "_is_own", "_lengths", "_reasons", "_texts", "_usage")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._head: dict[str, Any] = {}
        self._texts: dict[tuple[int, int], Part] = {}
        self._lengths: dict[int, int] = {}
        # Told when all is said: Google has given a reason with each piece, and another at last.
        self._reasons: dict[int, ChoiceFinished] = {}
        self._usage: UsageReported | None = None
        self._is_own = False
        self._ended = False

    def write(self, frame: Frame) -> list[WireEvent]:
        """The chunk for one frame, none where it has no text."""
        extras = frame.extras
        if extras is not None and extras.shape == SHAPE:
            return self._own(frame, extras)
        out: list[WireEvent] = []
        choices: dict[int, dict[str, Any]] = {}
        for event in frame.events:
            if isinstance(event, UsageReported):
                self._usage = event
            elif isinstance(event, Started):
                self._start(event)
            elif isinstance(event, Ended | Broke):
                out += self._chunk(choices)
                choices = {}
                out += self.fail(event) if isinstance(event, Broke) else self.end()
            elif isinstance(event, ChoiceFinished):
                self._reasons[event.choice] = event
            else:
                self._fill(event, choices, own=False)
        return out + self._chunk(choices)

    def end(self) -> list[WireEvent]:
        """Finish reasons that nobody gave, the usage where it is wanted, and the mark of the end."""
        if self._ended:
            return []
        self._ended = True
        if self._is_own:
            return [_DONE]
        choices: dict[int, dict[str, Any]] = {}
        for index in sorted({*self._lengths, *self._reasons} or {0}):
            self._fill(self._reasons.get(index) or ChoiceFinished(index, "stop"), choices, own=False)
        out = self._chunk(choices)
        if self._usage is not None and self._asked.wants_usage:
            usage = write_usage(self._usage.usage, SHAPE)
            out.append(WireEvent("", _encode({**self._base(), "choices": [], "usage": usage})))
        return [*out, _DONE]

    def fail(self, error: Broke) -> list[WireEvent]:
        """The error as a data line; nothing follows."""
        self._ended = True
        return [WireEvent("", _encode({"error": broke_object(error, SHAPE)}))]

    def _start(self, event: Started) -> None:
        self._head = {"id": event.id, "model": event.model, "created": event.created_s}

    def _base(self) -> dict[str, Any]:
        asked = self._asked
        return {
            "id": reply_id(asked),
            "object": "text_completion",
            "created": asked.created_s,
            "model": self._head.get("model") or asked.model,
        }

    def _chunk(self, choices: dict[int, dict[str, Any]]) -> list[WireEvent]:
        if not choices:
            return []
        return [WireEvent("", _encode({**self._base(), "choices": list(choices.values())}))]

    def _own(self, frame: Frame, extras: Extras) -> list[WireEvent]:
        self._is_own = True
        fields = dict(extras.fields)
        said = fields.pop("~head", ())
        kept: list[dict[str, Any]] | None = fields.pop("~choices", None)
        choices = {
            each["index"] if each.get("index").__class__ is int else at: dict(each)
            for at, each in enumerate(kept or ())
        }
        for event in frame.events:
            if isinstance(event, Started):
                self._start(event)
            elif isinstance(event, UsageReported):
                fields["usage"] = write_usage(event.usage, SHAPE)
            elif isinstance(event, Broke):
                fields["error"] = broke_object(event, SHAPE)
            else:
                self._fill(event, choices, own=True)
        for name in said:
            fields[name] = self._head.get(name)
        if kept is not None:
            for choice in choices.values():
                choice.pop("~finish", None)
            fields["choices"] = list(choices.values())
        if not self._asked.wants_usage and "usage" in fields:
            del fields["usage"]
            if fields.get("choices") == []:
                return []
        return [WireEvent(frame.name, _encode(fields))]

    def _fill(self, event: Event, choices: dict[int, dict[str, Any]], *, own: bool) -> None:
        if isinstance(event, PartStarted):
            self._texts[event.choice, event.index] = event.part
            if text := words_of(event.part):
                self._text(event.choice, text, choices, own=own)
        elif isinstance(event, TextDelta):
            if isinstance(self._texts.get((event.choice, event.index)), Text | Refused | Audio):
                self._text(event.choice, event.text, choices, own=own)
        elif isinstance(event, LogprobsAdded):
            choice = self._choice(event.choice, choices, own=own)
            before = self._lengths.get(event.choice, 0) - len(_text_of(choice))
            choice["logprobs"] = write_logprobs(event.logprobs, SHAPE, max(0, before))
        elif isinstance(event, ChoiceFinished):
            choice = self._choice(event.choice, choices, own=own)
            told = Choice(event.choice, (), event.finish, event.native)
            refused = any(
                isinstance(part, Refused) for (index, _), part in self._texts.items() if index == event.choice
            )
            choice["finish_reason"] = finish_word(told, own=own and "~finish" in choice, refused=refused)

    def _text(self, index: int, text: str, choices: dict[int, dict[str, Any]], *, own: bool) -> None:
        choice = self._choice(index, choices, own=own)
        choice["text"] = _text_of(choice) + text
        self._lengths[index] = self._lengths.get(index, 0) + len(text)

    def _choice(self, index: int, choices: dict[int, dict[str, Any]], *, own: bool) -> dict[str, Any]:
        choice = choices.get(index)
        if choice is None:
            text = ""
            if not own and index not in self._lengths:
                text = echoed(self._asked)
                self._lengths[index] = len(text)
            choice = {"index": index, "text": text, "logprobs": None, "finish_reason": None}
            choices[index] = choice
        return choice


def _text_of(choice: dict[str, Any]) -> str:
    """What stands in it; vendors have sent other things than text."""
    text = choice.get("text")
    return text if isinstance(text, str) else ""
