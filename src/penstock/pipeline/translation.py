"""Which translators stand between a client and a target, and what they make of a request."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.chat import ChatRequest
from penstock.core.errors import CODES, Refusal, ShapeError
from penstock.core.events import Broke
from penstock.core.exchange import RequestFacts
from penstock.core.losses import OnUnsupported
from penstock.core.plan import Target
from penstock.dialects.openai.errors import error_event
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Asked
from penstock.providers.registry import chat_provider
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.client_framing import ClientFraming
from penstock.upstream.codec import Codec
from penstock.upstream.native_codec import NativeCodec
from penstock.upstream.translated_codec import TranslatedCodec

_decode = msgspec.json.Decoder(dict[str, Any]).decode
MAX_DEPTH = 200


def codec_for(
    request: OpenAIRequest, target: Target, facts: RequestFacts, query: bytes, policy: OnUnsupported
) -> Codec | None:
    """The codec for this target; None where OpenAI's bytes pass. Raises Refusal."""
    endpoint = request.endpoint
    if endpoint.shape in target.speaks:
        if endpoint.dialect == "openai":
            return None
        # Gemini's stream is always asked for as SSE; a client that wants the JSON array gets it re-framed.
        if not (request.stream and endpoint.dialect == "gemini" and b"alt=sse" not in query):
            return NativeCodec(request, target, chat_provider(endpoint.shape.partition(".")[0]))
    if endpoint.task != "chat":
        raise Refusal("unsupported_endpoint", f"{target.id} does not serve {endpoint.name}")
    chat = chat_of(request)
    return TranslatedCodec(
        chat,
        asked(request, chat, facts),
        target,
        chat_dialect(endpoint.shape),
        chat_provider(target.api),
        client_framing(request, query),
        policy,
    )


def asked(request: OpenAIRequest, chat: ChatRequest, facts: RequestFacts) -> Asked:
    """What the reply's encoder must know."""
    return Asked(chat, facts.model, facts.request_id, facts.ts_ms // 1000, request.wants_usage)


def chat_of(request: OpenAIRequest) -> ChatRequest:
    """The request in the pivot. Raises Refusal."""
    if request.chat is None:
        fields = request.fields
        try:
            body = _decode(fields.body if fields is not None else b"{}")
            request.chat = chat_dialect(request.endpoint.shape).decode_request(
                body, request.model, stream=request.stream
            )
        except ShapeError as error:
            raise Refusal("invalid_type", str(error), param=error.where or None) from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refusal("invalid_json", f"the body cannot be read: {error}") from None
    return request.chat


def client_framing(request: OpenAIRequest, query: bytes) -> ClientFraming:
    """How this client's stream is framed."""
    dialect = request.endpoint.dialect
    if dialect == "converse":
        return ClientFraming("aws")
    if dialect == "gemini" and b"alt=sse" not in query:
        return ClientFraming("json_array")
    return ClientFraming("sse")


def broken_event(request: OpenAIRequest, query: bytes, code: str, message: str, facts: RequestFacts) -> bytes:
    """An error inside a stream that has begun, in the client's dialect; empty where it has none."""
    endpoint = request.endpoint
    kind = CODES[code][1]
    if endpoint.dialect == "openai":
        if endpoint.stream_shape is None:
            return b""
        return error_event(endpoint.stream_shape, code, kind, message, facts.request_id)
    encoder = chat_dialect(endpoint.shape).stream(asked(request, ChatRequest(model=request.model), facts))
    framing = client_framing(request, query)
    return framing.frame(encoder.fail(Broke(message, kind, code, CODES[code][0]))) + framing.close()
