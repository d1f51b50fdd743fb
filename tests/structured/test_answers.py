"""Answers that must obey a schema, through a gateway: repaired, asked for again, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.gateway.asking import KEY
from tests.translation.upstream import Answer, Asked, CannedUpstream, sse

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
  other: {{kind: openai, base_url: "{url}/other/v1"}}
  claude: {{kind: anthropic, base_url: "{url}", api_key: k}}
deployments:
  m: {{provider: up, model: m, price: {{input: 1, output: 2}}}}
  n: {{provider: other, model: n, price: {{input: 1, output: 2}}}}
  c: {{provider: claude, model: claude-sonnet-4-5, price: {{input: 3, output: 15}}}}
routes:
  plain: {{policy: m}}
  mended: {{policy: m, structured: {{aliases: {{country: {{Deutschland: DE}}}}}}}}
  strict: {{policy: m, structured: {{lenient: false, reasks: 0}}}}
  twice: {{policy: {{fallback: [m, n]}}, structured: {{reasks: 1}}}}
  open: {{policy: m, structured: {{reasks: 0, on_invalid: pass}}}}
  claude: {{policy: c, structured: {{}}}}
  guarded: {{policy: m, guards: {{output: [schema]}}}}
  gated: {{policy: m, structured: {{reasks: 0, on_invalid: pass}}, success: {{all: [schema]}}}}
keys:
  - {{name: dev, secret: sk-test-gateway}}
"""
SCHEMA = {
    "type": "object",
    "required": ["country", "people"],
    "properties": {"country": {"enum": ["DE", "FR"]}, "people": {"type": "integer"}, "day": {"format": "date"}},
}
GOOD = '{"country": "DE",  "people": 5}'
TOOL = {"type": "function", "function": {"name": "count", "parameters": SCHEMA}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}


@dataclass
class Model:
    """Says one text after the other, the last one from then on; `calls`: as arguments of a tool."""

    texts: Sequence[str]
    calls: bool = False
    finish: str = "stop"

    def __call__(self, asked: Asked) -> Answer:
        """One answer, in the form that was asked for."""
        text = self.texts[0]
        self.texts = self.texts[1:] or self.texts
        if asked.path.endswith("/messages"):
            return Answer(_message(text))
        if asked.body.get("stream"):
            head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            pieces = [{"role": "assistant", "content": ""}, *[{"content": char} for char in text]]
            chunks = [{**head, "choices": [{"index": 0, "delta": each}]} for each in pieces]
            end: dict[str, Any] = {
                **head,
                "choices": [{"index": 0, "delta": {}, "finish_reason": self.finish}],
            }
            return sse(*chunks, end, {**head, "choices": [], "usage": _USAGE}, done=True)
        return Answer(_completion(text, calls=self.calls, finish=self.finish))


_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def _completion(text: str, *, calls: bool, finish: str) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "count", "arguments": text}}
    message = {
        "role": "assistant",
        "content": None if calls else text,
        **({"tool_calls": [call]} if calls else {}),
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else finish}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": _USAGE,
    }


def _message(text: str) -> dict[str, Any]:
    return {
        "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 10, "output_tokens": 5},
    }  # fmt: skip


@dataclass(frozen=True)
class Room:
    """A gateway in front of a model."""

    gateway: GatewayThread
    upstream: CannedUpstream

    def ask(self, route: str, *texts: str, calls: bool = False, finish: str = "stop", **fields: Any) -> Plain:
        """One chat request to a model that says these texts."""
        self.upstream.asked.clear()
        self.upstream.answer = Model(texts, calls, finish)
        body = {"model": route, "messages": [{"role": "user", "content": "How many?"}]}
        form = {"tools": [TOOL]} if calls else {"response_format": FORMAT}
        return send(f"{self.gateway.url}/v1/chat/completions", {**body, **form, **fields}, KEY)

    def said(self, route: str, *texts: str, **fields: Any) -> str:
        """The content of the answer."""
        answer = self.ask(route, *texts, **fields)
        assert answer.status == 200, answer.body
        return answer.json["choices"][0]["message"]["content"]


@pytest.fixture(scope="module")
def rooms() -> Iterator[Room]:
    """One gateway for all."""
    with CannedUpstream() as upstream, GatewayThread(CONFIG.format(url=upstream.url)) as gateway:
        yield Room(gateway, upstream)


@pytest.fixture
def room(rooms: Room) -> Room:
    """The gateway, without what it saw before."""
    rooms.gateway.context.learned.clear()
    return rooms


def _note(room: Room) -> dict[str, str]:
    return room.gateway.exchanges(1)[-1].notes


def test_an_answer_that_obeys_passes_as_it_came(room: Room) -> None:
    """To the byte, spaces included, and nobody is asked again."""
    assert room.said("mended", GOOD) == GOOD
    assert len(room.upstream.asked) == 1
    assert room.gateway.exchanges(1)[-1].notes["structured"] == "as it came"


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ('{"country": "deutschland", "people": "1,200"}', {"country": "DE", "people": 1200}, "normalised"),
        ('```json\n{"country": "FR", "people": 5,}\n```', {"country": "FR", "people": 5}, "parsed"),
        ("{'country': 'de', 'people': 5}", {"country": "DE", "people": 5}, "parsed"),
        ('{"Country": "DE", "people": 5, "x": 1}', {"country": "DE", "people": 5, "x": 1}, "normalised"),
    ],
)
def test_what_has_one_meaning_is_mended_without_asking(
    room: Room, text: str, value: dict[str, Any], how: str
) -> None:
    """Values, keys and broken JSON; the ledger says where and how."""
    assert json.loads(room.said("mended", text)) == value
    assert len(room.upstream.asked) == 1
    assert _note(room)["structured"] == how


def test_a_stream_is_held_back_and_mended_too(room: Room) -> None:
    """The client gets a whole stream of its own form, with the value that obeys."""
    answer = room.ask("mended", '{"country": "Deutschland", "people": "7"}', stream=True)
    events = [line[6:] for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    deltas = [json.loads(event)["choices"] for event in events[:-1]]
    text = "".join([choice["delta"].get("content") or "" for choices in deltas for choice in choices])
    assert json.loads(text) == {"country": "DE", "people": 7}
    assert [choice["finish_reason"] for choices in deltas for choice in choices][-1] == "stop"


def test_a_model_is_asked_again_with_what_is_wrong(room: Room) -> None:
    """It sees its answer and the places; both attempts are charged, the second as a retry."""
    assert room.said("mended", '{"country": "IT", "people": 5}', GOOD) == GOOD
    first, second = room.upstream.asked
    assert second.body["messages"][:1] == first.body["messages"]
    assert second.body["messages"][1] == {"role": "assistant", "content": '{"country": "IT", "people": 5}'}
    assert 'country: "IT" is not one of' in second.body["messages"][2]["content"]
    row = room.gateway.exchanges(1)[-1]
    assert [attempt.outcome for attempt in row.attempts] == ["ok", "ok"]
    assert all(attempt.cost_nanousd for attempt in row.attempts)
    assert row.notes["structured"] == "asked again"
    assert row.notes["structured.fields"] == "country:invalid"


def test_arguments_of_tools_are_held_to_their_parameters(room: Room) -> None:
    """Mended where they can be; else the model gets its call back with an error as its result."""
    answer = room.ask("mended", '{"country": "de", "people": "5"}', calls=True)
    (call,) = answer.json["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"country": "DE", "people": 5}
    answer = room.ask("mended", '{"people": 5}', GOOD, calls=True)
    (call,) = answer.json["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == GOOD
    told = room.upstream.asked[1].body["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "tool"]
    assert told[2]["tool_call_id"] == told[1]["tool_calls"][0]["id"]
    assert '"country" is a required property' in told[2]["content"]


def test_the_policy_goes_on_where_asking_does_not_help(room: Room) -> None:
    """The next target is asked as if the first had failed, with the client's own request."""
    bad = '{"country": "IT"}'
    assert room.said("twice", bad, bad, GOOD) == GOOD
    paths = [asked.path for asked in room.upstream.asked]
    assert paths == ["/v1/chat/completions"] * 2 + ["/other/v1/chat/completions"]
    assert len(room.upstream.asked[2].body["messages"]) == 1


def test_what_never_obeys_is_an_error_or_passes_if_told(room: Room) -> None:
    """With a code of its own; with `pass` the client gets what was said."""
    answer = room.ask("strict", '{"country": "IT"}')
    assert answer.status == 502
    assert answer.json["error"]["code"] == "schema_mismatch"
    assert _note(room)["structured"] == "failed"
    assert room.said("open", "I do not know") == "I do not know"
    assert _note(room)["structured"] == "failed"


def test_strict_routes_take_no_broken_json(room: Room) -> None:
    """`lenient: false` leaves reading to the standard."""
    assert room.ask("strict", "{'country': 'DE', 'people': 5}").status == 502


def test_an_answer_that_was_cut_off_is_not_completed_by_guessing(room: Room) -> None:
    """Half a list would look like a whole one."""
    answer = room.ask("strict", '{"country": "DE", "people": 5, "more": [1, 2', finish="length")
    assert answer.status == 502


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "text"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": 7}}}},
        {"n": 2},
    ],
)
def test_where_no_form_was_asked_for_nothing_is_looked_at(room: Room, fields: dict[str, Any]) -> None:
    """No schema, one that is none, several choices: the vendor's answer is the answer."""
    assert room.said("mended", "anything", **fields) == "anything"


def test_routes_that_do_not_say_so_change_nothing(room: Room) -> None:
    """Structured output is for those who want it."""
    assert room.said("plain", '{"country": "IT"}') == '{"country": "IT"}'


def test_a_refusal_is_not_argued_with(room: Room) -> None:
    """What a vendor withheld goes to the client as it is."""
    assert room.said("mended", "", finish="content_filter") == ""
    assert len(room.upstream.asked) == 1


def test_it_works_through_a_translation(room: Room) -> None:
    """A client of OpenAI's, a model of Anthropic's."""
    assert json.loads(room.said("claude", '{"country": "fr", "people": "3"}')) == {"country": "FR", "people": 3}
    assert room.said("claude", "no", GOOD) == GOOD
    assert [message["role"] for message in room.upstream.asked[1].body["messages"]] == [
        "user",
        "assistant",
        "user",
    ]


def test_the_guard_schema_looks_and_asks_nobody_again(room: Room) -> None:
    """As the design's example has it: values are brought to form, and what does not obey is an error."""
    assert json.loads(room.said("guarded", '{"country": "de", "people": "3"}')) == {
        "country": "DE",
        "people": 3,
    }
    assert room.ask("guarded", '{"country": "IT"}').status == 502
    assert len(room.upstream.asked) == 1


def test_the_quality_gate_can_ask_for_the_form(room: Room) -> None:
    """An answer that passed to the client all the same counts as no success."""
    said = [room.said("gated", text) for text in (GOOD, "no")]
    assert said == [GOOD, "no"]
    assert [row.success for row in room.gateway.exchanges(2)[-2:]] == [True, False]
