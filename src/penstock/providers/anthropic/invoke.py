"""Claude behind Bedrock's `invoke`: the Messages API in binary messages, with Bedrock's own exceptions.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import base64

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.events import Broke, Frame
from penstock.core.parts import Extras
from penstock.ports.translation import Framing
from penstock.providers.anthropic.api import AnthropicProvider
from penstock.providers.anthropic.stream import AnthropicStreamDecoder
from penstock.providers.converse.errors import read_error
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.converse.faults import IN_STREAM


class _Chunk(msgspec.Struct):
    bytes: str = ""


class _Event(msgspec.Struct):
    type: str = ""


_chunk = msgspec.json.Decoder(_Chunk).decode
_event = msgspec.json.Decoder(_Event).decode


class InvokeStreamDecoder(AnthropicStreamDecoder):
    """Takes an event out of its message; the event is then one of the Messages API."""

    def read(self, name: str, data: bytes) -> Frame:
        """One binary message. Raises ShapeError where it cannot be read."""
        if name != "chunk":
            error = read_error(data)
            status = IN_STREAM.get(name, 0)
            return Frame(name, (Broke(error.message or name, type=name, status=status),), Extras(SHAPE, {}))
        try:
            inner = base64.b64decode(_chunk(data).bytes, validate=True)
            kind = _event(inner).type
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            raise ShapeError("the chunk", "an event in base64") from None
        return super().read(kind, inner)


class InvokeProvider(AnthropicProvider):
    """Claude on Bedrock, through `invoke` and `invoke-with-response-stream`."""

    framing: Framing = "aws"

    def __init__(self) -> None:
        super().__init__("bedrock")

    def stream(self) -> InvokeStreamDecoder:
        """A fresh decoder for one stream."""
        return InvokeStreamDecoder()
