"""What a vendor would look up with our credential is refused in every dialect, raw or translated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.dialects.named_ids import MAX_NAMED
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.gateway.asking import KEY
from tests.translation.upstream import CannedUpstream

CONFIG = """
version: 1
providers:
  openai: {{kind: openai, base_url: "{url}/v1", api_key: k}}
  anthropic: {{kind: anthropic, base_url: "{url}", api_key: k}}
  google: {{kind: google, base_url: "{url}", api_key: k}}
  bedrock: {{kind: bedrock, base_url: "{url}", api_key: k}}
keys:
  - {{name: dev, secret: sk-test-gateway, direct: true}}
"""
TARGETS = ("openai", "anthropic", "google", "bedrock")
GOOGLE_FILE = "https://generativelanguage.googleapis.com/v1beta/files/abc"


@dataclass(frozen=True)
class Room:
    """A gateway in front of vendors that must not hear of anything."""

    gateway: GatewayThread
    upstream: CannedUpstream

    def ask(self, dialect: str, target: str, body: dict[str, Any] | bytes) -> Plain:
        """One request in a dialect."""
        model = f"{target}/m"
        path = {
            "chat": "/v1/chat/completions",
            "responses": "/v1/responses",
            "embeddings": "/v1/embeddings",
            "anthropic": "/v1/messages",
            "count": "/v1/messages/count_tokens",
            "gemini": f"/v1beta/models/{model.replace('/', '%2F')}:generateContent",
            "gemini.count": f"/v1beta/models/{model.replace('/', '%2F')}:countTokens",
            "gemini.embed": f"/v1beta/models/{model.replace('/', '%2F')}:embedContent",
            "converse": f"/model/{model.replace('/', '%2F')}/converse",
        }[dialect]
        named = (
            body if isinstance(body, bytes) else {"model": model, **body} if path.startswith("/v1/") else body
        )
        return send(self.gateway.url + path, named, KEY)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    """The room."""
    with CannedUpstream() as upstream, GatewayThread(CONFIG.format(url=upstream.url)) as gateway:
        yield Room(gateway, upstream)


def chat(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A chat whose user message has these parts."""
    return {"messages": [{"role": "user", "content": list(parts)}], **fields}


def responses(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A response's request; parts of a user message."""
    return {"input": [{"role": "user", "content": list(parts)}], **fields}


def claude(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A request of Anthropic's."""
    return {"max_tokens": 9, **chat(*parts, **fields)}


def gemini(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A request of Google's."""
    return {"contents": [{"role": "user", "parts": list(parts)}], **fields}


def converse(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A request of Bedrock's."""
    return {"messages": [{"role": "user", "content": list(parts)}], **fields}


HELLO = {"type": "text", "text": "Hello"}
SAID = {"type": "input_text", "text": "Hello"}
S3 = {"s3Location": {"uri": "s3://bucket/a.pdf"}}
NAMING: list[tuple[str, dict[str, Any], str]] = [
    ("chat", chat({"type": "file", "file": {"file_id": "file-abc"}}), "messages[0].content[0].file.file_id"),
    ("chat", chat({"type": "image_url", "image_url": {"url": "gs://b/a.png"}}), "no object"),
    ("chat", chat({"type": "image_url", "image_url": {"url": GOOGLE_FILE}}), "no file"),
    ("chat", chat(HELLO, extra_body={"google": {"cached_content": "cachedContents/x"}}), "no cached content"),
    ("chat", chat({"type": "file", "file_id": "abc"}), "no file"),
    ("responses", responses({"type": "input_file", "file_id": "file-abc"}), "input[0].content[0].file_id"),
    ("responses", responses({"type": "input_image", "file_id": "file-abc"}), "no file"),
    ("responses", responses({"type": "input_file", "file_url": "s3://b/k"}), "no object"),
    ("responses", responses(SAID, prompt={"id": "p", "variables": {"f": {"file_id": "file-a"}}}), "no file"),
    (
        "responses",
        responses(SAID, tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}]),
        "no file store",
    ),
    ("responses", responses(SAID, tools=[{"type": "code_interpreter", "container": "cntr_1"}]), "no container"),
    (
        "responses",
        responses(SAID, tools=[{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}}]),
        "tools[0].container.file_ids",
    ),
    (
        "responses",
        {"input": [{"type": "function_call_output", "call_id": "c", "output": [{"file_id": "file-abc"}]}]},
        "no file",
    ),
    ("anthropic", claude({"type": "document", "source": {"type": "file", "file_id": "file_1"}}), "no file"),
    ("anthropic", claude({"type": "container_upload", "file_id": "file_1"}), "no file"),
    ("anthropic", claude(HELLO, container="container_1"), "no container"),
    ("anthropic", claude(HELLO, container={"id": "container_1"}), "no container"),
    (
        "anthropic",
        claude({"type": "tool_result", "tool_use_id": "t", "content": [{"source": {"file_id": "file_1"}}]}),
        "messages[0].content[0].content[0].source.file_id",
    ),
    ("count", claude({"type": "image", "source": {"type": "file", "file_id": "file_1"}}), "no file"),
    ("gemini", gemini({"fileData": {"fileUri": GOOGLE_FILE}}), "contents[0].parts[0].fileData.fileUri"),
    ("gemini", gemini({"file_data": {"file_uri": "files/abc"}}), "no file"),
    ("gemini", gemini({"fileData": {"fileUri": "gs://bucket/a.mp4"}}), "no object"),
    ("gemini", gemini({"text": "Hello"}, cachedContent="cachedContents/x"), "no cached content"),
    ("gemini", gemini({"text": "Hello"}, cached_content="cachedContents/x"), "no cached content"),
    (
        "gemini",
        gemini({"text": "Hello"}, tools=[{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/x"]}}]),
        "no file store",
    ),
    (
        "gemini.count",
        {"generateContentRequest": {"contents": [], "cachedContent": "cachedContents/x"}},
        "no cached",
    ),
    ("gemini.embed", {"content": {"parts": [{"fileData": {"fileUri": GOOGLE_FILE}}]}}, "no file"),
    (
        "converse",
        converse({"document": {"name": "a", "format": "pdf", "source": S3}}),
        "s3Location.uri: no object",
    ),
    (
        "converse",
        converse({"toolResult": {"toolUseId": "t", "content": [{"video": {"source": S3}}]}}),
        "no object",
    ),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dialect", "body", "words"), NAMING)
def test_what_is_not_kept_here_is_not_asked_for(
    room: Room, dialect: str, body: dict[str, Any], words: str, target: str
) -> None:
    """A 404 in the client's words that says where the name stands and what to send; no vendor hears of it."""
    told = room.ask(dialect, target, body)
    assert told.status == 404, told.body
    assert words in told.body.decode(), told.body
    assert b"is known here; " in told.body
    assert not room.upstream.asked


def test_an_escaped_name_is_a_name(room: Room) -> None:
    """Letters that are written as escapes do not get past."""
    part = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
    text = json.dumps({"model": "anthropic/m", **claude(part)})
    for plain, escaped in (("file_id", "fi\\u006ce_id"), ("file_id", "\\u0066\\u0069le\\u005fid")):
        assert room.ask("anthropic", "anthropic", text.replace(plain, escaped).encode()).status == 404
    slashes = json.dumps({"contents": [{"parts": [{"fileData": {"fileUri": "gs://b/a"}}]}]}).replace("/", "\\/")
    assert room.ask("gemini", "google", slashes.encode()).status == 404
    assert not room.upstream.asked


DATA: list[tuple[str, str, dict[str, Any]]] = [
    (
        "chat",
        "openai",
        {
            "messages": [
                {"role": "user", "content": "file_id gs://bucket/x https://example.com/files/y"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": "c",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"file_id": "x"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": '{"file_id": "x"}'},
            ],
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "f", "parameters": {"properties": {"file_id": {"const": "x"}}}},
                }
            ],
        },
    ),
    ("chat", "openai", chat({"type": "image_url", "image_url": {"url": "https://example.com/files/a.png"}})),
    (
        "anthropic",
        "anthropic",
        claude(
            {"type": "tool_use", "id": "t", "name": "f", "input": {"file_id": "x", "url": "gs://b/k"}},
            {
                "type": "bash_code_execution_tool_result",
                "tool_use_id": "s",
                "content": {
                    "type": "bash_code_execution_result",
                    "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}],
                },
            },
            tools=[{"name": "f", "input_schema": {"properties": {"file_id": {"default": "x"}}}}],
        ),
    ),
    (
        "gemini",
        "google",
        gemini(
            {"functionCall": {"name": "f", "args": {"file_id": "x", "cachedContent": "y"}}},
            {"functionResponse": {"name": "f", "response": {"fileUri": "gs://b/k"}}},
            {"fileData": {"fileUri": "https://www.youtube.com/watch?v=1"}},
        ),
    ),
    (
        "converse",
        "bedrock",
        converse({"toolUse": {"toolUseId": "t", "name": "f", "input": {"s3Location": {"uri": "s3://b/k"}}}}),
    ),
]


@pytest.mark.parametrize(("dialect", "target", "body"), DATA)
def test_data_that_looks_like_a_name_passes(dialect: str, target: str, body: dict[str, Any]) -> None:
    """Arguments, schemas, results of tools, public addresses and plain text are nobody's names."""
    with CannedUpstream() as upstream, GatewayThread(CONFIG.format(url=upstream.url)) as gateway:
        told = Room(gateway, upstream).ask(dialect, target, body)
        assert b"unknown_id" not in told.body
        assert b"is known here" not in told.body
        assert upstream.asked, told.body


def test_too_many_names_are_no_request(room: Room) -> None:
    """A request cannot make the gateway look names up without end."""
    items = [{"type": "item_reference", "id": f"msg_{at}"} for at in range(MAX_NAMED + 1)]
    told = room.ask("responses", "openai", {"input": items})
    assert told.status == 400
    assert f"{MAX_NAMED} are looked up at most" in told.body.decode()
