"""Whatever a stranger sends, decoders answer with their own error or not at all."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.embedding import EmbedRequest
from penstock.core.errors import ShapeError
from penstock.dialects.gemini.count import decode_count
from penstock.dialects.gemini.embed import GEMINI_EMBED_DIALECT
from penstock.providers.gemini.count import decode_count as count_reply
from penstock.providers.gemini.embed import GEMINI_EMBED
from penstock.providers.gemini.errors import read_error
from tests.translation.gemini.replay import DIALECT, PROVIDER, asked, to

WORDS = (
    "contents", "role", "parts", "text", "thought", "thoughtSignature", "thought_signature", "inlineData",
    "inline_data", "mimeType", "mime_type", "data", "fileData", "fileUri", "functionCall",
    "functionResponse", "name", "id", "args", "response", "partialArgs", "jsonPath", "stringValue",
    "willContinue", "executableCode", "systemInstruction", "tools", "functionDeclarations", "parameters",
    "toolConfig", "functionCallingConfig", "mode", "allowedFunctionNames", "generationConfig",
    "maxOutputTokens", "responseSchema", "thinkingConfig", "thinkingBudget", "candidates", "content",
    "finishReason", "index", "usageMetadata", "promptTokenCount", "promptTokensDetails", "modality",
    "tokenCount", "groundingMetadata", "groundingSupports", "segment", "groundingChunks",
    "groundingChunkIndices", "startIndex", "endIndex", "partIndex", "promptFeedback", "blockReason",
    "error", "embedding", "embeddings", "values", "requests", "outputDimensionality", "taskType", "~one",
    "~snake", "~config",
)  # fmt: skip
NAMES = st.sampled_from(WORDS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["user", "model", "STOP", "image/png", "text/plain", "AAAA", "$.a[0]", "OBJECT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)  # fmt: skip
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)


@settings(max_examples=200, deadline=None)
@given(OBJECTS)
def test_requests_are_decoded_or_refused(body: dict[str, Any]) -> None:
    """A request that was accepted can be encoded again."""
    for decode in (lambda: DIALECT.decode_request(body, "m", stream=False), lambda: decode_count(body, "m")):
        try:
            request = decode()
        except ShapeError:
            continue
        PROVIDER.encode_request(request, to())
    with suppress(ShapeError):
        GEMINI_EMBED.encode_request(GEMINI_EMBED_DIALECT.decode_request(body, "m"), to())


@settings(max_examples=200, deadline=None)
@given(OBJECTS, OBJECTS)
def test_replies_are_decoded_or_refused(body: dict[str, Any], more: dict[str, Any]) -> None:
    """A reply, or two events of a stream, that could be read can be written again."""
    asking = asked()
    for each in (body, {"candidates": [more]}, {"candidates": [{"content": {"parts": [body, more]}}]}):
        DIALECT.encode_reply(PROVIDER.decode_reply(each), asking)
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asking)
    for each in (body, {"candidates": [{"content": {"parts": [body, more]}}]}, more):
        encoder.write(decoder.read("", json.dumps(each).encode()))
    encoder.end()
    read_error(json.dumps(body).encode())
    for read in (lambda: count_reply(body), lambda: GEMINI_EMBED.decode_reply(body, EmbedRequest(model="m"))):
        with suppress(ShapeError):
            read()


def _nested(depth: int, key: str) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {key: value}
    return value


def test_deep_nesting_is_refused_or_kept() -> None:
    """No depth of a stranger's object ends in anything but our own error."""
    deep = _nested(900, "properties")
    for body in (
        {"contents": [{"parts": [{"functionCall": {"name": "f", "args": deep}}]}]},
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": deep}]}]},
        {"generationConfig": {"responseSchema": deep}},
    ):
        with suppress(ShapeError):
            DIALECT.decode_request(body, "m", stream=False)
