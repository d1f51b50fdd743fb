"""Each vendor's embeddings and rerank: the request that reaches it, the answer, the bill, a wrong key."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.providers.vendors import VENDORS, Vendor
from tests.providers.conftest import House, base_path, credential_of, secret_of
from tests.providers.forms.form import INPUT, MODEL, found
from tests.translation.upstream import Answer

VECTORS = [[0.5, -1.0], [0.25, 2.0]]
_TOTAL = {"prompt_tokens": INPUT, "total_tokens": INPUT}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Where an API of vectors is asked, where the texts stand, its answer and what it bills."""

    path: str
    texts: tuple[str | int, ...]
    answer: Any
    bill: dict[str, int]


def _listed(vectors: list[Any], **usage: Any) -> dict[str, Any]:
    rows = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    return {"object": "list", "data": rows, "model": MODEL, "usage": usage}


def _bytes(*numbers: int) -> str:
    return base64.b64encode(bytes([number % 256 for number in numbers])).decode()


_OPENAI = Shape(
    path="/embeddings", texts=("input",), answer=_listed(VECTORS, **_TOTAL), bill={"input_tokens": INPUT}
)
_EMBED = {
    "openai.embeddings": _OPENAI,
    "mistral.embeddings": _OPENAI,
    "voyage.embeddings": Shape(
        path="/embeddings",
        texts=("input",),
        answer=_listed(VECTORS, total_tokens=INPUT),
        bill={"input_tokens": INPUT},
    ),
    "jina.embeddings": _OPENAI,
    # https://docs.perplexity.ai/api-reference/embeddings-post: packed whole numbers
    "perplexity.embeddings": Shape(
        path="/v1/embeddings",
        texts=("input",),
        answer=_listed([_bytes(1, -2), _bytes(3, 4)], **_TOTAL),
        bill={"input_tokens": INPUT},
    ),
    "cohere.embed": Shape(
        path="/embed",
        texts=("texts",),
        answer={
            "id": "e-1",
            "embeddings": {"float": VECTORS},
            "texts": ["a", "b"],
            "meta": {"billed_units": {"input_tokens": INPUT}},
        },
        bill={"input_tokens": INPUT},
    ),
    "ollama.embed": Shape(
        path="/embed",
        texts=("input",),
        answer={"model": MODEL, "embeddings": VECTORS, "prompt_eval_count": INPUT},
        bill={"input_tokens": INPUT},
    ),
    # https://ai.google.dev/api/embeddings reports no usage.
    "gemini.embed": Shape(
        path=f"/models/{MODEL}:batchEmbedContents",
        texts=(),
        answer={"embeddings": [{"values": vector} for vector in VECTORS]},
        bill={},
    ),
}
_EMBED["vertex.embed"] = Shape(
    path=f"/models/{MODEL}:predict",
    texts=(),
    answer={
        "predictions": [
            {
                "embeddings": {
                    "values": VECTORS[0],
                    "statistics": {"token_count": INPUT - 2, "truncated": False},
                }
            },
            {"embeddings": {"values": VECTORS[1], "statistics": {"token_count": 2, "truncated": False}}},
        ],
        "metadata": {"billableCharacterCount": 2},
    },
    bill={"input_tokens": INPUT},
)
_RANKED = {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}
_RERANK = {
    "rerank": Shape(
        path="/rerank",
        texts=("documents",),
        answer={**_RANKED, "model": MODEL, "usage": {"total_tokens": INPUT}},
        bill={"input_tokens": INPUT},
    ),
    "cohere.rerank": Shape(
        path="/rerank",
        texts=("documents",),
        answer={**_RANKED, "id": "r-1", "meta": {"billed_units": {"search_units": 2}}},
        bill={"requests": 2},
    ),
    "voyage.rerank": Shape(
        path="/rerank",
        texts=("documents",),
        answer={"object": "list", "data": _RANKED["results"], "model": MODEL, "usage": {"total_tokens": INPUT}},
        bill={"input_tokens": INPUT},
    ),
}


def _rows(has: Callable[[Vendor], str]) -> pytest.MarkDecorator:
    rows = [row for row in VENDORS.values() if has(row) and row.kind != "simulator"]
    return pytest.mark.parametrize("row", rows, ids=[row.kind for row in rows])


def _arrived(house: House, row: Vendor, shape: Shape) -> None:
    asked = house.one_asked()
    path = base_path(row).replace("{model}", MODEL) + shape.path
    assert asked.path == (f"{path}?{row.query}" if row.query else path)
    name, value = credential_of(row)
    assert asked.headers[name] == value
    if shape.texts:
        assert asked.body["model"] == MODEL
        assert found(asked.body, shape.texts) == ["a", "b"]


def _billed(house: House, told: Any, shape: Shape) -> None:
    (attempt,) = house.settled(told).attempts
    if shape.bill:
        assert attempt.usage_source == "reported"
    for unit, count in shape.bill.items():
        assert getattr(attempt.usage, unit) == count


@_rows(lambda row: row.embed_api)
def test_embeddings(house: House, row: Vendor) -> None:
    """Texts arrive in the vendor's words, vectors come back in order, and their tokens are in the ledger."""
    shape = _EMBED[row.embed_api]
    house.upstream.answer = Answer(shape.answer)
    told = house.post("/v1/embeddings", {"model": f"to-{row.kind}", "input": ["a", "b"]})
    assert told.status == 200, told.text
    vectors = [each["embedding"] for each in told.json()["data"]]
    assert vectors == ([[1, -2], [3, 4]] if row.embed_api == "perplexity.embeddings" else VECTORS)
    _arrived(house, row, shape)
    _billed(house, told, shape)


@_rows(lambda row: row.rerank_api)
def test_rerank(house: House, row: Vendor) -> None:
    """Documents arrive, their order comes back, and what the vendor bills is in the ledger."""
    shape = _RERANK[row.rerank_api]
    house.upstream.answer = Answer(shape.answer)
    told = house.post("/v1/rerank", {"model": f"to-{row.kind}", "query": "q", "documents": ["a", "b"]})
    assert told.status == 200, told.text
    results = [(each["index"], each["relevance_score"]) for each in told.json()["results"]]
    assert results == [(1, 0.9), (0, 0.1)]
    _arrived(house, row, shape)
    _billed(house, told, shape)


@_rows(lambda row: "" if row.api else row.embed_api)
def test_errors_and_a_wrong_key(house: House, row: Vendor) -> None:
    """A vendor of vectors alone: its sentence and status pass, a wrong key is a 502 without the key."""
    wish = {"model": f"to-{row.kind}", "input": ["a", "b"]}
    house.upstream.answer = Answer({"detail": "input is too long"}, status=400)
    told = house.post("/v1/embeddings", wish)
    assert told.status == 400
    assert "input is too long" in told.text
    secret = secret_of(row.kind)
    house.upstream.answer = Answer({"detail": f"Provided API key {secret} is invalid."}, status=401)
    told = house.post("/v1/embeddings", wish)
    assert (told.status, told.json()["error"]["code"]) == (502, "upstream_auth")
    assert secret not in told.text
    assert secret not in repr(house.settled(told))
    told = house.post(
        "/v1/chat/completions", {"model": wish["model"], "messages": [{"role": "user", "content": "a"}]}
    )
    assert (told.status, told.json()["error"]["code"]) == (400, "unsupported_endpoint")
