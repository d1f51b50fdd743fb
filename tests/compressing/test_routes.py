"""Routes that shorten prompts: what the vendor gets, and what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.plain import send
from tests.gateway.asking import KEY
from tests.translation.upstream import Answer, CannedUpstream

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  m: {{provider: up, model: m, price: {{input: 1, output: 2}}}}
routes:
  plain: {{policy: m}}
  short: {{policy: m, compress: lossless}}
  shorter: {{policy: m, compress: lossy, compress_keep: 0.3}}
keys:
  - {{name: dev, secret: sk-test-gateway}}
"""
PASSAGE = "\n".join([f"{number}. The rule with the number {number} of this house." for number in range(40)])
COMPLETED = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21},
}  # fmt: skip


@pytest.fixture
def room() -> Iterator[tuple[GatewayThread, CannedUpstream]]:
    """A gateway in front of a vendor."""
    with CannedUpstream(Answer(COMPLETED)) as up, GatewayThread(CONFIG.format(url=up.url)) as gateway:
        yield gateway, up


def _ask(room: tuple[GatewayThread, CannedUpstream], route: str, **fields: Any) -> dict[str, Any]:
    gateway, upstream = room
    call = {"id": "1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    said = [
        {"role": "user", "content": PASSAGE},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": PASSAGE + "\n" + "Nothing else of note. " * 200},
        {"role": "user", "content": "Which rule has the number 7?"},
    ]
    answer = send(f"{gateway.url}/v1/chat/completions", {"model": route, "messages": said, **fields}, KEY)
    assert answer.status == 200, answer.body
    return upstream.asked[-1].body


def test_repetitions_are_taken_out_where_a_route_says_so(room: tuple[GatewayThread, CannedUpstream]) -> None:
    """The rest of the request is what the client sent, and the ledger says how much was saved."""
    plain = _ask(room, "plain", temperature=0.5, vendor_field={"a": 1})
    short = _ask(room, "short", temperature=0.5, vendor_field={"a": 1})
    assert plain["messages"][:2] == short["messages"][:2]
    assert short["messages"][2]["content"].startswith("[Here the passage above is repeated that begins")
    rest = {key: value for key, value in plain.items() if key != "messages"}
    assert {key: value for key, value in short.items() if key != "messages"} == rest
    row = room[0].exchanges(2)[-1]
    assert int(row.notes["compress.saved_chars"]) > 1500


def test_what_is_lost_is_said(room: tuple[GatewayThread, CannedUpstream]) -> None:
    """A lossy route tells how many characters the model did not see."""
    shorter = _ask(room, "shorter")
    assert "[…]" in shorter["messages"][2]["content"]
    row = room[0].exchanges(1)[-1]
    assert int(row.notes["compress.lost_chars"]) > 1000


def test_short_prompts_pass_to_the_byte(room: tuple[GatewayThread, CannedUpstream]) -> None:
    """There is nothing to be saved."""
    gateway, upstream = room
    body = b'{"model": "short",  "messages": [{"role":"user", "content":"Hi"}]}'
    assert send(f"{gateway.url}/v1/chat/completions", body, KEY).status == 200
    assert upstream.asked[-1].raw == body.replace(b'"short"', b'"m"')
