"""Nonsense in embeddings and rerank ends in ShapeError or in an answer, never in anything else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings

from penstock.core.embedding import EmbedRequest
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.profile import Profile
from penstock.core.rerank import RerankRequest
from penstock.dialects.cohere.embed import CohereEmbedDialect
from penstock.dialects.embeddings.dialect import EmbeddingsDialect
from penstock.dialects.ollama.embed import OllamaEmbedDialect
from penstock.dialects.rerank.dialect import RerankDialect
from penstock.ports.translation import Addressee
from penstock.ports.vectors import EmbedAsked, EmbedDialect, EmbedProvider, RerankAsked
from penstock.providers.cohere.embed import COHERE_EMBED
from penstock.providers.embeddings.api import (
    JINA_EMBEDDINGS,
    MISTRAL_EMBEDDINGS,
    OPENAI_EMBEDDINGS,
    VOYAGE_EMBEDDINGS,
)
from penstock.providers.ollama.embed import OLLAMA_EMBED
from penstock.providers.rerank.api import COHERE_RERANK, SHARED_RERANK, VOYAGE_RERANK
from tests.translation.vectors.hostile import objects, only_shape_errors, seconds

DIALECTS: list[EmbedDialect] = [EmbeddingsDialect(), CohereEmbedDialect(), OllamaEmbedDialect()]
PROVIDERS: list[EmbedProvider] = [
    OPENAI_EMBEDDINGS, MISTRAL_EMBEDDINGS, VOYAGE_EMBEDDINGS, JINA_EMBEDDINGS, COHERE_EMBED, OLLAMA_EMBED,
]  # fmt: skip
NAMES = (
    "input", "dimensions", "encoding_format", "embedding_type", "truncate", "texts", "images",
    "inputs", "content", "type", "text", "image", "image_url", "url", "data", "embedding",
    "embeddings", "index", "float", "int8", "base64", "usage", "prompt_tokens", "total_tokens",
    "cost", "meta", "billed_units", "input_tokens", "task", "input_type",
)  # fmt: skip
RANKS = (
    "query", "documents", "top_n", "top_k", "rank_fields", "truncation", "results", "index",
    "relevance_score", "document", "text", "data", "meta", "billed_units", "search_units", "usage",
    "total_tokens",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(objects(*NAMES))
def test_embeddings_raise_nothing_else(body: dict[str, Any]) -> None:
    """Any object as a request or a reply is read or refused; what is read can be written everywhere."""

    def ask(dialect: EmbedDialect) -> None:
        request = dialect.decode_request(body, "m")
        for provider in PROVIDERS:
            with suppress(UnsupportedError):
                provider.encode_request(request, Addressee("m", Profile(), Losses()))

    request = EmbedRequest(model="m")
    for dialect in DIALECTS:
        only_shape_errors(lambda dialect=dialect: ask(dialect))
        for provider in PROVIDERS:
            reply = provider.decode_reply(body, request)
            dialect.encode_reply(reply, EmbedAsked(request, "m", "1"))


@settings(max_examples=150, deadline=None)
@given(objects(*RANKS))
def test_rerank_raises_nothing_else(body: dict[str, Any]) -> None:
    """Any object as a request or a reply is read or refused; what is read can be written everywhere."""
    dialect = RerankDialect()

    def ask() -> None:
        request = dialect.decode_request(body, "m")
        for provider in (COHERE_RERANK, SHARED_RERANK, VOYAGE_RERANK):
            with suppress(UnsupportedError):
                provider.encode_request(request, Addressee("m", Profile(), Losses()))

    only_shape_errors(ask)
    request = RerankRequest(model="m", documents=("a",), return_documents=True)
    for provider in (COHERE_RERANK, SHARED_RERANK, VOYAGE_RERANK):
        dialect.encode_reply(provider.decode_reply(body, request), RerankAsked(request, "m", "1"))


def test_large_input_is_read_soon() -> None:
    """A request with 200 kB of tokens and one of small texts are each read in less than 50 ms."""
    for inputs in ([[7] * 50_000], [7] * 60_000, ["a"] * 40_000, [{"text": "a"}] * 12_000):
        body = {"input": inputs}
        assert seconds(lambda body=body: EmbeddingsDialect().decode_request(body, "m")) < 0.05
