"""Recorded replies of real providers, through a real gateway: nothing may change, nothing may be miscounted."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.core.exchange import ExchangeSettled
from penstock.testing.gateway import GatewayThread
from tests.recorded.corpus import APIS, Recording, recordings
from tests.recorded.reading import Said, hidden, said
from tests.recorded.replay import ReplayServer, model_of

CONFIG = """
version: 1
providers:
  replay: {{kind: openai, base_url: "{url}"}}
keys:
  - {{name: dev, secret: sk-test-replay, direct: true}}
"""
_BOUNDARY = "penstock-test-boundary"


@dataclass(frozen=True)
class Received:
    """What the client got."""

    status: int
    body: bytes
    request_id: str


class Client:
    """Plain HTTP/1.1 over one connection, so that the bytes are seen as they come."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, path: str, body: bytes, content_type: str) -> Received:
        """Send one request and read the whole answer."""
        headers = {"authorization": "Bearer sk-test-replay", "content-type": content_type}
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return Received(answer.status, text, answer.headers["x-penstock-request-id"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def request_body(recording: Recording, *, asks_usage: bool) -> tuple[bytes, str]:
    """The recorded request, under the recording's model name, and its content type."""
    model = f"replay/{model_of(recording)}"
    if recording.multipart:
        fields = {"model": model} | ({"stream": "true"} if recording.streaming else {})
        parts = [
            f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        text = "".join([*parts, f"--{_BOUNDARY}--\r\n"])
        return text.encode(), f"multipart/form-data; boundary={_BOUNDARY}"
    body: dict[str, Any] = {**(recording.request or {"input": "Hello"}), "model": model}
    if recording.streaming and recording.request is None:
        body["stream"] = True
    options: dict[str, Any] = body.get("stream_options") or {}
    if asks_usage:
        body["stream_options"] = {**options, "include_usage": True}
    elif "include_usage" in options:
        body["stream_options"] = {k: v for k, v in options.items() if k != "include_usage"}
    return json.dumps(body).encode(), "application/json"


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> str:
    """Each recorded API in turn."""
    return str(request.param)


@dataclass
class Rig:
    """Recordings, a gateway in front of them, and a client."""

    recordings: list[Recording]
    server: ReplayServer
    gateway: GatewayThread
    client: Client

    def ask(self, recording: Recording, *, asks_usage: bool) -> Received:
        """Ask for one recording as its client did."""
        return self.client.post(recording.path, *request_body(recording, asks_usage=asks_usage))

    def settled(self, received: dict[str, Received]) -> dict[str, ExchangeSettled]:
        """The settled exchange of each answer, by the recording's id."""
        by_id = {e.request.request_id: e for e in self.gateway.exchanges(len(received))}
        return {name: by_id[answer.request_id] for name, answer in received.items()}


@pytest.fixture
def rig(api: str) -> Iterator[Rig]:
    """Everything for one API."""
    found = [each for each in recordings(api) if not names_foreign_id(each)]
    with (
        ReplayServer(found) as server,
        GatewayThread(CONFIG.format(url=server.url)) as gateway,
    ):
        client = Client(gateway.port)
        yield Rig(found, server, gateway, client)
        client.close()


def names_foreign_id(recording: Recording) -> bool:
    """Whether the request names something that its vendor keeps, which this gateway never handed out."""
    asked = recording.request or {}
    if asked.get("previous_response_id") or asked.get("conversation"):
        return True
    if _KEPT.search(json.dumps([asked.get("messages"), asked.get("tools"), asked.get("prompt")])):
        return True
    if recording.api != "openai.responses" or not isinstance(asked.get("input"), list):
        return False
    items: list[dict[str, Any]] = asked["input"]
    return any(
        _KEPT.search(json.dumps(item))
        or (item.get("type") == "reasoning" and not item.get("encrypted_content") and not item.get("content"))
        or (item.get("type") == "image_generation_call" and "result" not in item)
        for item in items
        if item.get("type") != "message" or item.get("role") != "assistant"
    )


# OpenAI's ids of files, vector stores and containers.
_KEPT = re.compile(r'"(file-\w{10,}|vs_\w+|cntr_\w+)"')


@pytest.mark.parametrize("api", ["openai.chat", "openai.responses"])
def test_an_id_that_was_not_handed_out_here_is_not_sent_on(api: str) -> None:
    """A recorded request that names what its vendor keeps is a 404, and no vendor sees it."""
    found = [each for each in recordings(api) if names_foreign_id(each)]
    assert found
    with ReplayServer(found) as server, GatewayThread(CONFIG.format(url=server.url)) as gateway:
        client = Client(gateway.port)
        for recording in found:
            received = client.post(recording.path, *request_body(recording, asks_usage=False))
            asked = recording.request or {}
            kept = asked.get("previous_response_id") or asked.get("conversation")
            code = "unknown_response" if kept else "unknown_id"
            assert (received.status, json.loads(received.body)["error"]["code"]) == (404, code), recording.id
        assert not server.bodies
        client.close()


def complete(recording: Recording) -> bool:
    """Whether the recorded answer is a success to its end, as its request was right."""
    if recording.status != 200:
        return False
    if recording.streaming:
        return not any(
            c.get("error") or str(c.get("type")).endswith(("error", ".failed")) for c in recording.chunks
        )
    return not (recording.body.startswith(b'{"error"') or (recording.request or {}).get("max_tokens") == -1)


def test_replies_pass_byte_for_byte(rig: Rig) -> None:
    """An answer, cut at any byte, reaches the client as recorded; of unasked usage nothing is seen."""
    answers: dict[str, Received] = {}
    wrong: list[str] = []
    replies = list(filter(complete, rig.recordings))
    for recording in replies:
        asks = recording.asks_usage
        got = answers[recording.id] = rig.ask(recording, asks_usage=asks)
        plain = asks or not recording.streaming or not recording.path.endswith("completions")
        expected = recording.body if plain else hidden(recording.body)
        if (got.status, got.body) != (200, expected):
            wrong.append(f"{recording.id}: {got.status} {difference(got.body, expected)}")
    assert not wrong, report(wrong, len(answers))
    settled = rig.settled(answers)
    for recording in replies:
        seen, expected = facts_of(settled[recording.id], recording), said(recording)
        if seen != expected:
            wrong.append(f"{recording.id}: {seen} instead of {expected}")
    assert not wrong, report(wrong, len(answers))


def test_requests_pass_byte_for_byte(rig: Rig) -> None:
    """The provider receives the recorded request as it was, but for the model's name and the usage option."""
    for recording in rig.recordings:
        if recording.request is None or recording.request.get("max_tokens") == -1:
            continue
        asks = recording.asks_usage
        rig.ask(recording, asks_usage=asks)
        sent, _ = request_body(recording, asks_usage=asks)
        named = sent.replace(f"replay/{model_of(recording)}".encode(), model_of(recording).encode())
        got = rig.server.bodies[recording.id]
        if got != named:
            expected = json.loads(named)
            options: dict[str, Any] = expected.get("stream_options") or {}
            expected["stream_options"] = {**options, "include_usage": True}
            assert recording.request["stream"] is True, recording.id
            assert json.loads(got) == expected, recording.id


def facts_of(settled: ExchangeSettled, recording: Recording) -> Said:
    """What the gateway wrote down of an answer, in the terms of what the recording says."""
    last = settled.attempts[-1]
    if last.usage_source != "reported":
        return Said(None, last.finish_reason, last.model_answered)
    names = said(recording).usage or {}
    return Said({n: getattr(last.usage, n) for n in names}, last.finish_reason, last.model_answered)


def test_recorded_errors_keep_their_words(rig: Rig) -> None:
    """A request's own fault passes as recorded; a refused credential or a rate limit is told as ours."""
    for recording in rig.recordings:
        if recording.status == 200:
            continue
        got = rig.ask(recording, asks_usage=False)
        error = json.loads(got.body)
        refused_key = b"Incorrect API key" in recording.body
        if recording.status in {400, 404} and not refused_key:
            assert (got.status, error) == (recording.status, json.loads(recording.body)), recording.id
            continue
        assert (got.status, error["error"]["code"]) == {
            400: (502, "upstream_auth"),
            401: (502, "upstream_auth"),
            402: (502, "upstream_auth"),
            403: (502, "upstream_auth"),
            429: (429, "upstream_rate_limited"),
        }[recording.status], recording.id
        assert error["error"]["request_id"] == got.request_id


@pytest.mark.parametrize("api", ["openai.chat", "openai.completions"], indirect=True)
def test_usage_that_only_the_gateway_asked_for_is_hidden(rig: Rig) -> None:
    """A stream whose usage only the gateway asked for reaches the client as if nobody had; it is counted."""
    answers: dict[str, Received] = {}
    wrong: list[str] = []
    asked = [r for r in rig.recordings if complete(r) and r.streaming and r.asks_usage]
    for recording in asked:
        got = answers[recording.id] = rig.ask(recording, asks_usage=False)
        expected = hidden(recording.body)
        if (got.status, got.body) != (200, expected):
            wrong.append(f"{recording.id}: {got.status} {difference(got.body, expected)}")
        sent = json.loads(rig.server.bodies[recording.id])
        assert sent["stream_options"]["include_usage"] is True
    assert not wrong, report(wrong, len(answers))
    for recording in asked:
        settled = rig.settled(answers)[recording.id]
        assert facts_of(settled, recording) == said(recording), recording.id


def difference(got: bytes, expected: bytes) -> str:
    """Where two texts part."""
    at = next(
        (i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), min(len(got), len(expected))
    )
    near = slice(max(0, at - 60), at + 100)
    return f"at byte {at} of {len(expected)} (got {len(got)}): {got[near]!r} instead of {expected[near]!r}"


def report(wrong: list[str], count: int) -> str:
    """The first few of what is wrong."""
    return "\n".join([f"{len(wrong)} wrong in {count}", *wrong[:12]])
