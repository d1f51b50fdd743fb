"""The `openai` package's chat completions, answered by vendors of every API."""

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

MODELS = ["oai/gpt-4.1", "ant/claude-sonnet-4-5", "gem/gemini-2.5-flash", CLAUDE_ON_AWS]
HELLO: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
WEATHER: Any = {"type": "function", "function": TOOL}
everywhere = pytest.mark.parametrize("model", MODELS)


# A fixture of this module.
__all__ = ["sdk"]


@everywhere
def test_a_plain_answer(sdk: OpenAI, model: str) -> None:
    """Text, the reason for its end, and usage to the token."""
    got = sdk.chat.completions.create(model=model, messages=HELLO, max_tokens=50)
    assert got.choices[0].message.content == script.HELLO
    assert got.choices[0].finish_reason == "stop"
    assert got.usage is not None
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (14, 7)
    assert got.usage.prompt_tokens_details is not None
    assert got.usage.prompt_tokens_details.cached_tokens == 3


@everywhere
def test_the_stream_helper(sdk: OpenAI, model: str) -> None:
    """Typed events arrive, and the helper's final completion is the plain one."""
    with sdk.chat.completions.stream(
        model=model, messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert "".join(deltas) == final.choices[0].message.content == script.HELLO
    assert len(deltas) > 1
    assert final.usage is not None
    assert (final.usage.prompt_tokens, final.usage.completion_tokens) == (14, 7)


@everywhere
@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_and_answered(sdk: OpenAI, model: str, *, stream: bool) -> None:
    """The call's arguments parse; its result is understood on the next turn."""
    if stream:
        with sdk.chat.completions.stream(model=model, messages=HELLO, tools=[WEATHER]) as events:
            message: Any = events.get_final_completion().choices[0].message
    else:
        asked = sdk.chat.completions.create(model=model, messages=HELLO, tools=[WEATHER])
        assert asked.choices[0].finish_reason == "tool_calls"
        message = asked.choices[0].message
    (call,) = message.tool_calls
    assert call.function.name == "weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    turn: list[Any] = [
        *HELLO,
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "mild"},
    ]
    done = sdk.chat.completions.create(model=model, messages=turn, tools=[WEATHER])
    assert done.choices[0].message.content == "The tool said: mild."


@everywhere
def test_a_shape_is_parsed(sdk: OpenAI, model: str) -> None:
    """`parse` gives the caller's own class."""
    got = sdk.chat.completions.parse(model=model, messages=HELLO, response_format=Forecast)
    assert got.choices[0].message.parsed == Forecast(city="Paris", celsius=21)


@everywhere
def test_a_picture_is_seen(sdk: OpenAI, model: str) -> None:
    """An image in base64 reaches the vendor as one of its own."""
    parts: list[Any] = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    got = sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
    assert got.choices[0].message.content == "Pictures: 1."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS[1:])
def test_sealed_thinking_comes_back(sdk: OpenAI, city: CannedUpstream, model: str, *, stream: bool) -> None:
    """A vendor's signature survives a turn with a tool, though chat completions have no field for it."""
    effort: Any = {"reasoning_effort": "medium"}
    create: Any = sdk.chat.completions.create
    if stream:
        with sdk.chat.completions.stream(model=model, messages=HELLO, tools=[WEATHER], **effort) as events:
            message: Any = events.get_final_completion().choices[0].message
    else:
        answer = create(model=model, messages=HELLO, tools=[WEATHER], **effort)
        message = answer.choices[0].message
    (call,) = message.tool_calls
    turn: list[Any] = [
        *HELLO,
        {"role": "assistant", "content": message.content, "tool_calls": [call.model_dump(exclude_none=True)]},
        {"role": "tool", "tool_call_id": call.id, "content": "mild"},
    ]
    done = create(model=model, messages=turn, tools=[WEATHER], **effort)
    assert done.choices[0].message.content == "The tool said: mild." + script.SEEN_SEAL, city.asked[-1].body


@everywhere
def test_a_wrong_key_and_an_unknown_model(
    city_gateway: GatewayThread, connect: Callable[..., OpenAI], model: str
) -> None:
    """Both are the SDK's own exceptions, whoever would have answered."""
    with pytest.raises(openai.AuthenticationError):
        connect(city_gateway.url, "sk-wrong").chat.completions.create(model=model, messages=HELLO)
    with pytest.raises(openai.NotFoundError):
        connect(city_gateway.url).chat.completions.create(model="no-such-model", messages=HELLO)
