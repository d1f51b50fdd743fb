"""The client dialects by the shape of their JSON, each imported when it is first spoken."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from penstock.core.errors import Refusal
from penstock.ports.translation import ChatDialect
from penstock.ports.vectors import EmbedDialect, RerankDialect

_CHAT: dict[str, str] = {
    "openai.chat": "openai_chat.dialect:OpenaiChatDialect",
    "openai.completions": "openai_completions.dialect:OpenaiCompletionsDialect",
    "openai.responses": "openai_responses.dialect:OpenaiResponsesDialect",
    "anthropic": "anthropic.dialect:AnthropicDialect",
    "gemini": "gemini.dialect:GeminiDialect",
    "converse": "converse.dialect:ConverseDialect",
}
_EMBED: dict[str, str] = {
    "openai.embeddings": "embeddings.dialect:EmbeddingsDialect",
    "gemini.embed": "gemini.embed:GeminiEmbedDialect",
    "gemini.embeds": "gemini.embed:GeminiEmbedDialect",
}
_RERANK: dict[str, str] = {"rerank": "rerank.dialect:RerankDialect"}


def _load(known: dict[str, str], shape: str) -> object:
    if shape not in known:
        raise Refusal("endpoint_not_built", f"{shape} is not translated by this version yet")
    module, _, name = known[shape].partition(":")
    return getattr(import_module(f"penstock.dialects.{module}"), name)()


@cache
def chat_dialect(shape: str) -> ChatDialect:
    """The dialect of a shape. Raises Refusal for one that is not built."""
    return cast("ChatDialect", _load(_CHAT, shape))


@cache
def embed_dialect(shape: str) -> EmbedDialect:
    """The same for embeddings."""
    return cast("EmbedDialect", _load(_EMBED, shape))


@cache
def rerank_dialect(shape: str) -> RerankDialect:
    """The same for rerank."""
    return cast("RerankDialect", _load(_RERANK, shape))
