"""Responses that the simulator keeps, through the official SDK."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from penstock.testing.simulator import SimulatorThread


@pytest.fixture
def client() -> Iterator[openai.OpenAI]:
    """The SDK in front of a fresh simulator."""
    with (
        SimulatorThread() as simulator,
        openai.OpenAI(api_key="any", base_url=simulator.url + "/v1", max_retries=0) as client,
    ):
        yield client


def test_a_response_can_be_asked_for_and_deleted(client: openai.OpenAI) -> None:
    """It is the one that was answered, with its input; afterwards it is gone."""
    made = client.responses.create(model="echo", input="Hello")
    assert client.responses.retrieve(made.id).output_text == made.output_text == "Hello"
    (item,) = client.responses.input_items.list(made.id).data
    assert item.type == "message"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_only_what_is_kept_can_be_gone_on_from(client: openai.OpenAI) -> None:
    """`store: false` keeps nothing; going on makes another id."""
    first = client.responses.create(model="echo", input="Hello")
    second = client.responses.create(model="echo", input="Hello", previous_response_id=first.id)
    assert second.id != first.id
    unkept = client.responses.create(model="echo", input="Alone", store=False)
    with pytest.raises(openai.BadRequestError, match="not found"):
        client.responses.create(model="echo", input="More", previous_response_id=unkept.id)


def test_a_response_in_the_background_is_fetched_later(client: openai.OpenAI) -> None:
    """It is queued at first; asked for, it is complete, or can be cancelled."""
    queued = client.responses.create(model="echo", input="Later", background=True)
    assert (queued.status, queued.output_text) == ("queued", "")
    assert client.responses.retrieve(queued.id).output_text == "Later"
    assert client.responses.cancel(queued.id).status == "cancelled"


def test_tokens_are_counted(client: openai.OpenAI) -> None:
    """As many as the answer's usage says."""
    counted = client.responses.input_tokens.count(model="echo", input="Hello there")
    answered = client.responses.create(model="echo", input="Hello there")
    assert answered.usage is not None
    assert counted.input_tokens == answered.usage.input_tokens
