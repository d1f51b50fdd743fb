"""What vendors are told to cache, as their servers see it, in the vendor's API and through a translation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.gateway.asking import KEY
from tests.translation.upstream import Answer, Asked, CannedUpstream

CONFIG = """
version: 1
providers:
  anthropic: {{kind: anthropic, base_url: "{url}", api_key: k}}
  other: {{kind: anthropic, base_url: "{url}", api_key: k}}
  bedrock: {{kind: bedrock, base_url: "{url}", api_key: k}}
  azure: {{kind: azure, base_url: "{url}/openai/v1", api_key: k}}
  compatible: {{kind: openai, base_url: "{url}/v1", api_key: k}}
deployments:
  claude: {{provider: anthropic, model: claude-sonnet-4-5, price: {{input: 3, output: 15}}}}
  claude-b: {{provider: other, model: claude-sonnet-4-5, price: {{input: 3, output: 15}}}}
  converse: {{provider: bedrock, model: anthropic.claude-sonnet-4-5, price: {{input: 3, output: 15}}}}
  llama: {{provider: bedrock, model: meta.llama4-scout, price: {{input: 3, output: 15}}}}
  gpt: {{provider: azure, model: gpt-5, price: {{input: 1, output: 2}}}}
  local: {{provider: compatible, model: m, price: {{input: 1, output: 2}}}}
routes:
  off: {{policy: claude}}
  auto: {{policy: claude, prompt_cache: auto}}
  hour: {{policy: claude, prompt_cache: always, prompt_cache_ttl: 1h}}
  aws: {{policy: converse, prompt_cache: always}}
  aws-llama: {{policy: llama, prompt_cache: always}}
  azure-gpt: {{policy: gpt, prompt_cache: auto}}
  own: {{policy: local, prompt_cache: auto}}
  both:
    policy: {{weighted: [{{use: claude, weight: 1}}, {{use: claude-b, weight: 1}}]}}
    prompt_cache: always
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""
LONG = "A rule of the house. " * 400
MARK = {"type": "ephemeral"}
MESSAGE = {
    "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "yes"}], "usage": {"input_tokens": 2000, "output_tokens": 1},
}  # fmt: skip
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "yes"}]}},
    "stopReason": "end_turn", "usage": {"inputTokens": 2000, "outputTokens": 1, "totalTokens": 2001},
}  # fmt: skip
COMPLETED = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2000, "completion_tokens": 1, "total_tokens": 2001},
}  # fmt: skip


def _answer(asked: Asked) -> Answer:
    if "/model/" in asked.path:
        return Answer(CONVERSED)
    return Answer(MESSAGE if asked.path.endswith("/messages") else COMPLETED)


@dataclass(frozen=True)
class Room:
    """A gateway in front of a server that plays all vendors."""

    gateway: GatewayThread
    upstream: CannedUpstream

    def sent(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        """What the vendor got for one request."""
        answer: Plain = send(self.gateway.url + path, body, KEY, headers=headers)
        assert answer.status == 200, answer.body
        return cast("dict[str, Any]", self.upstream.asked[-1].body)

    def messages(self, route: str, *turns: str, **fields: Any) -> dict[str, Any]:
        """What the vendor got for a request in Anthropic's API; turns are the user's and the model's."""
        said = [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(turns)]
        return self.sent("/v1/messages", {"model": route, "max_tokens": 9, "messages": said, **fields})

    def chat(self, route: str, **fields: Any) -> dict[str, Any]:
        """What the vendor got for a request in OpenAI's API."""
        said = [{"role": "system", "content": LONG}, {"role": "user", "content": "Hi"}]
        return self.sent("/v1/chat/completions", {"model": route, "messages": said, **fields})


@pytest.fixture
def room() -> Iterator[Room]:
    """The room, which remembers nothing from before."""
    with CannedUpstream(_answer) as upstream, GatewayThread(CONFIG.format(url=upstream.url)) as gateway:
        yield Room(gateway, upstream)


def test_a_conversation_in_the_vendors_own_api_is_marked_turn_by_turn(room: Room) -> None:
    """Tools, system prompt and the newest turn carry marks; the next request marks where the last one ended."""
    tool = {"name": "t", "input_schema": {"type": "object"}}
    first = room.messages("auto", "Hello", system=LONG, tools=[tool])
    assert first["system"] == [{"type": "text", "text": LONG, "cache_control": MARK}]
    assert first["tools"] == [tool], "tools alone are too short to be cached"
    assert first["messages"][0]["content"] == [{"type": "text", "text": "Hello", "cache_control": MARK}]
    second = room.messages("auto", "Hello", "Hi", "And?", system=LONG, tools=[tool])
    marked = [isinstance(turn["content"], list) for turn in second["messages"]]
    assert marked == [True, False, True]
    (*_, row) = room.gateway.exchanges(2)
    assert row.notes["prompt_cache"] == "system,history,tail"


def test_everything_else_of_the_body_stays_as_it_came(room: Room) -> None:
    """Blocks without a mark keep their bytes: numbers, escapes, unknown members."""
    odd = '{"role":"user","content":[{"type":"text","text":"\\u0041","x":1.50},{"type":"text","text":"?"}]}'
    system = json.dumps(LONG)
    body = f'{{"model":"auto","max_tokens":9,"system":{system},"messages":[{odd}],"odd":1e2}}'
    answer = send(room.gateway.url + "/v1/messages", body.encode(), KEY)
    assert answer.status == 200
    raw = room.upstream.asked[-1].raw
    assert b'{"type":"text","text":"\\u0041","x":1.50}' in raw
    assert b'"odd":1e2' in raw
    assert raw.count(b"cache_control") == 2


@pytest.mark.parametrize(
    "own",
    [
        {"system": [{"type": "text", "text": LONG, "cache_control": MARK}]},
        {"system": LONG, "cache_control": MARK},
    ],
)
def test_a_client_that_marks_its_prompt_is_left_alone(room: Room, own: dict[str, Any]) -> None:
    """It knows better, and a fifth mark would be refused."""
    sent = room.messages("auto", "Hello", **own)
    assert sent["system"] == own["system"]
    assert sent["messages"] == [{"role": "user", "content": "Hello"}]


def test_short_prompts_and_routes_that_do_not_say_so_pass_as_they_came(room: Room) -> None:
    """Nothing is marked that the vendor would not cache, or that nobody asked for."""
    for route, system in (("auto", "Be brief."), ("off", LONG)):
        sent = room.messages(route, "Hello", system=system)
        assert sent["system"] == system
        assert sent["messages"] == [{"role": "user", "content": "Hello"}]


def test_a_prompt_in_openais_words_is_marked_in_the_vendors(room: Room) -> None:
    """The marks stand on the pivot, so that every dialect has them; an hour is said as one."""
    sent = room.chat("hour")
    assert sent["system"][-1]["cache_control"] == {**MARK, "ttl": "1h"}
    assert sent["messages"][-1]["content"][-1]["cache_control"] == {**MARK, "ttl": "1h"}


def test_bedrock_gets_points_behind_what_is_cached(room: Room) -> None:
    """Converse has blocks of its own for it, natively and translated; models that cache nothing get none."""
    body = {"system": [{"text": LONG}], "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    point = {"cachePoint": {"type": "default"}}
    sent = room.sent("/model/aws/converse", body)
    assert sent["system"] == [{"text": LONG}, point]
    assert sent["messages"][0]["content"] == [{"text": "Hi"}, point]
    assert room.chat("aws")["system"][-1] == point
    assert room.sent("/model/aws-llama/converse", body) == body


def test_a_key_leads_equal_prefixes_to_the_same_machine(room: Room) -> None:
    """It depends on the organisation and the prompt's front, or on the session; a client's own stays."""
    one, two = room.chat("azure-gpt"), room.chat("azure-gpt", temperature=1)
    assert len(one["prompt_cache_key"]) == 32
    assert one["prompt_cache_key"] == two["prompt_cache_key"]
    tagged = {"x-penstock-tags": "session=s1"}
    body = {"model": "azure-gpt", "messages": [{"role": "user", "content": "Hi"}]}
    keys = {room.sent("/v1/chat/completions", body, tagged)["prompt_cache_key"] for _ in range(2)}
    assert len(keys) == 1
    assert keys != {one["prompt_cache_key"]}
    assert room.chat("azure-gpt", prompt_cache_key="mine")["prompt_cache_key"] == "mine"
    assert "prompt_cache_key" not in room.chat("own"), "a compatible server may refuse what it does not know"


def test_a_draw_by_weight_keeps_a_conversation_at_one_target(room: Room) -> None:
    """Each prefix stays where it is cached, and both targets get some."""
    for number in range(12):
        for turns in (("Hello",), ("Hello", "Hi", "And?")):
            room.messages("both", *turns, system=f"{number} {LONG}")
    rows = room.gateway.exchanges(24)
    pairs = [(a.attempts[0].target, b.attempts[0].target) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    assert all(first == second for first, second in pairs)
    assert {first for first, _ in pairs} == {"claude", "claude-b"}


@pytest.mark.parametrize("system", [7, [7], [{"type": "text"}], {"a": 1}, None, [{"text": 1}]])
def test_a_body_that_cannot_be_marked_goes_to_the_vendor_as_it_is(room: Room, system: Any) -> None:
    """The vendor says what is wrong with it."""
    sent = room.messages("auto", LONG, system=system)
    assert sent["system"] == system
