"""A stream through the gateway is the provider's, byte for byte, but for what is drawn anew each time."""

from __future__ import annotations

import re
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.llama import KEY as LLAMA_KEY
from tests.clients.llama import MODEL, LlamaServer
from tests.clients.plain import send

KEY = "sk-test-gateway"
CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Hello there, big world."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"unit": {"type": "string", "enum": ["c", "f"]}},
            "required": ["unit"],
            "additionalProperties": False,
        },
    },
}
# Ids, the instant, and measured times.
_DRAWN = (
    (re.compile(rb'"(id|item_id|call_id)":"[^"]*"'), rb'"\1":"..."'),
    (re.compile(rb'"(created|created_at|completed_at)":\d+'), rb'"\1":0'),
    (re.compile(rb'"timings":\{[^}]*\}'), rb'"timings":{}'),
)


def steady(stream: bytes) -> bytes:
    """The stream without what the server draws anew for each request."""
    for pattern, instead in _DRAWN:
        stream = pattern.sub(instead, stream)
    return stream


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, {"messages": HELLO, "max_tokens": 30}),
    "usage": (CHAT, {"messages": HELLO, "max_tokens": 30, "stream_options": {"include_usage": True}}),
    "no usage": (CHAT, {"messages": HELLO, "max_tokens": 30, "stream_options": {"include_usage": False}}),
    "tools": (CHAT, {"messages": HELLO, "max_tokens": 90, "tools": [TOOL], "tool_choice": "required"}),
    "json": (CHAT, {"messages": HELLO, "max_tokens": 90, "response_format": {"type": "json_object"}}),
    "completion": ("/v1/completions", {"prompt": "Once upon", "max_tokens": 12}),
    "responses": ("/v1/responses", {"input": "Hello there", "max_output_tokens": 30}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_real_servers_stream(llama: LlamaServer, llama_gateway: GatewayThread, name: str) -> None:
    """llama.cpp's chunks, its timings and odd first delta included, with usage and without."""
    path, fields = REQUESTS[name]
    body = {**fields, "stream": True, "temperature": 0, "seed": 1, "cache_prompt": False}
    direct = send(llama.url + path, {**body, "model": MODEL}, LLAMA_KEY)
    through = send(llama_gateway.url + path, {**body, "model": f"llama/{MODEL}"}, KEY)
    assert direct.status == through.status == 200
    assert steady(through.body) == steady(direct.body)
    assert through.headers["content-type"] == direct.headers["content-type"]


ODD = (
    "echo",
    "comments",
    "crlf",
    "no-done",
    "usage-in-last-chunk",
    "reasoning-5+cached-3",
    "tool-call",
    "drip",
)


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("model", ODD)
def test_the_simulators_streams(
    simulator: SimulatorThread, gateway: GatewayThread, model: str, *, asks: bool
) -> None:
    """Line ends, odd usage and a missing `[DONE]` survive, whoever asked for usage."""
    body: dict[str, Any] = {"messages": HELLO, "stream": True, "n": 2}
    if model == "tool-call":
        body["tools"] = [TOOL]
    if asks:
        body["stream_options"] = {"include_usage": True}
    direct = send(simulator.url + CHAT, {**body, "model": model}, "any")
    through = send(gateway.url + CHAT, {**body, "model": f"sim/{model}"}, KEY)
    assert direct.status == through.status == 200
    if model == "comments" and not asks:  # the one before the usage chunk stays; comments are no events
        assert without_comments(through.body) == without_comments(direct.body)
    else:
        assert through.body == direct.body


def without_comments(stream: bytes) -> bytes:
    """The events alone."""
    return re.sub(rb"(?m)^:.*\n\n?", b"", stream)


@pytest.mark.parametrize("model", ["echo", "comments", "crlf", "reasoning-5"])
def test_the_simulators_responses_streams(
    simulator: SimulatorThread, gateway: GatewayThread, model: str
) -> None:
    """Typed events pass as they are."""
    body = {"input": "Say something.", "stream": True}
    direct = send(simulator.url + "/v1/responses", {**body, "model": model}, "any")
    through = send(gateway.url + "/v1/responses", {**body, "model": f"sim/{model}"}, KEY)
    assert direct.status == through.status == 200
    assert through.body == direct.body
