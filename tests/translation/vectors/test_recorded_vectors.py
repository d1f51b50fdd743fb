"""Recorded embeddings and rerank, decoded into the pivot and encoded back, are what they were."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.embedding import EmbedRequest
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.core.rerank import RerankRequest
from penstock.dialects.embeddings.dialect import EmbeddingsDialect
from penstock.dialects.rerank.dialect import RerankDialect
from penstock.ports.translation import Addressee
from penstock.ports.vectors import EmbedAsked, RerankAsked
from penstock.providers.embeddings.api import OPENAI_EMBEDDINGS
from penstock.providers.rerank.api import COHERE_RERANK, SHARED_RERANK, VOYAGE_RERANK
from tests.translation.recordings import Exchange, difference, exchanges

EMBEDDINGS = EmbeddingsDialect()
RERANK = RerankDialect()


def report(failures: list[str], count: int) -> None:
    """Fail with the first few failures."""
    assert count
    assert not failures, f"{len(failures)} of {count}:\n" + "\n".join(failures[:8])


def to(model: str) -> Addressee:
    """An addressee that takes everything."""
    return Addressee(model, Profile(), Losses("error"))


def embed_request(each: Exchange) -> EmbedRequest:
    """The recorded request, or an empty one."""
    if not isinstance(each.request, dict) or "input" not in each.request:
        return EmbedRequest(model=each.model)
    return EMBEDDINGS.decode_request(each.request, each.request.get("model", ""))


@pytest.mark.parametrize("api", ["openai.embeddings", "mistral.embeddings"])
def test_embeddings_come_back(api: str) -> None:
    """A reply of OpenAI's embeddings shape and its request come back equal, with the usage reported."""
    failures: list[str] = []
    found = [each for each in exchanges(api) if isinstance(each.json, dict)]
    for each in found:
        request = embed_request(each)
        if each.as_sent and "input" in each.request:
            again = OPENAI_EMBEDDINGS.encode_request(request, to(each.request.get("model", "")))
            again = {name: value for name, value in again.items() if name != "model" or "model" in each.request}
            if missed := difference(each.request, again):
                failures.append(f"{each.id} request: {missed}")
        if each.status != 200:
            continue
        reply = OPENAI_EMBEDDINGS.decode_reply(each.json, request)
        if missed := difference(each.json, EMBEDDINGS.encode_reply(reply, EmbedAsked(request, "m", "1"))):
            failures.append(f"{each.id} reply: {missed}")
        usage: dict[str, Any] = each.json.get("usage") or {}
        if usage:
            assert reply.usage is not None
            assert reply.usage.counts.input_tokens == usage.get("prompt_tokens", usage["total_tokens"]), each.id
        if "predictions" not in each.json and "error" not in each.json:
            assert len(reply.vectors) == len(each.json["data"]), each.id
    report(failures, len(found))


@pytest.mark.parametrize("api", ["cohere.rerank", "rerank"])
def test_rerank_comes_back(api: str) -> None:
    """A rerank reply and its request come back equal, with the search units or tokens reported."""
    failures: list[str] = []
    found = exchanges(api)
    for each in found:
        request = RerankRequest(model=each.model)
        provider = VOYAGE_RERANK if each.provider == "voyage" else SHARED_RERANK
        if each.request:
            request = RERANK.decode_request(each.request, each.request["model"])
            providers = [provider, COHERE_RERANK] if each.provider == "cohere" else [provider]
            for one in providers:
                again = one.encode_request(request, to(each.request["model"]))
                if missed := difference(each.request, again):
                    failures.append(f"{each.id} request: {missed}")
        reply = provider.decode_reply(each.json, request)
        if missed := difference(each.json, RERANK.encode_reply(reply, RerankAsked(request, "m", "1"))):
            failures.append(f"{each.id} reply: {missed}")
        assert reply.usage is not None
        if "meta" in each.json:
            assert reply.usage.counts.requests == each.json["meta"]["billed_units"]["search_units"]
        else:
            assert reply.usage.counts.input_tokens == each.json["usage"]["total_tokens"]
    report(failures, len(found))
