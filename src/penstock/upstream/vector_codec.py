"""Embeddings and rerank for a client and a target that speak different APIs: one request, one whole answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.chat import ReplyUsage
from penstock.core.losses import Losses, OnUnsupported
from penstock.core.target import Target
from penstock.ports.translation import Addressee
from penstock.providers.paths import path_of
from penstock.shapes.openai import ErrorShape
from penstock.upstream.codec import EventReader, Framer
from penstock.upstream.meter import counted
from penstock.upstream.native_codec import PassedWhole, decode_object
from penstock.upstream.vendor_error import error_of

_encode = msgspec.json.Encoder().encode
# The request's body in the vendor's words, and the answer in the client's, with its usage and the model's name.
Ask = Callable[[Addressee], dict[str, Any]]
Answered = Callable[[dict[str, Any]], tuple[dict[str, Any], ReplyUsage | None, str]]


class VectorCodec:
    """Implements upstream.codec.Codec; `shape` names the vendor's API."""

    translated = True
    binary = False
    legs = 1
    content_type = b"application/json"
    stream_type = b""

    def __init__(
        self, shape: str, ask: Ask, answered: Answered, target: Target, on_unsupported: OnUnsupported
    ) -> None:
        self._shape = shape
        self._ask = ask
        self._answered = answered
        self._target = target
        self._losses = Losses(on_unsupported)

    def body(self, cap: int | None) -> bytes:
        """See Codec. Raises UnsupportedError."""
        del cap
        body = self._ask(Addressee(self._target.model, self._target.profile, self._losses))
        for name, text in self._target.set_fields.items():
            body[name] = msgspec.Raw(text)
        return _encode(body)

    def path(self) -> bytes:
        """See Codec."""
        return path_of(self._shape, self._target.model, stream=False)

    def streams(self, content_type: bytes) -> bool:
        """See Codec: these APIs have no streams."""
        del content_type
        return False

    def stream(self) -> tuple[Framer, EventReader]:
        """See Codec."""
        raise TypeError("vectors do not stream")

    def whole(self, body: bytes) -> PassedWhole:
        """See Codec."""
        value, usage, model = self._answered(decode_object(body))
        whole = PassedWhole(_encode(value))
        whole.model = model
        whole.finish_reason = "stop"
        if usage is not None:
            whole.usage = counted(usage.counts)
            whole.cost_nanousd = usage.cost_nanousd
        return whole

    def error(self, body: bytes) -> ErrorShape:
        """See Codec."""
        return error_of(self._shape, body)

    def warning(self) -> str:
        """See Codec."""
        return self._losses.warning()
