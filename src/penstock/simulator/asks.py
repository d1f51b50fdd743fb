"""What clients ask for: only the fields that shape an answer; all others are accepted and ignored."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec


class ToolFunction(msgspec.Struct):
    """A function that the model may call; `parameters` is its JSON Schema."""

    name: str
    parameters: dict[str, Any] | None = None


class Message(msgspec.Struct):
    """One message of a chat; content is text, parts, or absent."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: Any = None


class StreamOptions(msgspec.Struct):
    """Options of streams."""

    include_usage: bool | None = None


class Chat(msgspec.Struct):
    """POST /v1/chat/completions."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    service_tier: str | None = None
    seed: int | None = None
    user: str | None = None


class Completion(msgspec.Struct):
    """POST /v1/completions; a prompt is text, texts, or token numbers."""

    model: str
    prompt: str | list[Any] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    echo: bool | None = None
    seed: int | None = None
    user: str | None = None


class TextOptions(msgspec.Struct):
    """The `text` field of a responses request."""

    format: dict[str, Any] | None = None


class Responses(msgspec.Struct):
    """POST /v1/responses."""

    model: str
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: TextOptions | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    parallel_tool_calls: bool | None = None
    service_tier: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None


class Embeddings(msgspec.Struct):
    """POST /v1/embeddings; input is text, texts, or token numbers."""

    model: str
    input: str | list[Any]
    dimensions: int | None = None
    encoding_format: str | None = None
    user: str | None = None


class Moderation(msgspec.Struct):
    """POST /v1/moderations; input is text, texts, or parts."""

    input: str | list[Any]
    model: str = "omni-moderation-latest"


class Rerank(msgspec.Struct):
    """POST /v1/rerank and /v2/rerank; documents are texts or objects with a `text`."""

    model: str
    query: str
    documents: list[str | dict[str, Any]]
    top_n: int | None = None
    return_documents: bool | None = None


class Images(msgspec.Struct):
    """POST /v1/images/generations, and what is read of the forms of edits and variations."""

    prompt: str = ""
    model: str = "gpt-image-1"
    n: int | None = None
    size: str | None = None
    response_format: str | None = None
    stream: bool | None = None
    partial_images: int | None = None


class Speech(msgspec.Struct):
    """POST /v1/audio/speech."""

    model: str
    input: str
    response_format: str | None = None
    stream_format: str | None = None


def parts_text(content: object) -> str:
    """The text of a message's content: itself, or its text parts joined by line ends; else empty."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    found: list[str] = []
    for part in content:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, dict):
            text: object = part.get("text")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            if isinstance(text, str):
                found.append(text)
    return "\n".join(found)


def digest_of(seed: int, *shaping: object) -> str:
    """32 hexadecimal digits made from the seed and what shapes the answer; key order does not matter."""
    encoded = msgspec.json.encode((seed, *shaping), order="deterministic")
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def created_at(digest: str) -> int:
    """Seconds since the Unix epoch, made from the digest: the same request always has the same instant."""
    return 1_750_000_000 + int(digest[:6], 16)
