"""Where each API shape is served below a provider's base URL, the version included in the base."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

Path = Callable[[str, bool], str]


def _named(path: str) -> Path:
    return lambda _model, _stream: path


def _gemini(method: str) -> Path:
    return lambda model, _stream: f"/models/{quote(model, safe='')}:{method}"


def _generate(model: str, stream: bool) -> str:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/models/{quote(model, safe='')}:{method}"


def _converse(model: str, stream: bool) -> str:
    return f"/model/{quote(model, safe='')}/converse{'-stream' if stream else ''}"


def _raw_predict(model: str, stream: bool) -> str:
    return f"/models/{quote(model, safe='@')}:{'streamRawPredict' if stream else 'rawPredict'}"


def _invoke(model: str, stream: bool) -> str:
    return f"/model/{quote(model, safe='')}/invoke{'-with-response-stream' if stream else ''}"


_PATHS: dict[str, Path] = {
    "openai.chat": _named("/chat/completions"),
    "openai.completions": _named("/completions"),
    "openai.responses": _named("/responses"),
    "openai.embeddings": _named("/embeddings"),
    "mistral": _named("/chat/completions"),
    "rerank": _named("/rerank"),
    "voyage.rerank": _named("/rerank"),
    "mistral.embeddings": _named("/embeddings"),
    "voyage.embeddings": _named("/embeddings"),
    "jina.embeddings": _named("/embeddings"),
    # Beside chat, which Perplexity serves without a version in its path.
    "perplexity.embeddings": _named("/v1/embeddings"),
    "anthropic": _named("/messages"),
    "vertex.anthropic": _raw_predict,
    "bedrock.anthropic": _invoke,
    "anthropic.count": _named("/messages/count_tokens"),
    # The body names the model:
    # https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens
    "vertex.anthropic.count": _named("/models/count-tokens:rawPredict"),
    "gemini": _generate,
    "gemini.count": _gemini("countTokens"),
    "gemini.embed": _gemini("embedContent"),
    "gemini.embeds": _gemini("batchEmbedContents"),
    "vertex.embed": _gemini("predict"),
    "converse": _converse,
    "cohere": _named("/chat"),
    "cohere.embed": _named("/embed"),
    "cohere.rerank": _named("/rerank"),
    "ollama": _named("/chat"),
    "ollama.embed": _named("/embed"),
}


def path_of(shape: str, model: str, *, stream: bool) -> bytes:
    """The path below the base URL, with its query where the API needs one."""
    return _PATHS[shape](model, stream).encode()
