"""Which translators stand between a client and a target, and what they make of a request."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.chat import ChatRequest
from penstock.core.embedding import EmbedRequest
from penstock.core.errors import CODES, Refusal, ShapeError
from penstock.core.events import Broke
from penstock.core.exchange import RequestFacts
from penstock.core.losses import OnUnsupported
from penstock.core.plan import Target
from penstock.core.seals import MARKS
from penstock.dialects.openai.errors import error_event
from penstock.dialects.registry import chat_dialect, embed_dialect, rerank_dialect
from penstock.ports.translation import Asked
from penstock.ports.vectors import EmbedAsked, RerankAsked
from penstock.providers.gemini.embed import method_of
from penstock.providers.registry import chat_provider, embed_provider, rerank_provider
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.client_framing import ClientFraming
from penstock.upstream.codec import Codec
from penstock.upstream.native_codec import NativeCodec
from penstock.upstream.translated_codec import TranslatedCodec
from penstock.upstream.vector_codec import Pair, VectorCodec

_decode = msgspec.json.Decoder(dict[str, Any]).decode
MAX_DEPTH = 200


def codec_for(
    request: OpenAIRequest, target: Target, facts: RequestFacts, query: bytes, policy: OnUnsupported
) -> Codec | None:
    """The codec for this target; None where OpenAI's bytes pass. Raises Refusal."""
    endpoint = request.endpoint
    if endpoint.shape in target.speaks and not (endpoint.task == "chat" and carries_seals(request)):
        if endpoint.dialect == "openai":
            return None
        # A seal of another vendor that the client sends back is taken out by decoding.
        # Gemini's stream is always asked for as SSE; a client that wants the JSON array gets it re-framed.
        if not (request.stream and endpoint.dialect == "gemini" and b"alt=sse" not in query):
            return NativeCodec(request, target, chat_provider(endpoint.shape.partition(".")[0]))
    if endpoint.task in ("embed", "rerank"):
        return vector_codec_for(request, target, facts, policy)
    if endpoint.task != "chat" or not target.api:
        raise Refusal("unsupported_endpoint", f"{target.id} does not serve {endpoint.name}")
    chat = chat_of(request)
    provider = chat_provider(endpoint.shape if endpoint.shape in target.speaks else target.api)
    return TranslatedCodec(
        chat,
        asked(request, chat, facts),
        target,
        chat_dialect(endpoint.shape),
        provider,
        client_framing(request, query),
        policy,
    )


def _body_of(request: OpenAIRequest) -> dict[str, Any]:
    """The body as a JSON value. Raises Refusal."""
    try:
        return _decode(request.fields.body if request.fields is not None else b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("invalid_json", f"the body cannot be read: {error}") from None


def vector_codec_for(
    request: OpenAIRequest, target: Target, facts: RequestFacts, policy: OnUnsupported
) -> Codec:
    """The codec for embeddings and rerank. Raises Refusal."""
    endpoint = request.endpoint
    body = _body_of(request)
    try:
        if endpoint.task == "embed" and target.embed_api:
            dialect = embed_dialect(endpoint.shape)
            provider = embed_provider(target.embed_api)
            wish = dialect.decode_request(body, request.model)
            told = EmbedAsked(wish, facts.model, facts.request_id)
            return VectorCodec(
                Pair(
                    gemini_method(wish) if provider.shape == "gemini.embed" else provider.shape,
                    wish,
                    provider.encode_request,
                    provider.decode_reply,
                    lambda reply: dialect.encode_reply(reply, told),
                ),
                target,
                policy,
            )
        if endpoint.task == "rerank" and target.rerank_api:
            ranker = rerank_dialect(endpoint.shape)
            vendor = rerank_provider(target.rerank_api)
            query = ranker.decode_request(body, request.model)
            asked_for = RerankAsked(query, facts.model, facts.request_id)
            return VectorCodec(
                Pair(
                    target.rerank_api,
                    query,
                    vendor.encode_request,
                    vendor.decode_reply,
                    lambda reply: ranker.encode_reply(reply, asked_for),
                ),
                target,
                policy,
            )
    except ShapeError as error:
        raise Refusal("invalid_type", str(error), param=error.where or None) from None
    raise Refusal("unsupported_endpoint", f"{target.id} does not serve {endpoint.name}")


def passes(request: OpenAIRequest, target: Target) -> bool:
    """Whether OpenAI's bytes go through as they are: the common case, decided before anything else."""
    endpoint = request.endpoint
    if endpoint.dialect != "openai" or endpoint.shape not in target.speaks:
        return False
    return endpoint.task != "chat" or not carries_seals(request)


def carries_seals(request: OpenAIRequest) -> bool:
    """Whether the conversation holds what another vendor sealed, which this target must not see."""
    fields = request.fields
    return fields is not None and any(mark in fields.body for mark in MARKS)


def gemini_method(wish: EmbedRequest) -> str:
    """Google has one method for one input and another for several."""
    return "gemini.embeds" if method_of(wish) == "batchEmbedContents" else "gemini.embed"


def asked(request: OpenAIRequest, chat: ChatRequest, facts: RequestFacts) -> Asked:
    """What the reply's encoder must know."""
    return Asked(chat, facts.model, facts.request_id, facts.ts_ms // 1000, request.wants_usage)


def chat_of(request: OpenAIRequest) -> ChatRequest:
    """The request in the pivot. Raises Refusal."""
    if request.chat is None:
        body = _body_of(request)
        try:
            request.chat = chat_dialect(request.endpoint.shape).decode_request(
                body, request.model, stream=request.stream
            )
        except ShapeError as error:
            raise Refusal("invalid_type", str(error), param=error.where or None) from None
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
