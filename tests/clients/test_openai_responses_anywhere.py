"""The `openai` package's responses, answered by vendors of every API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import OpenAI

from penstock.testing.gateway import GatewayThread
from tests.clients.everywhere import PIXEL, Forecast, sdk
from tests.clients.everywhere import WEATHER as TOOL
from tests.clients.vendors import script
from tests.clients.vendors.city import CLAUDE_ON_AWS
from tests.translation.upstream import CannedUpstream

MODELS = ["oai/gpt-5", "ant/claude-sonnet-4-5", "gem/gemini-2.5-flash", CLAUDE_ON_AWS]
WEATHER: Any = {"type": "function", **TOOL}
everywhere = pytest.mark.parametrize("model", MODELS)


# A fixture of this module.
__all__ = ["sdk"]


@everywhere
def test_a_plain_answer(sdk: OpenAI, model: str) -> None:
    """Text, state, and usage to the token."""
    got = sdk.responses.create(model=model, instructions="Be brief.", input="Hello", max_output_tokens=50)
    assert (got.output_text, got.status) == (script.HELLO, "completed")
    assert got.usage is not None
    assert (got.usage.input_tokens, got.usage.output_tokens) == (14, 7)
    assert got.usage.input_tokens_details.cached_tokens == 3


@everywhere
def test_the_stream_helper(sdk: OpenAI, model: str) -> None:
    """Typed events arrive in order, and the helper's final response is the plain one."""
    with sdk.responses.stream(model=model, input="Hello") as stream:
        events = list(stream)
        final = stream.get_final_response()
    said = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(said) == final.output_text == script.HELLO
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert final.usage is not None
    assert (final.usage.input_tokens, final.usage.output_tokens) == (14, 7)


@everywhere
@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_after_sealed_thinking(sdk: OpenAI, city: CannedUpstream, model: str, *, stream: bool) -> None:
    """The call parses; its result and the reasoning go back, and the vendor finds its own seal in them."""
    create: Any = sdk.responses.create
    first: Any = {
        "model": model,
        "input": "Hello",
        "tools": [WEATHER],
        "reasoning": {"effort": "medium", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }
    if stream:
        with sdk.responses.stream(**first) as events:
            asked: Any = events.get_final_response()
    else:
        asked = create(**first)
    # A call's own seal may follow it in a reasoning item of its own.
    assert [item.type for item in asked.output[:2]] == ["reasoning", "function_call"]
    assert asked.output[0].summary[0].text == script.THOUGHT
    call = asked.output[1]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
    turn: list[Any] = [
        {"role": "user", "content": "Hello"},
        *[item.model_dump(exclude_none=True) for item in asked.output],
        {"type": "function_call_output", "call_id": call.call_id, "output": "mild"},
    ]
    done = create(**{**first, "input": turn})
    assert done.output_text == "The tool said: mild." + script.SEEN_SEAL, city.asked[-1].body


@everywhere
def test_a_shape_is_parsed(sdk: OpenAI, model: str) -> None:
    """`parse` gives the caller's own class."""
    got = sdk.responses.parse(model=model, input="Hello", text_format=Forecast)
    assert got.output_parsed == Forecast(city="Paris", celsius=21)


@everywhere
def test_a_picture_is_seen(sdk: OpenAI, model: str) -> None:
    """An image in base64 reaches the vendor as one of its own."""
    parts: list[Any] = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PIXEL}"},
    ]
    got = sdk.responses.create(model=model, input=[{"role": "user", "content": parts}])
    assert got.output_text == "Pictures: 1."


@everywhere
def test_a_wrong_key_and_an_unknown_model(
    city_gateway: GatewayThread, connect: Callable[..., OpenAI], model: str
) -> None:
    """Both are the SDK's own exceptions, whoever would have answered."""
    with pytest.raises(openai.AuthenticationError):
        connect(city_gateway.url, "sk-wrong").responses.create(model=model, input="Hello")
    with pytest.raises(openai.NotFoundError):
        connect(city_gateway.url).responses.create(model="no-such-model", input="Hello")
