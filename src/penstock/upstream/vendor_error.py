"""Errors in each vendor's words, as the one form that decides on retry and fallback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.chat import ChatReply
from penstock.core.events import Broke
from penstock.providers.anthropic.errors import read_error as read_anthropic
from penstock.providers.cohere.errors import read_error as read_cohere
from penstock.providers.converse.errors import read_error as read_converse
from penstock.providers.gemini.errors import read_error as read_gemini
from penstock.providers.mistral.errors import read_error as read_mistral
from penstock.providers.ollama.errors import read_error as read_ollama
from penstock.providers.openai.errors import read_error
from penstock.providers.openai_chat.errors import read_error as read_chat
from penstock.providers.openai_responses.errors import read_error as read_responses
from penstock.shapes.openai import ErrorShape
from penstock.upstream.codec import AnswerIsErrorError

_READERS: dict[str, Callable[[bytes], ErrorShape]] = {
    "anthropic": read_anthropic,
    # A cloud's own errors, and those of Claude behind it, which have the same members.
    "vertex.anthropic": read_gemini,
    "bedrock.anthropic": read_converse,
    "gemini": read_gemini,
    "gemini.embed": read_gemini,
    "gemini.embeds": read_gemini,
    "vertex.embed": read_gemini,
    "converse": read_converse,
    "cohere": read_cohere,
    "mistral": read_mistral,
    "ollama": read_ollama,
    "openai.chat": read_chat,
    "openai.responses": read_responses,
}


def error_of(shape: str, body: bytes) -> ErrorShape:
    """What an error body says, however much of it can be read."""
    return _READERS.get(shape, read_error)(body)


def check_answer(shape: str, value: dict[str, Any], reply: ChatReply, body: bytes) -> None:
    """Some vendors answer with an error and status 200. Raises AnswerIsErrorError."""
    if not reply.choices and (value.get("error") or value.get("type") == "error"):
        error = error_of(shape, body)
        told = {"message": error.message, "type": error.type, "code": error.code}
        raise AnswerIsErrorError(msgspec.json.encode(told))


def told_error(broke: Broke) -> bytes:
    """An error inside a stream as the JSON object that `failure_of_event` reads."""
    return msgspec.json.encode(
        {"message": broke.message, "type": broke.type, "code": broke.status or broke.code}
    )
