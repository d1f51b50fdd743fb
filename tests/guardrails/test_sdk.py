"""What OpenAI's own client makes of blocks, on both of its APIs, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from penstock.testing.simulator import SimulatorThread
from tests.guardrails.house import KEY, gateway

CONFIG = """
guards:
  bomb: {kind: keywords, words: [bomb], message: "Ask the desk."}
routes:
  in: {policy: up/echo, guards: {input: [bomb]}}
  out: {policy: up/echo, guards: {output: [bomb]}}
"""
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen bomb fifteen"


@pytest.fixture(scope="module")
def client() -> Iterator[openai.OpenAI]:
    """A client of a guarded gateway."""
    with (
        SimulatorThread() as simulator,
        gateway(simulator, CONFIG) as running,
        openai.OpenAI(base_url=running.url + "/v1", api_key=KEY) as made,
    ):
        yield made


def test_a_blocked_request_is_a_bad_request(client: openai.OpenAI) -> None:
    """With the stable code; the client does not try again."""
    with pytest.raises(openai.BadRequestError) as chat:
        client.chat.completions.create(model="in", messages=[{"role": "user", "content": LONG}])
    with pytest.raises(openai.BadRequestError) as responses:
        client.responses.create(model="in", input=LONG)
    assert [chat.value.code, responses.value.code] == ["guard_blocked", "guard_blocked"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_withheld_chat_answer_is_a_filtered_one(client: openai.OpenAI, stream: bool) -> None:
    """One id, one finish reason, and nothing of what was found."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": LONG}]
    if not stream:
        (choice,) = client.chat.completions.create(model="out", messages=messages).choices
        assert (choice.finish_reason, choice.message.refusal) == ("content_filter", "Ask the desk.")
        return
    chunks = list(client.chat.completions.create(model="out", messages=messages, stream=True))
    text = "".join([each.choices[0].delta.content or "" for each in chunks if each.choices])
    assert LONG.partition("bomb")[0].startswith(text)
    assert text.startswith("one two")
    assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "content_filter"
    assert len({each.id for each in chunks}) == 1


def test_a_withheld_response_ends_incomplete(client: openai.OpenAI) -> None:
    """Its helper, which checks the order and identity of events, gets a whole response."""
    whole = client.responses.create(model="out", input=LONG)
    with client.responses.stream(model="out", input=LONG) as stream:
        events = list(stream)
    last = events[-1]
    assert last.type == "response.incomplete"
    assert [each.sequence_number for each in events] == list(range(len(events)))
    for response in (whole, last.response):
        assert response.status == "incomplete"
        assert response.incomplete_details is not None
        assert response.incomplete_details.reason == "content_filter"
    assert last.response.output_text
    assert LONG.partition("bomb")[0].startswith(last.response.output_text)
