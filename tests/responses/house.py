"""Gateways in front of a vendor that has the Responses API and of one that has not, and requests to them."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from penstock.ports.owned import OwnedIds
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.plain import Plain, send
from tests.translation.upstream import Answer, CannedUpstream, sse

CONFIG = """
version: 1
defaults: {{responses_store: {store}}}
providers:
  sim: {{kind: simulator}}
  second: {{kind: openai, base_url: "{simulator}/v1", api_key: other-secret}}
  claude: {{kind: anthropic, base_url: "{canned}/base", api_key: upstream-secret}}
  third: {{kind: openai, base_url: "{canned}/v1", api_key: third-secret}}
deployments:
  one: {{provider: sim, model: echo}}
  two: {{provider: second, model: echo}}
  three: {{provider: claude, model: claude-x}}
  four: {{provider: third, model: plain}}
routes:
  mixed: {{policy: {{fallback: [one, two]}}}}
  foreign: {{policy: three}}
  unkept: {{policy: {{fallback: [one, three]}}, responses_store: off}}
keys:
  - {{name: dev, secret: sk-dev, org: acme, direct: true}}
  - {{name: colleague, secret: sk-colleague, org: acme, direct: true}}
  - {{name: rival, secret: sk-rival, org: rival, direct: true}}
  - {{name: busy, secret: sk-busy, org: acme, limits: {{rpm: 2, concurrency: 1}}}}
"""
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Good day."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 4},
}
_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Good day."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]
MESSAGE_STREAM = sse(*_EVENTS, names=True)


@dataclass
class House:
    """See the module."""

    gateway: GatewayThread
    simulator: SimulatorThread
    canned: CannedUpstream

    def create(self, model: str = "one", *, key: str = "sk-dev", **fields: Any) -> Plain:
        """`POST /v1/responses`."""
        return send(self.gateway.url + "/v1/responses", {"model": model, "input": "Hello", **fields}, key)

    def message(self, body: dict[str, Any], key: str) -> Plain:
        """`POST /v1/messages`."""
        return send(self.gateway.url + "/v1/messages", body, key)

    def made(self, model: str = "one", **fields: Any) -> str:
        """The id of a new response."""
        told = self.create(model, **fields)
        assert told.status == 200, told.body
        return str(told.json["id"])

    def visit(self, name: str, method: str = "GET", key: str = "sk-dev") -> Plain:
        """A request about a response; `name` may have more behind the id."""
        return send(f"{self.gateway.url}/v1/responses/{name}", b"", key, method=method)

    def paths(self) -> list[str]:
        """What the simulator was asked for."""
        return [each.path for each in self.simulator.requests()]


@contextmanager
def house(store: str = "on", owned: OwnedIds | None = None) -> Generator[House]:
    """All of it, until the block ends."""
    with ExitStack() as stack:
        simulator = stack.enter_context(SimulatorThread())
        canned = stack.enter_context(CannedUpstream(Answer(MESSAGE)))
        config = CONFIG.format(store=store, simulator=simulator.url, canned=canned.url)
        urls = {"simulator": simulator.url + "/v1"}
        gateway = stack.enter_context(GatewayThread(config, urls=urls, owned=owned))
        yield House(gateway, simulator, canned)


def code(told: Plain) -> tuple[int, str]:
    """Status and code of an error."""
    return told.status, told.json["error"]["code"]


def last_event(told: Plain) -> dict[str, Any]:
    """The last event of a stream."""
    lines = [line for line in told.body.decode().splitlines() if line.startswith("data: {")]
    return json.loads(lines[-1][6:])
