"""What the pipeline asks of translators: client dialects on one side, provider APIs on the other.

Both sides meet in the pivot (`core/chat.py`, `core/events.py`). A *shape* names an API's JSON: a dialect and a
provider of equal shape exchange bytes without any of this. Decoders raise `core.errors.ShapeError` where the
input is not what its API says, and nothing else; encoders raise `core.losses.UnsupportedError` where the caller
wants an error rather than a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.events import Broke, Frame
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.core.tool_names import NameRule

Framing = Literal["sse", "ndjson", "aws", "json_array"]


class WireEvent(NamedTuple):
    """One event of a stream without its framing: an SSE event's type or a binary message's, and its payload."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reply's encoder must know of the request that it answers.

    `model` is the name that the client used; `request_id` makes ids where the vendor's are not of this shape;
    `created_s` is Unix time; `wants_usage` is whether a stream's usage is for the client's eyes.
    """

    request: ChatRequest
    model: str
    request_id: str
    created_s: int
    wants_usage: bool = True


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom a request is encoded: the vendor's model name, what it accepts, where losses are noted."""

    model: str
    profile: Profile
    losses: Losses


class StreamEncoder(Protocol):
    """Pivot frames to a dialect's wire events; a frame of the same shape gives back what it came from."""

    def write(self, frame: Frame) -> list[WireEvent]:
        """The wire events for one frame; none where the dialect has nothing to say."""
        ...

    def end(self) -> list[WireEvent]:
        """What closes the stream, once, after the last frame; nothing where the frames have said it."""
        ...

    def fail(self, error: Broke) -> list[WireEvent]:
        """An error in mid-stream, in the dialect's own shape; nothing follows."""
        ...


class StreamDecoder(Protocol):
    """The wire events of one provider API to pivot frames."""

    def read(self, name: str, data: bytes) -> Frame:
        """One wire event. Raises ShapeError where it cannot be read."""
        ...


class ChatDialect(Protocol):
    """A client-facing chat API."""

    shape: str

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request; `model` and `stream` are what the path or the body says. Raises ShapeError."""
        ...

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole answer as a JSON object."""
        ...

    def stream(self, asked: Asked) -> StreamEncoder:
        """A fresh encoder for one stream."""
        ...


class ChatProvider(Protocol):
    """A vendor's chat API. `names`: what it allows as a tool's name; None: anything."""

    shape: str
    framing: Framing
    names: NameRule | None

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        ...

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer. Raises ShapeError."""
        ...

    def stream(self) -> StreamDecoder:
        """A fresh decoder for one stream."""
        ...
