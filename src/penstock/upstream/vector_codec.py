"""Embeddings and rerank for a client and a target that speak different APIs: one request, one whole answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from penstock.core.embedding import EmbedReply, EmbedRequest
from penstock.core.losses import Losses, OnUnsupported
from penstock.core.plan import Target
from penstock.core.rerank import RerankReply, RerankRequest
from penstock.ports.translation import Addressee
from penstock.providers.paths import path_of
from penstock.shapes.openai import ErrorShape
from penstock.upstream.codec import EventReader, Framer
from penstock.upstream.meter import counted
from penstock.upstream.native_codec import PassedWhole, decode_object
from penstock.upstream.vendor_error import error_of

_encode = msgspec.json.Encoder().encode
Asked = TypeVar("Asked", EmbedRequest, RerankRequest)
Answered = TypeVar("Answered", EmbedReply, RerankReply)


@dataclass(frozen=True, slots=True)
class Pair(Generic[Asked, Answered]):
    """A client's request, and the translators on both sides of it."""

    shape: str
    request: Asked
    encode_request: Callable[[Asked, Addressee], dict[str, Any]]
    decode_reply: Callable[[dict[str, Any], Asked], Answered]
    encode_reply: Callable[[Answered], dict[str, Any]]


class VectorCodec(Generic[Asked, Answered]):
    """Implements upstream.codec.Codec."""

    translated = True
    legs = 1
    content_type = b"application/json"
    stream_type = b""

    def __init__(self, pair: Pair[Asked, Answered], target: Target, on_unsupported: OnUnsupported) -> None:
        self._pair = pair
        self._target = target
        self._losses = Losses(on_unsupported)

    def body(self, cap: int | None) -> bytes:
        """See Codec. Raises UnsupportedError."""
        del cap
        addressee = Addressee(self._target.model, self._target.profile, self._losses)
        body = self._pair.encode_request(self._pair.request, addressee)
        for name, text in self._target.set_fields.items():
            body[name] = msgspec.Raw(text)
        return _encode(body)

    def path(self) -> bytes:
        """See Codec."""
        return path_of(self._pair.shape, self._target.model, stream=False)

    def streams(self, content_type: bytes) -> bool:
        """See Codec: these APIs have no streams."""
        del content_type
        return False

    def stream(self) -> tuple[Framer, EventReader]:
        """See Codec."""
        raise TypeError("vectors do not stream")

    def whole(self, body: bytes) -> PassedWhole:
        """See Codec."""
        reply = self._pair.decode_reply(decode_object(body), self._pair.request)
        whole = PassedWhole(_encode(self._pair.encode_reply(reply)))
        whole.model = reply.model
        whole.finish_reason = "stop"
        whole.usage = counted(reply.usage.counts) if reply.usage is not None else None
        return whole

    def error(self, body: bytes) -> ErrorShape:
        """See Codec."""
        return error_of(self._pair.shape, body)

    def warning(self) -> str:
        """See Codec."""
        return self._losses.warning()
