"""Which translators stand between a client and a target, and what they make of a request."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ChatRequest, ReplyUsage
from penstock.core.errors import CODES, Refusal, ShapeError
from penstock.core.events import Broke
from penstock.core.exchange import RequestFacts
from penstock.core.losses import OnUnsupported
from penstock.core.prompt_variant import with_prompt
from penstock.core.seals import MARKS
from penstock.core.target import Target
from penstock.dialects.openai.errors import error_event
from penstock.dialects.registry import chat_dialect, embed_dialect, rerank_dialect
from penstock.ports.translation import Asked
from penstock.ports.vectors import EmbedAsked, RerankAsked
from penstock.providers.registry import chat_provider, embed_provider, rerank_provider
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.client_framing import ClientFraming
from penstock.upstream.codec import Codec
from penstock.upstream.going_on import GoingOn
from penstock.upstream.native_codec import NativeCodec
from penstock.upstream.translated_codec import TranslatedCodec
from penstock.upstream.vector_codec import VectorCodec

# Completions have no turns to go on from.
_RESUMABLE: Final = frozenset({"openai.chat", "openai.responses", "anthropic", "gemini", "converse"})
_BACKGROUND: Final = frozenset({b"null", b"false"})
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
MAX_DEPTH: Final = 200


def codec_for(
    request: OpenAIRequest, target: Target, facts: RequestFacts, query: bytes, policy: OnUnsupported
) -> Codec | None:
    """The codec for this target; None where OpenAI's bytes pass. Raises Refusal."""
    endpoint = request.endpoint
    same = endpoint.shape in target.speaks and not (request.resumable or request.rewritten)
    if same and not (endpoint.task == "chat" and carries_seals(request)):
        if endpoint.dialect == "openai":
            return None
        # A seal of another vendor that the client sends back is taken out by decoding.
        # Google's stream is always asked for as SSE; a client that wants the JSON array gets it re-framed.
        if not (request.stream and endpoint.framed(query) == "json_array"):
            return NativeCodec(request, target, chat_provider(endpoint.shape.partition(".")[0]))
    if endpoint.task in ("embed", "rerank"):
        return vector_codec_for(request, target, facts, policy)
    if endpoint.task != "chat" or not target.api:
        raise Refusal("unsupported_endpoint", f"{target.id} does not serve {endpoint.name}")
    chat = chat_of(request)
    if target.prompt is not None:
        chat = with_prompt(chat, target.prompt)
    api = endpoint.shape if endpoint.shape in target.speaks else target.api
    codec = TranslatedCodec(
        _without_store(chat, request, target),
        asked(request, chat, facts),
        target,
        chat_dialect(endpoint.shape),
        chat_provider(api),
        ClientFraming(endpoint.framed(query)),
        policy,
        api,
    )
    codec.resumable = request.resumable
    if isinstance(request.going_on, GoingOn):
        codec.going_on = request.going_on
    return codec


def may_resume(request: OpenAIRequest) -> bool:
    """Whether a stream of this request can be gone on with by another target at all."""
    fields = request.fields
    if not request.stream or fields is None or request.endpoint.shape not in _RESUMABLE:
        return False
    return fields.raw.get("background", b"null") in _BACKGROUND


def _without_store(chat: ChatRequest, request: OpenAIRequest, target: Target) -> ChatRequest:
    """The chat without what is between the client and us: an id that is written out, and whether to keep."""
    if request.endpoint.shape != "openai.responses":
        return chat
    if request.resumable:
        return replace(chat, previous_response_id=None, store=False)  # it is ours, whoever answers
    if "openai.responses" not in target.speaks:
        return replace(chat, previous_response_id=None, store=None)
    if request.fields is not None and "previous_response_id" not in request.fields.raw:
        return replace(chat, previous_response_id=None)
    return chat


def body_of(request: OpenAIRequest) -> dict[str, Any]:
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
    body = body_of(request)
    try:
        if endpoint.task == "embed" and target.embed_api:
            return _embed_codec(body, request, target, facts, policy)
        if endpoint.task == "rerank" and target.rerank_api:
            return _rerank_codec(body, request, target, facts, policy)
    except ShapeError as error:
        raise Refusal("invalid_type", str(error), param=error.where or None) from None
    raise Refusal("unsupported_endpoint", f"{target.id} does not serve {endpoint.name}")


def passes(request: OpenAIRequest, target: Target) -> bool:
    """Whether OpenAI's bytes go through as they are: the common case, decided before anything else."""
    endpoint = request.endpoint
    if endpoint.dialect != "openai" or endpoint.shape not in target.speaks:
        return False
    if request.resumable or request.rewritten:
        return False
    return endpoint.task != "chat" or not carries_seals(request)


def carries_seals(request: OpenAIRequest) -> bool:
    """Whether the conversation holds what another vendor sealed, which this target must not see."""
    fields = request.fields
    if fields is not None:
        for mark in MARKS:
            if fields.body.find(mark) >= 0:  # `in` asks first whether the mark is a number, which costs more
                return True
    return False


def _embed_codec(
    body: dict[str, Any], request: OpenAIRequest, target: Target, facts: RequestFacts, policy: OnUnsupported
) -> VectorCodec:
    dialect, provider = embed_dialect(request.endpoint.shape), embed_provider(target.embed_api)
    wish = dialect.decode_request(body, request.model)
    told = EmbedAsked(wish, facts.model, facts.request_id)

    def answered(value: dict[str, Any]) -> tuple[dict[str, Any], ReplyUsage | None, str]:
        reply = provider.decode_reply(value, wish)
        return dialect.encode_reply(reply, told), reply.usage, reply.model

    shape = provider.served_at(wish, target.model)
    return VectorCodec(shape, lambda to: provider.encode_request(wish, to), answered, target, policy)


def _rerank_codec(
    body: dict[str, Any], request: OpenAIRequest, target: Target, facts: RequestFacts, policy: OnUnsupported
) -> VectorCodec:
    dialect, provider = rerank_dialect(request.endpoint.shape), rerank_provider(target.rerank_api)
    wish = dialect.decode_request(body, request.model)
    told = RerankAsked(wish, facts.model, facts.request_id)

    def answered(value: dict[str, Any]) -> tuple[dict[str, Any], ReplyUsage | None, str]:
        reply = provider.decode_reply(value, wish)
        return dialect.encode_reply(reply, told), reply.usage, reply.model

    shape = target.rerank_api
    return VectorCodec(shape, lambda to: provider.encode_request(wish, to), answered, target, policy)


def asked(request: OpenAIRequest, chat: ChatRequest, facts: RequestFacts) -> Asked:
    """What the reply's encoder must know."""
    return Asked(chat, facts.model, facts.request_id, facts.ts_ms // 1000, request.wants_usage)


def chat_of(request: OpenAIRequest) -> ChatRequest:
    """The request in the pivot. Raises Refusal."""
    if request.chat is None:
        body = body_of(request)
        try:
            request.chat = chat_dialect(request.endpoint.shape).decode_request(
                body, request.model, stream=request.stream
            )
        except ShapeError as error:
            raise Refusal("invalid_type", str(error), param=error.where or None) from None
    return request.chat


def broken_event(request: OpenAIRequest, query: bytes, code: str, message: str, facts: RequestFacts) -> bytes:
    """An error inside a stream that has begun, in the client's dialect; empty where it has none."""
    endpoint = request.endpoint
    kind = CODES[code][1]
    if endpoint.dialect == "openai":
        if endpoint.stream_shape is None:
            return b""
        return error_event(endpoint.stream_shape, code, kind, message, facts.request_id)
    encoder = chat_dialect(endpoint.shape).stream(asked(request, ChatRequest(model=request.model), facts))
    framing = ClientFraming(endpoint.framed(query))
    return framing.frame(encoder.fail(Broke(message, kind, code, CODES[code][0]))) + framing.close()
