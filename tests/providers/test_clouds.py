"""What the clouds do differently with the same models: betas, counting, vectors, places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.providers.vendors import VENDORS
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.gateway.asking import KEY
from tests.translation.upstream import Answer, CannedUpstream

CONFIG = """
version: 1
defaults: {{on_unsupported: {policy}}}
providers:
  invoke: {{kind: bedrock-anthropic, base_url: "{url}", api_key: k}}
  claude: {{kind: vertex-anthropic, base_url: "{place}/anthropic", api_key: k}}
  direct: {{kind: anthropic, base_url: "{url}/v1", api_key: k}}
  google: {{kind: vertex, base_url: "{place}/google", api_key: k}}
keys:
  - {{name: dev, secret: sk-test-gateway, direct: true}}
"""
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hi"}],
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
ASK: dict[str, Any] = {"max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}


@dataclass(frozen=True)
class Sky:
    """A gateway in front of one server that stands for every cloud."""

    gateway: GatewayThread
    upstream: CannedUpstream

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Plain:
        """One request; header names with underscores."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return send(self.gateway.url + path, body, KEY, headers=named)


@pytest.fixture(params=["map"])
def sky(request: pytest.FixtureRequest) -> Iterator[Sky]:
    """All clouds; the parameter is `on_unsupported`."""
    with CannedUpstream(Answer(MESSAGE)) as upstream:
        place = f"{upstream.url}/v1/projects/p/locations/eu/publishers"
        config = CONFIG.format(url=upstream.url, place=place, policy=request.param)
        with GatewayThread(config) as gateway:
            yield Sky(gateway, upstream)


BETAS = (
    "claude-code-20250219, interleaved-thinking-2025-05-14,context-1m-2025-08-07,effort-2025-11-24"
    ",thinking-binding-controls-2026-08-01"
)


def test_betas_go_into_the_body_at_bedrock(sky: Sky) -> None:
    """Those that Bedrock knows, once each; the rest is dropped and said so, and no header is left."""
    told = sky.post("/v1/messages", {"model": "invoke/claude-x", **ASK}, anthropic_beta=BETAS)
    assert told.status == 200, told.body
    asked = sky.upstream.asked[-1]
    assert asked.body["anthropic_beta"] == BETAS.replace(" ", "").split(",")[1:]
    assert "anthropic-beta" not in asked.headers
    assert told.headers["x-penstock-warning"] == "dropped=anthropic-beta"
    plain = sky.post("/v1/messages", {"model": "invoke/claude-x", **ASK}, anthropic_beta="effort-2025-11-24")
    assert "x-penstock-warning" not in plain.headers
    sky.post("/v1/messages", {"model": "invoke/claude-x", **ASK})
    assert "anthropic_beta" not in sky.upstream.asked[-1].body


@pytest.mark.parametrize("model", ["direct/claude-x", "claude/claude-x"])
def test_betas_stay_a_header_elsewhere(sky: Sky, model: str) -> None:
    """Anthropic and Vertex AI take the header as it is."""
    assert sky.post("/v1/messages", {"model": model, **ASK}, anthropic_beta=BETAS).status == 200
    asked = sky.upstream.asked[-1]
    assert asked.headers["anthropic-beta"] == BETAS
    assert "anthropic_beta" not in asked.body


@pytest.mark.parametrize("sky", ["error"], indirect=True)
def test_a_beta_that_is_lost_is_an_error_where_that_is_wanted(sky: Sky) -> None:
    """`on_unsupported: error` refuses instead of dropping."""
    told = sky.post("/v1/messages", {"model": "invoke/claude-x", **ASK}, anthropic_beta=BETAS)
    assert told.status == 400
    assert b"anthropic-beta" in told.body
    assert not sky.upstream.asked


def test_tokens_of_claude_on_vertex_are_counted_there(sky: Sky) -> None:
    """By the path that Google has for it, with the model in the body."""
    sky.upstream.answer = Answer({"input_tokens": 14})
    body = {"model": "claude/claude-sonnet-4@20250514", "messages": ASK["messages"]}
    told = sky.post("/v1/messages/count_tokens", body)
    assert told.json == {"input_tokens": 14}
    assert "x-penstock-warning" not in told.headers
    asked = sky.upstream.asked[-1]
    assert asked.path == "/v1/projects/p/locations/eu/publishers/anthropic/models/count-tokens:rawPredict"
    assert asked.body == {"model": "claude-sonnet-4@20250514", "messages": ASK["messages"]}


def test_vectors_of_vertex(sky: Sky) -> None:
    """Texts as instances, in the words of Google's task types; what it cannot cut or write is said."""
    vectors = [[0.5, -1.0], [0.25, 2.0]]
    predictions = [
        {"embeddings": {"values": values, "statistics": {"token_count": 3, "truncated": False}}}
        for values in vectors
    ]
    sky.upstream.answer = Answer({"predictions": predictions})
    body = {"model": "google/text-embedding-005", "input": ["a", "b"], "dimensions": 2}
    told = sky.post("/v1/embeddings", body)
    assert told.status == 200, told.body
    assert [each["embedding"] for each in told.json["data"]] == vectors
    assert told.json["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    asked = sky.upstream.asked[-1]
    assert asked.path.endswith("/publishers/google/models/text-embedding-005:predict")
    assert asked.body == {
        "instances": [{"content": "a"}, {"content": "b"}],
        "parameters": {"outputDimensionality": 2},
    }
    native = {
        "content": {"parts": [{"text": "a"}]},
        "taskType": "RETRIEVAL_DOCUMENT",
        "title": "T",
        "outputDimensionality": 2,
    }
    sky.upstream.answer = Answer({"predictions": predictions[:1]})
    one = sky.post("/v1beta/models/google%2Ftext-embedding-005:embedContent", native)
    assert one.json["embedding"]["values"] == vectors[0]
    assert sky.upstream.asked[-1].body["instances"] == [
        {"content": "a", "task_type": "RETRIEVAL_DOCUMENT", "title": "T"}
    ]
    sky.upstream.answer = Answer({"predictions": [{"embeddings": {}}]})
    assert sky.post("/v1/embeddings", body).status == 502
    error = {"code": 400, "message": "batch size must be 1", "status": "INVALID_ARGUMENT"}
    sky.upstream.answer = Answer({"error": error}, status=400)
    refused = sky.post("/v1/embeddings", body)
    assert (refused.status, "batch size must be 1" in json.dumps(refused.json)) == (400, True)


def test_vectors_of_gemini_on_vertex(sky: Sky) -> None:
    """Newer models are asked for one content or several, with the wishes in a config of their own."""
    sky.upstream.answer = Answer(
        {"embedding": {"values": [0.5, -1.0]}, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}
    )
    body = {"model": "google/gemini-embedding-2", "input": "a", "dimensions": 2}
    told = sky.post("/v1/embeddings", body)
    assert told.status == 200, told.body
    assert [each["embedding"] for each in told.json["data"]] == [[0.5, -1.0]]
    assert told.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    asked = sky.upstream.asked[-1]
    assert asked.path.endswith("/publishers/google/models/gemini-embedding-2:embedContent")
    content = {"content": {"role": "user", "parts": [{"text": "a"}]}}
    assert asked.body == {**content, "embedContentConfig": {"outputDimensionality": 2}}
    listed = [{"values": [1.0], "statistics": {"tokenCount": 2}}, {"values": [2.0]}]
    sky.upstream.answer = Answer({"embeddings": listed})
    told = sky.post("/v1/embeddings", {"model": "google/gemini-embedding-2", "input": ["a", "b"]})
    assert [each["embedding"] for each in told.json["data"]] == [[1.0], [2.0]]
    assert told.json["usage"]["prompt_tokens"] == 2
    asked = sky.upstream.asked[-1]
    assert asked.path.endswith(":batchEmbedContents")
    assert asked.body["requests"][0] == content
    error = {"code": 404, "message": "no such model", "status": "NOT_FOUND"}
    sky.upstream.answer = Answer({"error": error}, status=404)
    refused = sky.post("/v1/embeddings", body)
    assert (refused.status, b"no such model" in refused.body) == (404, True)
    sky.upstream.answer = Answer({"predictions": [{"embeddings": {"values": [1.0]}}]})
    assert sky.post("/v1/embeddings", {**body, "model": "google/gemini-embedding-001"}).status == 200
    assert sky.upstream.asked[-1].path.endswith("gemini-embedding-001:predict")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_places_that_are_no_region(region: str, host: str) -> None:
    """Google's global and multi-region endpoints have hosts of their own, for both kinds."""
    for kind in ("vertex", "vertex-anthropic"):
        address = VENDORS[kind].address(region).replace("{region}", region)
        assert address.startswith(f"https://{host}/v1/projects/")
        assert f"/locations/{region}/publishers/" in address
