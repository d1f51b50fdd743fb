"""Rerank between clients' words and vendors'."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.errors import ShapeError
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.profile import Profile
from penstock.core.rerank import RankResult, RerankReply
from penstock.core.usage import Usage
from penstock.dialects.rerank.dialect import RerankDialect
from penstock.ports.translation import Addressee
from penstock.ports.vectors import RerankAsked, RerankProvider
from penstock.providers.rerank.api import COHERE_RERANK, SHARED_RERANK, VOYAGE_RERANK

DIALECT = RerankDialect()
Encoded = tuple[dict[str, Any], list[str], list[str]]
FULL: dict[str, Any] = {
    "model": "m",
    "query": "q",
    "documents": ["a", {"text": "b"}, {"title": "T", "body": "c"}],
    "top_n": 2,
    "return_documents": True,
    "max_tokens_per_doc": 100,
    "rank_fields": ["body"],
}
CASES: list[tuple[RerankProvider, Encoded]] = [
    (SHARED_RERANK, ({name: FULL[name] for name in FULL if name != "model"}, [], [])),
    (COHERE_RERANK, ({"query": "q", "documents": ["a", "b", "body: c"], "top_n": 2, "max_tokens_per_doc": 100},
                     ["document.object"], [])),
    (VOYAGE_RERANK, ({"query": "q", "documents": ["a", "b", "body: c"], "top_k": 2, "return_documents": True},
                     ["document.object"], ["max_tokens_per_doc"])),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "wanted"), CASES)
def test_a_clients_words_in_a_vendors(provider: RerankProvider, wanted: Encoded) -> None:
    """Each setting reaches the vendor in its own words, and what it has none for is named."""
    losses = Losses()
    written = provider.encode_request(DIALECT.decode_request(FULL, "m"), Addressee("v", Profile(), losses))
    assert written.pop("model") == "v"
    assert (written, losses.mapped, losses.dropped) == wanted


def test_pictures_go_to_those_who_see() -> None:
    """A picture to be ranked goes on as it came, or is refused."""
    request = DIALECT.decode_request({"query": "q", "documents": [{"image": "https://e"}]}, "m")
    to = Addressee("m", Profile(), Losses())
    assert SHARED_RERANK.encode_request(request, to)["documents"] == [{"image": "https://e"}]
    for provider in (COHERE_RERANK, VOYAGE_RERANK):
        with pytest.raises(UnsupportedError, match="image"):
            provider.encode_request(request, to)


def test_voyages_words_and_answers() -> None:
    """A client with Voyage's words gets Voyage's answer, another gets Cohere's and Jina's."""
    body = {"query": "q", "documents": ["a", "b"], "top_k": 1, "truncation": True}
    request = DIALECT.decode_request(body, "m")
    to = Addressee("m", Profile(), Losses("error"))
    assert VOYAGE_RERANK.encode_request(request, to) == {**body, "model": "m"}
    assert SHARED_RERANK.encode_request(request, to) == {**body, "model": "m"}
    answer: dict[str, Any] = {
        "object": "list",
        "data": [{"relevance_score": 0.5, "index": 1, "document": "b"}],
        "model": "r",
        "usage": {"total_tokens": 7},
    }
    reply = VOYAGE_RERANK.decode_reply(answer, request)
    assert reply.results[0].document == "b"
    assert DIALECT.encode_reply(reply, RerankAsked(request, "m", "r1")) == answer
    other = DIALECT.decode_request({"query": "q", "documents": ["a", "b"]}, "m")
    body = {**answer, "data": [{"relevance_score": 0.5, "index": 1}]}
    assert DIALECT.encode_reply(VOYAGE_RERANK.decode_reply(body, other), RerankAsked(other, "m", "r1")) == {
        "model": "r",
        "results": [{"relevance_score": 0.5, "index": 1}],
        "usage": {"total_tokens": 7},
    }


def test_a_word_for_truncation_goes_on() -> None:
    """Truncation in a word that is none of ours goes to the same shape as it came."""
    body = {"query": "q", "documents": ["a"], "truncation": "END"}
    to = Addressee("m", Profile(), Losses("error"))
    assert SHARED_RERANK.encode_request(DIALECT.decode_request(body, "m"), to) == {**body, "model": "m"}


def test_documents_are_given_back_by_the_gateway() -> None:
    """Where a vendor does not repeat documents, the client gets them from its request."""
    request = DIALECT.decode_request(FULL, "m")
    answer = {
        "id": "x",
        "results": [{"index": 2, "relevance_score": 0.5}, {"index": 0, "relevance_score": 0.1}],
    }
    reply = COHERE_RERANK.decode_reply({**answer, "meta": {"billed_units": {"search_units": 2}}}, request)
    assert reply.usage is not None
    assert reply.usage.counts == Usage(requests=2)
    assert DIALECT.encode_reply(reply, RerankAsked(request, "m", "r1"))["results"] == [
        {"index": 2, "relevance_score": 0.5, "document": {"title": "T", "body": "c"}},
        {"index": 0, "relevance_score": 0.1, "document": {"text": "a"}},
    ]


def test_a_foreign_answer() -> None:
    """An answer that has no shape of ours is told in the words that Cohere and Jina share."""
    request = DIALECT.decode_request({"query": "q", "documents": ["a"]}, "m")
    reply = RerankReply(results=(RankResult(0, 0.5, "a"),))
    assert DIALECT.encode_reply(reply, RerankAsked(request, "m", "r1")) == {
        "id": "rerank-r1",
        "model": "m",
        "results": [{"index": 0, "relevance_score": 0.5, "document": {"text": "a"}}],
    }


@pytest.mark.parametrize(
    "body", [{}, {"query": "q"}, {"query": 1, "documents": []}, {"query": "q", "documents": [3]}]
)
def test_wrong_requests(body: dict[str, Any]) -> None:
    """What is no request is refused, and the field is named."""
    with pytest.raises(ShapeError, match=r"query|documents"):
        DIALECT.decode_request(body, "m")
