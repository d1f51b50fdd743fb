"""Resumed streams of the Responses API: what its SDK makes of them, and what is kept for the next turn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.routing.broken import OPENAI, Outcome, Play, play
from tests.routing.test_resume import called, said

ASK: dict[str, Any] = {"input": "Tell me.", "max_output_tokens": 500}
CHAT = replace(OPENAI, speaks=frozenset({"openai.chat"}))
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  native: {{provider: up, model: cut-after-6+tokens-20}}
  other: {{provider: up, model: tokens-10}}
routes:
  chat: {{policy: {{fallback: [native, other]}}, on_break: resume}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""


def resumed(first: list[bytes], *then: list[bytes]) -> Outcome:
    """A stream that is cut after `first`; other models come `then`."""
    plays = [Play(first, cut=True), *[Play(each) for each in then]]
    return play(plays, ASK, path="/v1/responses", first=CHAT, second=CHAT)


def events(body: bytes) -> list[Any]:
    """What OpenAI's SDK reads in a stream. Raises openai.APIError for an error in it."""
    head = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=head, content=body))
    http: Any = httpx.Client(transport=transport)
    with (
        openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=http) as client,
        client.responses.stream(model="chat", input="Tell me.") as stream,
    ):
        return list(stream)


def test_the_sdk_reads_one_response() -> None:
    """Numbers follow each other, one item holds the whole text, and it is complete."""
    got = resumed(said("One, ", "two, ")[:3], said("three", "."))
    read = events(got.body)
    assert [each.sequence_number for each in read if hasattr(each, "sequence_number")] == list(range(len(read)))
    (last,) = [each for each in read if each.type == "response.completed"]
    assert last.response.output_text == "One, two, three."
    assert len(last.response.output) == 1
    assert sum(each.type == "response.created" for each in read) == 1


def test_the_sdk_reads_a_call_that_was_made_again() -> None:
    """The arguments are whole in the item, and in the deltas."""
    first = called(("weather", '{"city": "Paris"}'), ends=False)[:4]
    got = resumed(first, called(("weather", '{"city":"Paris"}')))
    read = events(got.body)
    deltas = "".join([each.delta for each in read if each.type == "response.function_call_arguments.delta"])
    (last,) = [each for each in read if each.type == "response.completed"]
    (call,) = last.response.output
    assert json.loads(call.arguments) == json.loads(deltas) == {"city": "Paris"}


def test_where_it_cannot_go_on_the_response_has_failed() -> None:
    """The error, then the response as failed, numbered on; the SDK raises the error."""
    got = resumed(called(("weather", '{"ci'), ends=False), said("No."), said("No."))
    kinds = [each["type"] for each in got.chunks]
    assert kinds[-2:] == ["error", "response.failed"]
    assert [each["sequence_number"] for each in got.chunks] == list(range(len(got.chunks)))
    assert got.chunks[-1]["response"]["status"] == "failed"
    with pytest.raises(openai.APIError, match=r"not gone on with|did not call"):
        events(got.body)


def test_a_resumed_response_can_be_gone_on_from(simulator: SimulatorThread) -> None:
    """We keep it, whoever answered: it can be fetched, and its text stands in the next turn's conversation."""
    with (
        GatewayThread(CONFIG.format(url=simulator.url)) as gateway,
        openai.OpenAI(api_key="sk-test-gateway", base_url=gateway.url + "/v1", max_retries=0) as client,
    ):
        with client.responses.stream(model="chat", input="Tell me.") as stream:
            whole = stream.get_final_response()
        row = gateway.exchanges(1)[-1]
        assert [attempt.target for attempt in row.attempts] == ["native", "other"]
        assert row.notes["resumed"] == "1 after native"
        assert client.responses.retrieve(whole.id).output_text == whole.output_text
        again = client.responses.create(model="chat", input="And?", previous_response_id=whole.id)
        alone = client.responses.create(model="chat", input="And?")
        assert again.usage is not None
        assert alone.usage is not None
        assert again.usage.input_tokens > alone.usage.input_tokens + 10, "the first turn was sent along"
