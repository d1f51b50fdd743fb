"""How one attempt speaks to its target where that is not plain OpenAI: what it sends, how it reads the answer.

The OpenAI family passes without a codec (providers/openai). Every other pairing has one: `NativeCodec` where
client and target speak the same API (bytes pass, and are read on the way), `TranslatedCodec` where they differ.
"""

from __future__ import annotations

from typing import Literal, Protocol

from penstock.core.usage import InnerUse, Usage
from penstock.shapes.openai import ErrorShape

Kind = Literal["neutral", "content", "last", "error", "garbage", "apart"]


class Framer(Protocol):
    """Cuts a stream into whole wire events, kept as the bytes they came in."""

    def feed(self, data: bytes) -> list[bytes]:
        """The events that `data` completes. Raises EventTooLargeError."""
        ...

    def rest(self) -> bytes:
        """What has arrived of an event that is not complete."""
        ...


class EventReader(Protocol):
    """Reads a stream's events in order; see providers/openai/stream.py."""

    out: bytes
    error: bytes
    usage: Usage | None
    inner: tuple[InnerUse, ...]
    cost_nanousd: int | None
    model: str
    finish_reason: str
    output_chars: int
    service_tier: str

    def read(self, event: bytes) -> Kind:
        """Take one whole event; `out` is then what may go to the client."""
        ...

    @property
    def ending(self) -> bool:
        """Whether the answer is complete, and its last event is held back."""
        ...

    def rest(self) -> bytes:
        """What is to be written when the stream ends."""
        ...


class Whole(Protocol):
    """A whole answer, read: `out` goes to the client."""

    out: bytes
    usage: Usage | None
    inner: tuple[InnerUse, ...]
    cost_nanousd: int | None
    model: str
    finish_reason: str
    output_chars: int
    service_tier: str


class AnswerIsErrorError(ValueError):
    """An answer with status 200 that is the vendor's error; `told` as upstream/vendor_error.py writes it."""

    def __init__(self, told: bytes) -> None:
        super().__init__("the answer is an error")
        self.told = told


class Codec(Protocol):
    """See the module. `legs`: how many times the request is sent (upstream/fan_out.py), usually once.

    `binary`: the answer's bytes pass as they come, and `whole` is given the last of them.
    """

    content_type: bytes
    stream_type: bytes
    translated: bool
    binary: bool
    legs: int

    def body(self, cap: int | None) -> bytes:
        """The request's body; `cap` is the output bound that the reservation stands on."""
        ...

    def path(self) -> bytes:
        """The path below the target's base."""
        ...

    def streams(self, content_type: bytes) -> bool:
        """Whether an answer of this type is the stream that was asked for."""
        ...

    def stream(self) -> tuple[Framer, EventReader]:
        """What cuts and reads this attempt's stream."""
        ...

    def whole(self, body: bytes) -> Whole:
        """Read a whole answer. Raises ShapeError where it is none, AnswerIsErrorError where it is an error."""
        ...

    def error(self, body: bytes) -> ErrorShape:
        """Read an error body."""
        ...

    def warning(self) -> str:
        """What was lost on the way to the target, for `x-penstock-warning`."""
        ...
