"""Embeddings and rerank in OpenAI's and Jina's words, answered by vendors who use others."""

from tests.translation.through.conftest import Doors
from tests.translation.upstream import Answer


def test_openai_embeddings_are_answered_by_cohere(doors: Doors) -> None:
    """An OpenAI client gets vectors from Cohere's own API, with usage in the ledger's units."""
    door = doors.open("cohere")
    door.upstream.answer = Answer(
        {
            "id": "e1",
            "embeddings": {"float": [[0.5, -1.0], [0.25, 2.0]]},
            "texts": ["a", "b"],
            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 7}},
        }
    )
    reply = door.post("/v1/embeddings", {"model": "up/embed-v4.0", "input": ["a", "b"]})
    assert reply.status == 200, reply.text
    body = reply.json()
    assert [row["embedding"] for row in body["data"]] == [[0.5, -1.0], [0.25, 2.0]]
    assert body["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    (asked,) = door.upstream.asked
    assert asked.path == "/base/embed"
    assert asked.headers["authorization"] == "Bearer upstream-secret"
    assert (asked.body["model"], asked.body["texts"]) == ("embed-v4.0", ["a", "b"])
    (settled,) = door.gateway.exchanges(1)
    assert settled.attempts[-1].usage.input_tokens == 7


def test_rerank_is_answered_by_cohere(doors: Doors) -> None:
    """A rerank in the shared shape reaches Cohere's version 2, and its search units are the usage."""
    door = doors.open("cohere")
    door.upstream.answer = Answer(
        {
            "id": "r1",
            "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
            "meta": {"billed_units": {"search_units": 1}},
        }
    )
    wish = {"model": "up/rerank-v3.5", "query": "q", "documents": ["a", "b"], "top_n": 2}
    reply = door.post("/v1/rerank", wish)
    assert reply.status == 200, reply.text
    assert [(row["index"], row["relevance_score"]) for row in reply.json()["results"]] == [(1, 0.9), (0, 0.1)]
    assert door.upstream.asked[0].path == "/base/rerank"
    assert door.upstream.asked[0].body == {**wish, "model": "rerank-v3.5"}


def test_an_endpoint_that_the_vendor_lacks_is_a_clear_400(doors: Doors) -> None:
    """Nothing is sent, and the error names the target and the endpoint."""
    door = doors.open("anthropic")
    reply = door.post("/v1/embeddings", {"model": "up/claude-x", "input": "a"})
    assert (reply.status, reply.json()["error"]["code"]) == (400, "unsupported_endpoint")
    assert "up/claude-x does not serve embeddings" in reply.json()["error"]["message"]
    assert door.upstream.asked == []


def test_a_wrong_type_names_its_field(doors: Doors) -> None:
    """A client learns which field to mend before anything is sent."""
    door = doors.open("cohere")
    reply = door.post("/v1/embeddings", {"model": "up/embed-v4.0", "input": 7})
    assert (reply.status, reply.json()["error"]["code"]) == (400, "invalid_type")
    assert door.upstream.asked == []
