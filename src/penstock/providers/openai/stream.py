"""One OpenAI-shaped stream, event by event: what each event is, and what it tells about usage and finish.

Events stay the bytes they came in. Only where the gateway itself asked for the usage is it taken out again:
`usage: null` leaves each chunk and the usage chunk is held back, so that the client sees the stream that it
would have got without us.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from penstock.core.usage import NO_TOOLS, InnerUse, ToolUse, Usage
from penstock.providers.openai.tools import tools_of_response, tools_of_usage
from penstock.providers.openai.usage import cost_of, usage_of, with_image
from penstock.shapes.openai import (
    Answer,
    ChoiceShape,
    MessageShape,
    ResponsesEvent,
    decode_answer,
    decode_responses_event,
    given,
)
from penstock.wire.json_fields import FieldsError, scan
from penstock.wire.sse import data_of, with_data

Kind = Literal["neutral", "content", "last", "error", "garbage"]

_USAGE_NULL_AT_END: Final = b',"usage":null}'
_EARLY_EVENTS: Final = frozenset({"response.created", "response.queued", "response.in_progress"})
_LAST_EVENTS: Final = frozenset({"response.completed", "response.incomplete"})
_IMAGE_EVENTS: Final = frozenset({"image_generation.completed", "image_edit.completed"})
_EMPTY: Final = (b"null", b"[]")
_MAYBE_LAST: Final = (".completed", ".done")


class StreamReader:
    """Reads events in order. After each `read`: `out` is what may go to the client now."""

    __slots__ = (
        "_chunks",
        "_complete",
        "_held",
        "_hide_usage",
        "cost_nanousd",
        "error",
        "finish_reason",
        "inner",
        "model",
        "out",
        "output_chars",
        "service_tier",
        "tool_calls",
        "usage",
    )

    def __init__(self, shape: Literal["chunks", "events"], *, hide_usage: bool) -> None:
        self._hide_usage = hide_usage
        self._held: bytes = b""
        self._complete = False
        self._chunks = shape == "chunks"
        self.out: bytes = b""
        self.usage: Usage | None = None
        self.inner: tuple[InnerUse, ...] = ()
        self.cost_nanousd: int | None = None
        self.model = ""
        self.service_tier = ""
        self.finish_reason = ""
        self.error = b""
        self.output_chars = 0
        self.tool_calls = False

    def read(self, event: bytes) -> Kind:
        """Take one whole event. `last` events must not be sent before the exchange is settled."""
        data = data_of(event)
        if not data:
            self.out = event
            return "neutral"
        try:
            return self._read_chunk(event, data) if self._chunks else self._read_event(event, data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, FieldsError) as error:
            self.error = f"an event of the stream cannot be read: {error}".encode()
            self.out = b""
            return "garbage"

    @property
    def ending(self) -> bool:
        """Whether the answer is complete: an event is held back that says so and may be the last one."""
        return self._complete and bool(self._held)

    def rest(self) -> bytes:
        """What is still held back when the stream ends."""
        held, self._held = self._held, b""
        return held

    # --- chat and completions ---------------------------------------------------------------------------

    def _read_chunk(self, event: bytes, data: bytes) -> Kind:
        if data == b"[DONE]":
            self.out = self.rest() + event
            return "last"
        chunk = decode_answer(data)
        if chunk.model:
            self.model = chunk.model
        if chunk.service_tier:
            self.service_tier = chunk.service_tier
        if chunk.usage is not None:
            self._count(usage_of(chunk.usage), tools_of_usage(chunk.usage))
            self.cost_nanousd = cost_of(chunk.usage)
        elif chunk.x_groq is not None and chunk.x_groq.usage is not None:
            self.usage = usage_of(chunk.x_groq.usage)
        if given(chunk.error):
            self.error = bytes(chunk.error)
            self.out = self.rest() + event
            return "error"
        if self._hide_usage:
            return self._hide(event, data, chunk)
        self.out = event
        return self._kind(chunk.choices)

    def _kind(self, choices: list[ChoiceShape] | None) -> Kind:
        kind: Kind = "neutral"
        for choice in choices or ():
            if choice.finish_reason:
                self.finish_reason = choice.finish_reason
                kind = "content"
                if choice.usage is not None and self.usage is None:
                    self.usage = usage_of(choice.usage)
            delta = choice.delta
            if choice.text:
                self.output_chars += len(choice.text)
                kind = "content"
            if delta is not None and (size := output_size(delta)):
                self.output_chars += size
                self.tool_calls = self.tool_calls or bool(delta.tool_calls)
                kind = "content"
        return kind

    def _hide(self, event: bytes, data: bytes, chunk: Answer) -> Kind:
        held = self.rest()
        if not chunk.choices and chunk.usage is not None:
            # The usage chunk. llama.cpp's timings stand on the chunk before it when nobody asks for usage, so
            # that is where they go.
            timings = scan(data).raw.get("timings") if b'"timings"' in data else None
            if held and timings is not None:
                before = data_of(held)
                held = _swapped(held, before, scan(before).patch({"timings": timings}))
            self.out = held
            return "content" if held else "neutral"
        if chunk.usage is None and b'"usage"' in data:
            event = _swapped(event, data, _without_usage(data))
        kind = self._kind(chunk.choices)
        if self.finish_reason and kind == "content":
            self._held = event
            self.out = held
        else:
            self.out = held + event
        return kind

    def _count(self, usage: Usage, tools: ToolUse) -> None:
        self.usage = usage if tools is NO_TOOLS else tools.added_to(usage)
        self.inner = tools.inner

    # --- responses, images, audio -----------------------------------------------------------------------

    def _read_event(self, event: bytes, data: bytes) -> Kind:
        if data == b"[DONE]":
            self.out = self.rest() + event
            return "last"
        seen = decode_responses_event(data)
        kind = seen.type
        response = seen.response
        if response is not None:
            if response.model:
                self.model = response.model
            if response.service_tier:
                self.service_tier = response.service_tier
            if response.usage is not None:
                self._count(usage_of(response.usage), tools_of_response(response))
                self.cost_nanousd = cost_of(response.usage)
        if kind in _IMAGE_EVENTS:
            self.usage = with_image(self.usage, seen.usage)
        elif seen.usage is not None:
            self.usage = usage_of(seen.usage)
            self.cost_nanousd = cost_of(seen.usage)
        self.out = self.rest() + event
        if kind == "error" or kind.endswith(".failed"):
            inner = seen.error if response is None else response.error
            self.error = bytes(inner) if given(inner) else data
            return "error"
        if kind in _LAST_EVENTS:
            self.finish_reason = (response.status if response is not None else None) or "completed"
            self._hold(event)
            return "content"
        return self._ordinary(kind, seen, event)

    def _hold(self, event: bytes) -> None:
        """Keep what may be the last event back: nothing that ends an answer goes out before it is settled."""
        self._complete = True
        self.out, self._held = self.out[: -len(event)], event

    def _ordinary(self, kind: str, seen: ResponsesEvent, event: bytes) -> Kind:
        """An event that neither fails nor surely ends the stream; one that may end it is held back."""
        if isinstance(seen.delta, str):
            self.output_chars += len(seen.delta)
        if not kind.startswith("response.") and kind.endswith(_MAYBE_LAST):
            self.finish_reason = "completed"
            self._hold(event)
        return "neutral" if kind in _EARLY_EVENTS else "content"


def _without_usage(data: bytes) -> bytes:
    """The chunk without its `usage: null`."""
    if data.endswith(_USAGE_NULL_AT_END):
        # OpenAI's own place for it: nothing but the outermost brace can follow.
        return data[: -len(_USAGE_NULL_AT_END)] + b"}"
    fields = scan(data)
    return fields.without("usage") if "usage" in fields.raw else data


def _swapped(event: bytes, data: bytes, instead: bytes) -> bytes:
    """The event with other data; its line ends and all else stay as they came."""
    at = event.find(data)
    if at < 0:  # data of several lines
        return with_data(event, instead)
    return event[:at] + instead + event[at + len(data) :]


def output_size(delta: MessageShape) -> int:
    """Characters of output in one message or delta."""
    total = 0
    content = delta.content
    if content:
        total = len(content) if isinstance(content, str) else sum([len(bytes(part)) for part in content])
    if delta.reasoning_content:
        total += len(delta.reasoning_content)
    elif delta.reasoning:
        total += len(delta.reasoning)
    if delta.refusal:
        total += len(delta.refusal)
    for raw in (delta.tool_calls, delta.function_call, delta.audio):
        if raw and (text := bytes(raw)) not in _EMPTY:
            total += len(text)
    return total
