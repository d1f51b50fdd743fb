"""Client and target speak the same API, and it is not OpenAI's: bytes pass, and are read as they go by."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.target import Target
from penstock.core.usage import Usage
from penstock.ports.translation import ChatProvider, StreamDecoder
from penstock.providers.native import native_body
from penstock.providers.paths import path_of
from penstock.shapes.openai import ErrorShape
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.codec import Framer, Kind
from penstock.upstream.framing import STREAM_TYPES, framer, opened
from penstock.upstream.meter import Meter
from penstock.upstream.vendor_error import check_answer, error_of, told_error

decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class PassedWhole(Meter):
    """A whole answer that goes to the client as it came."""

    __slots__ = ("out",)

    def __init__(self, out: bytes) -> None:
        super().__init__()
        self.out = out


class PassingReader(Meter):
    """Implements upstream.codec.EventReader: metered, never changed.

    Once an answer has said why it ended, its latest event is held back: what may be the last one goes out only
    after the exchange is settled.
    """

    __slots__ = ("_decoder", "_held", "_provider", "error", "out")

    def __init__(self, provider: ChatProvider) -> None:
        super().__init__()
        self._provider = provider
        self._decoder: StreamDecoder = provider.stream()
        self._held = b""
        self.out = b""
        self.error = b""

    def read(self, event: bytes) -> Kind:
        """See EventReader."""
        try:
            name, data = opened(self._provider.framing, event)
            if not data:
                self.out = event
                return "neutral"
            kind = self.see(self._decoder.read(name, data))
        except ShapeError as error:
            self.error = f"an event of the stream cannot be read: {error}".encode()
            self.out = b""
            return "garbage"
        self.out = self.rest() + event
        if kind == "error" and self.broke is not None:
            self.error = told_error(self.broke)
        elif kind != "last" and self.finish_reason:
            self.out, self._held = self.out[: -len(event)], event
        return kind

    @property
    def ending(self) -> bool:
        """See EventReader."""
        return bool(self._held)

    def rest(self) -> bytes:
        """See EventReader."""
        held, self._held = self._held, b""
        return held


class NativeCodec:
    """Implements upstream.codec.Codec."""

    translated = False
    binary = False
    legs = 1
    content_type = b""
    stream_type = b""

    def __init__(self, request: OpenAIRequest, target: Target, provider: ChatProvider) -> None:
        self._request = request
        self._target = target
        self._provider = provider

    def body(self, cap: int | None) -> bytes:
        """See Codec."""
        return native_body(self._request, self._target, cap)

    def path(self) -> bytes:
        """See Codec."""
        shape = self._request.endpoint.shape
        if shape == "anthropic.count" and self._target.api == "vertex.anthropic":
            shape = "vertex.anthropic.count"
        return path_of(shape, self._target.model, stream=self._request.stream)

    def streams(self, content_type: bytes) -> bool:
        """See Codec."""
        return content_type.startswith(STREAM_TYPES[self._provider.framing])

    def stream(self) -> tuple[Framer, PassingReader]:
        """See Codec."""
        return framer(self._provider.framing), PassingReader(self._provider)

    def whole(self, body: bytes) -> PassedWhole:
        """See Codec."""
        whole = PassedWhole(body)
        value = decode_object(body)
        if self._request.endpoint.task == "chat":
            reply = self._provider.decode_reply(value)
            check_answer(self._provider.shape, value, reply, body)
            whole.see_reply(reply)
        elif self._request.endpoint.task == "count":
            whole.usage = Usage()
        return whole

    def error(self, body: bytes) -> ErrorShape:
        """See Codec."""
        return error_of(self._provider.shape, body)

    def warning(self) -> str:
        """See Codec."""
        return ""
