"""What all APIs share: behaviours, faults, keys, determinism, and no request that breaks the simulator."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.simulator.behaviour import NAMES
from penstock.simulator.desk import Desk, Incoming, Settings
from penstock.testing.simulator import SimulatorThread
from tests.simulator.asking import ANTHROPIC, WEATHER, ask

APIS = ["anthropic", "gemini", "gemini-array", "converse"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def spoken(api: str, model: str, *, stream: bool, text: str = "a b c d e") -> tuple[str, dict[str, Any]]:
    """The path and the body of one request in an API's own words, with two tools on offer."""
    if api == "anthropic":
        tools = [{"name": name, "input_schema": WEATHER} for name in ("a", "b")]
        turns = [{"role": "user", "content": text}]
        shared = {"model": model, "max_tokens": 5000, "tools": tools}
        return "/v1/messages", {**shared, "stream": stream, "messages": turns}
    if api == "converse":
        specs = [{"toolSpec": {"name": name, "inputSchema": {"json": WEATHER}}} for name in ("a", "b")]
        turns = [{"role": "user", "content": [{"text": text}]}]
        path = f"/model/{model}/converse{'-stream' if stream else ''}"
        return path, {"messages": turns, "toolConfig": {"tools": specs}}
    functions = [{"name": name, "parametersJsonSchema": WEATHER} for name in ("a", "b")]
    action = "streamGenerateContent" if stream else "generateContent"
    query = "?alt=sse" if stream and api == "gemini" else ""
    body = {"contents": [{"parts": [{"text": text}]}], "tools": [{"functionDeclarations": functions}]}
    return f"/v1beta/models/{model}:{action}{query}", body


def raw(api: str, model: str, *, stream: bool) -> bytes:
    """The same as bytes on a connection."""
    path, body = spoken(api, model, stream=stream)
    encoded = msgspec.json.encode(body)
    start = f"POST {path} HTTP/1.1\r\nhost: x\r\nanthropic-version: 2023-06-01\r\n"
    return f"{start}content-length: {len(encoded)}\r\n\r\n".encode() + encoded


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [name.example for name in NAMES if name.example not in {"drip", "drip-5ms"}])
def test_every_behaviour_exists_in_every_api(api: str, model: str, *, stream: bool) -> None:
    """Each name of the table answers the same twice, and errors keep their status."""
    path, body = spoken(api, model.replace("long", "tokens-50"), stream=stream)
    first = ask_raw(path, body)
    assert first == ask_raw(path, body)
    if model == "error-429":
        assert first.startswith(b"HTTP/1.1 429 ")
        assert b"retry-after: 1\r\n" in first


def ask_raw(path: str, body: object) -> bytes:
    """The bytes that a fresh simulator sends."""
    incoming = Incoming("POST", path, dict(ANTHROPIC), msgspec.json.encode(body))
    _, steps = Desk(Settings()).answer(incoming)
    return b"".join(step.data for step in steps)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("model", "events"), [("cut-after-2", 2), ("cut-mid-event", 2), ("error-after-2", 3)])
def test_faults_break_streams_on_the_wire(
    api: str,
    model: str,
    events: int,
    simulator: SimulatorThread,
    dial: Callable[[], socket.socket],
) -> None:
    """Cuts close the connection without the last chunk; an error is one more event before the end."""
    connection = dial()
    connection.sendall(raw(api, f"{model}+no-tools", stream=True))
    data = b""
    while piece := (connection.recv(65536) if not data.endswith(b"0\r\n\r\n") else b""):
        data += piece
    assert data.startswith(b"HTTP/1.1 200 ")
    assert data.endswith(b"0\r\n\r\n") == (model == "error-after-2")
    found = simulator.requests()[0]
    # The third event of `cut-mid-event` is not complete.
    assert (found.model, found.events, found.stream) == (f"{model}+no-tools", events, True)


@pytest.mark.parametrize("api", APIS)
def test_a_stream_and_its_whole_have_one_text(api: str) -> None:
    """Capped or not, streamed or not, the words come from one digest."""
    for stream in (False, True):
        path, body = spoken(api, "tokens-6+no-tools", stream=stream)
        answer = ask(path, body, ANTHROPIC)
        assert answer.status == 200
        assert answer.body


@pytest.mark.parametrize(
    ("api", "status", "headers"),
    [
        ("anthropic", 401, {"x-api-key": "right"}),
        ("gemini", 400, {"x-goog-api-key": "right"}),
        ("converse", 403, {"authorization": "Bearer right"}),
        ("converse", 403, {"authorization": "AWS4-HMAC-SHA256 Credential=right/20260101/us-east-1/bedrock/x"}),
    ],
)
def test_a_key_is_taken_where_clients_put_it(api: str, status: int, headers: dict[str, str]) -> None:
    """The right key is served; another one gets the vendor's status for it."""
    path, body = spoken(api, "tiny", stream=False)
    guarded = Settings(api_key="right")
    assert ask(path, body, ANTHROPIC | headers, settings=guarded).status == 200
    wrong = {name: value.replace("right", "wrong") for name, value in headers.items()}
    refused = ask(path, body, ANTHROPIC | wrong, settings=guarded)
    assert refused.status == status
    assert (
        ask("/v1beta/models/e:generateContent?key=right", spoken("gemini", "e", stream=False)[1]).status == 200
    )


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods_are_not_allowed(api: str, method: str) -> None:
    """A 405 in the API's own shape."""
    path, body = spoken(api, "tiny", stream=False)
    assert ask(path, body, ANTHROPIC, method=method).status == 405


FIELDS = [
    *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "stream"),
    *("contents", "systemInstruction", "toolConfig", "generationConfig", "generateContentRequest", "requests"),
    *("inferenceConfig", "additionalModelRequestFields", "outputConfig", "content", "output_config"),
]
PATHS = [
    *("/v1/messages", "/v1/messages/count_tokens", "/model/echo/converse", "/model/echo/converse-stream"),
    *(
        f"/v1beta/models/echo:{action}"
        for action in ("generateContent", "countTokens", "embedContent", "batchEmbedContents", "computeTokens")
    ),
]


@settings(deadline=None)
@given(body=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON), path=st.sampled_from(PATHS))
def test_nonsense_gets_an_error_of_the_api(body: object, path: str) -> None:
    """Any JSON, at any endpoint, is answered or refused in the API's shape."""
    answer = ask(path, body, ANTHROPIC)
    if answer.status != 200:
        assert answer.status in {400, 404}
        assert answer.json.get("error") or answer.json.get("message")


@settings(deadline=None)
@given(
    part=st.dictionaries(st.sampled_from(["type", "text", "content", "source", "functionCall", "parts"]), JSON)
)
def test_nonsense_inside_messages_is_refused(part: object) -> None:
    """A block that is not one is a 400, never a failure."""
    for path, body in (
        ("/v1/messages", {"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": [part]}]}),
        ("/v1beta/models/x:generateContent", {"contents": [{"parts": [part]}]}),
        ("/model/x/converse", {"messages": [{"role": "user", "content": [part]}]}),
    ):
        assert ask(path, body, ANTHROPIC).status in {200, 400}


def test_deep_nesting_is_refused() -> None:
    """A request that is nested without end is a 400."""
    deep: Any = {"type": "OBJECT"}
    for _ in range(2000):
        deep = {"type": "ARRAY", "items": deep}
    tools = [{"functionDeclarations": [{"name": "f", "parameters": deep}]}]
    body = {"contents": [{"parts": [{"text": "a"}]}], "tools": tools}
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        encoded = json.dumps(body)
    finally:
        sys.setrecursionlimit(limit)
    assert ask("/v1beta/models/x:generateContent", msgspec.Raw(encoded.encode())).status == 400


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_openai_refuses_an_unsafe_prompt(path: str) -> None:
    """`safety-block` is a 400 with the code `content_filter`."""
    body = {"model": "safety-block", "input": "a", "messages": [{"role": "user", "content": "a"}]}
    answer = ask(path, body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "content_filter")


def test_openai_says_text_before_its_calls() -> None:
    """`text-with-tools` has both, streamed and not, in chat and in responses."""
    function = {"name": "a", "parameters": WEATHER}
    body: dict[str, Any] = {"model": "text-with-tools", "messages": [{"role": "user", "content": "Look."}]}
    body["tools"] = [{"type": "function", "function": function}]
    message = ask("/v1/chat/completions", body).json["choices"][0]["message"]
    assert message["content"] == "Look."
    assert len(message["tool_calls"]) == 1
    sse = ask("/v1/chat/completions", body | {"stream": True}).body.split(b"\n\n")
    deltas = [msgspec.json.decode(each[6:])["choices"][0]["delta"] for each in sse[:-2]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Look."
    assert sum("id" in call for delta in deltas for call in delta.get("tool_calls", ())) == 1
    asked = {"model": "text-with-tools", "input": "Look.", "tools": [{"type": "function", **function}]}
    output = ask("/v1/responses", asked).json["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]
