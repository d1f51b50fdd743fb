"""Which endpoint serves a path, in every dialect; some paths say the model and whether to stream."""

from __future__ import annotations

import re
from typing import NamedTuple

from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.shapes.openai_request import Endpoint


class Found(NamedTuple):
    """An endpoint, and what the path says; `model` is empty where the body says it."""

    endpoint: Endpoint
    model: str = ""
    stream: bool = False


_MESSAGES = Endpoint(
    "messages",
    "/v1/messages",
    stream_shape="events",
    cap_fields=("max_tokens",),
    prompt_fields=("messages", "system", "tools"),
    dialect="anthropic",
    shape="anthropic",
    task="chat",
)
_COUNT_TOKENS = Endpoint(
    "messages.count_tokens",
    "/v1/messages/count_tokens",
    prompt_fields=("messages", "system", "tools"),
    dialect="anthropic",
    shape="anthropic.count",
    task="count",
)
_EXACT: dict[str, Found] = {
    **{path: Found(each) for path, each in ENDPOINTS.items()},
    **{each.path: Found(each) for each in (_MESSAGES, _COUNT_TOKENS)},
}

_GEMINI_CAP = ("generationConfig", "maxOutputTokens")
_GENERATE = Endpoint(
    "generateContent",
    "/v1beta/models/{model}:generateContent",
    stream_shape="events",
    cap_fields=("generationConfig",),
    cap_path=_GEMINI_CAP,
    prompt_fields=("contents", "systemInstruction", "tools"),
    dialect="gemini",
    shape="gemini",
    task="chat",
    framing="json_array",
    sse_query=b"alt=sse",
)
_GEMINI: dict[str, tuple[Endpoint, bool]] = {
    "generateContent": (_GENERATE, False),
    "streamGenerateContent": (_GENERATE, True),
    "countTokens": (
        Endpoint(
            "countTokens",
            "/v1beta/models/{model}:countTokens",
            prompt_fields=("contents", "generateContentRequest"),
            dialect="gemini",
            shape="gemini.count",
            task="count",
        ),
        False,
    ),
    "embedContent": (
        Endpoint(
            "embedContent",
            "/v1beta/models/{model}:embedContent",
            prompt_fields=("content",),
            dialect="gemini",
            shape="gemini.embed",
            task="embed",
        ),
        False,
    ),
    "batchEmbedContents": (
        Endpoint(
            "batchEmbedContents",
            "/v1beta/models/{model}:batchEmbedContents",
            prompt_fields=("requests",),
            dialect="gemini",
            shape="gemini.embeds",
            task="embed",
        ),
        False,
    ),
}
# Some SDKs leave the version out, or put a project and a publisher before `models` (Vertex AI).
_GEMINI_PATH = re.compile(
    r"(?:/v1|/v1beta|/v1alpha|/v1beta1)?(?:/projects/.+)?/models/(?P<model>.+):(?P<method>\w+)"
)

_CONVERSE = Endpoint(
    "converse",
    "/model/{model}/converse",
    stream_shape="events",
    cap_fields=("inferenceConfig",),
    cap_path=("inferenceConfig", "maxTokens"),
    prompt_fields=("messages", "system", "toolConfig"),
    dialect="converse",
    shape="converse",
    task="chat",
    framing="aws",
)
_CONVERSE_PATH = re.compile(r"/model/(?P<model>.+)/converse(?P<stream>-stream)?")

PATHS = (*_EXACT, _GENERATE.path, _CONVERSE.path)
_ALL = (*(each.endpoint for each in _EXACT.values()), *(each for each, _ in _GEMINI.values()), _CONVERSE)
# What keys can be bound to.
ENDPOINT_NAMES = frozenset(each.name for each in _ALL)
DIALECTS = frozenset(each.dialect for each in _ALL)


def find(path: str) -> Found | None:
    """What serves this path, None where nothing does."""
    exact = _EXACT.get(path)
    if exact is not None:
        return exact
    if (match := _GEMINI_PATH.fullmatch(path)) is not None:
        found = _GEMINI.get(match["method"])
        return Found(found[0], match["model"], found[1]) if found is not None else None
    if (match := _CONVERSE_PATH.fullmatch(path)) is not None:
        return Found(_CONVERSE, match["model"], match["stream"] is not None)
    return None


def dialect_of(path: str) -> str:
    """Whose error shape fits a path, whether or not something is served there."""
    found = find(path)
    if found is not None:
        return found.endpoint.dialect
    if path.startswith("/v1/messages"):
        return "anthropic"
    if path.startswith(("/v1beta", "/v1alpha", "/models/")) or ":" in path.rpartition("/")[2]:
        return "gemini"
    return "converse" if path.startswith("/model/") else "openai"
