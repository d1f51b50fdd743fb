"""Kept responses in a real service: its file, its restarts, its deaths."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.plain import Plain, send
from tests.responses.house import MESSAGE, MESSAGE_STREAM
from tests.service.service import Service
from tests.translation.upstream import Answer, CannedUpstream

CONFIG = """
version: 1
providers:
  claude: {{kind: anthropic, base_url: "{url}/base", api_key: upstream-secret}}
routes:
  chat: {{policy: claude/claude-x}}
keys:
  - {{name: dev, secret: sk-dev, org: acme}}
  - {{name: rival, secret: sk-rival, org: rival}}
"""
PROMPT = "the patient's name is Ada Lovelace"
KILLS = 8


@pytest.fixture
def upstream() -> Iterator[CannedUpstream]:
    """A vendor without the Responses API."""
    with CannedUpstream(Answer(MESSAGE)) as running:
        yield running


def _create(service: Service, key: str = "sk-dev", **fields: Any) -> Plain:
    body = {"model": "chat", "input": PROMPT, **fields}
    return send(f"http://127.0.0.1:{service.port}/v1/responses", body, key)


def _get(service: Service, name: str, key: str = "sk-dev") -> Plain:
    return send(f"http://127.0.0.1:{service.port}/v1/responses/{name}", b"", key, method="GET")


def _files(service: Service) -> bytes:
    return b"".join(path.read_bytes() for path in service.state.glob("owned.db*"))


def test_a_conversation_outlives_a_restart_sealed(tmp_path: Path, upstream: CannedUpstream) -> None:
    """Nothing of it can be read in the state directory; after a restart its owner goes on from it."""
    with Service(tmp_path, CONFIG.format(url=upstream.url)) as service:
        chat = {"model": "chat", "messages": [{"role": "user", "content": PROMPT}]}
        assert send(f"http://127.0.0.1:{service.port}/v1/chat/completions", chat, "sk-dev").status == 200
        assert not (service.state / "owned.db").exists()
        name = _create(service).json["id"]
        assert name.encode() in _files(service)
        everything = b"".join(path.read_bytes() for path in service.state.rglob("*") if path.is_file())
        assert b"Lovelace" not in everything
    with service:
        assert _get(service, name).json["output"][0]["content"][0]["text"] == "Good day."
        assert _get(service, name, "sk-rival").status == 404
        told = _create(service, input="More", previous_response_id=name)
        assert told.status == 200, told.body
        assert len(upstream.asked[-1].body["messages"]) == 3


def test_an_id_survives_kill_9_or_is_unknown(tmp_path: Path, upstream: CannedUpstream) -> None:
    """Whoever had an answer in full can use its id; one cut off by the kill is a 404, and nobody else's."""
    with Service(tmp_path, CONFIG.format(url=upstream.url)) as service:
        for number in range(KILLS):
            name = _create(service).json["id"]
            cut = _cut_off(service, upstream, whole=number % 2 == 1)
            service.wait_ready()
            assert _get(service, name).status == 200
            assert _get(service, name, "sk-rival").status == 404
            told = _create(service, input="More", previous_response_id=name)
            assert told.status == 200, told.body
            for key in ("sk-dev", "sk-rival"):
                assert _get(service, cut, key).status == 404
                assert _create(service, key, previous_response_id=cut).status == 404


def _cut_off(service: Service, upstream: CannedUpstream, *, whole: bool) -> str:
    """Kill the gateway while its upstream is answering; the id that a client of that answer would know."""
    arrived, answer = threading.Event(), threading.Event()

    def wait(_: Any) -> Answer:
        arrived.set()
        answer.wait(20)
        return Answer(MESSAGE) if whole else MESSAGE_STREAM

    upstream.answer = wait
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    body = json.dumps({"model": "chat", "input": PROMPT, "stream": not whole})
    headers = {"authorization": "Bearer sk-dev", "content-type": "application/json"}
    connection.request("POST", "/v1/responses", body, headers)
    assert arrived.wait(20)
    name = "resp_" + upstream.asked[-1].headers["x-penstock-request-id"].removeprefix("req_")
    service.kill("gateway")
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()
    connection.close()
    answer.set()
    upstream.answer = Answer(MESSAGE)
    return name
