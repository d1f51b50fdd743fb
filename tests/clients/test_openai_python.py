"""The unmodified `openai` package for Python, through the gateway to the simulator."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Callable

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionStreamOptionsParam,
    ChatCompletionToolParam,
)
from pydantic import BaseModel

from penstock.core.exchange import ExchangeSettled
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

KEY = "sk-test-gateway"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there, big world."}]
TOOLS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
]
Settled = Callable[[GatewayThread, str], ExchangeSettled]


class City(BaseModel):
    """A structured output."""

    name: str
    people: int


@pytest.fixture
def direct(simulator: SimulatorThread, connect: Callable[..., OpenAI]) -> OpenAI:
    """The SDK without a gateway in between."""
    return connect(simulator.url)


def test_a_chat_answer_is_the_providers(client: OpenAI, direct: OpenAI) -> None:
    """Id, choices, usage and unknown fields come through as they are."""
    messages = HELLO
    through = client.chat.completions.create(model="sim/reasoning-5+cached-3", messages=messages)
    assert through == direct.chat.completions.create(model="reasoning-5+cached-3", messages=messages)


def test_headers_tell_about_the_request(client: OpenAI, gateway: GatewayThread, settled: Settled) -> None:
    """Request id, route, target, attempts, cost: on the raw response, and the id on the answer itself."""
    raw = client.chat.completions.with_raw_response.create(model="sim/echo", messages=HELLO)
    request_id = raw.headers["x-penstock-request-id"]
    assert raw.headers["x-penstock-target"] == "sim/echo"
    assert raw.headers["x-penstock-attempts"] == "1"
    assert float(raw.headers["x-penstock-cost-usd"]) > 0
    answer = raw.parse()
    assert answer._request_id == raw.headers["x-request-id"]  # pyright: ignore[reportPrivateUsage] - public by its documentation
    assert answer.usage is not None
    facts = settled(gateway, request_id).attempts[0]
    assert facts.usage.output_tokens == answer.usage.completion_tokens
    assert facts.upstream_request_id in {"", raw.headers["x-request-id"]}


@pytest.mark.parametrize("asks", [True, False])
def test_a_stream_has_usage_only_where_it_was_asked_for(
    client: OpenAI, gateway: GatewayThread, settled: Settled, *, asks: bool
) -> None:
    """The last chunk tells the usage to who asked for it; the ledger learns it either way."""
    options: ChatCompletionStreamOptionsParam = {"include_usage": asks}
    raw = client.chat.completions.with_raw_response.create(
        model="sim/tokens-7", messages=HELLO, stream=True, stream_options=options
    )
    chunks = list(raw.parse())
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [asks]
    facts = settled(gateway, raw.headers["x-penstock-request-id"]).attempts[0]
    assert (facts.usage_source, facts.usage.output_tokens) == ("reported", 7)


def test_a_tool_call_whole_and_streamed(client: OpenAI) -> None:
    """A call with its arguments, and the answer to its result; streamed, its pieces join."""
    whole = client.chat.completions.create(model="sim/echo", messages=HELLO, tools=TOOLS)
    calls = whole.choices[0].message.tool_calls
    assert whole.choices[0].finish_reason == "tool_calls"
    assert calls is not None
    assert calls[0].type == "function"
    result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": calls[0].id, "content": "Rain."}
    last = client.chat.completions.create(model="sim/echo", messages=[*HELLO, result], tools=TOOLS)
    assert last.choices[0].message.content == "Hello there, big world."
    with client.chat.completions.stream(model="sim/echo", messages=HELLO, tools=TOOLS) as stream:
        joined = stream.get_final_completion().choices[0].message.tool_calls
    assert joined is not None
    assert joined[0].function.name == "weather"
    assert joined[0].function.arguments == calls[0].function.arguments


def test_structured_output_is_parsed(client: OpenAI) -> None:
    """`parse` gives an object of the class, in chat, in a stream, and in responses."""
    whole = client.chat.completions.parse(model="sim/echo", messages=HELLO, response_format=City)
    assert isinstance(whole.choices[0].message.parsed, City)
    with client.chat.completions.stream(model="sim/echo", messages=HELLO, response_format=City) as stream:
        parsed = stream.get_final_completion().choices[0].message.parsed
    assert parsed == whole.choices[0].message.parsed
    response = client.responses.parse(model="sim/echo", input="A city.", text_format=City)
    assert isinstance(response.output_parsed, City)


def test_embeddings_as_floats_and_base64(client: OpenAI) -> None:
    """The SDK asks for base64 by itself; asked for floats, the numbers are the same."""
    packed = client.embeddings.create(model="sim/embed", input=["one", "two"])
    floats = client.embeddings.create(model="sim/embed", input=["one", "two"], encoding_format="float")
    assert len(packed.data) == 2
    assert packed.data[0].embedding == pytest.approx(floats.data[0].embedding, abs=1e-6)
    raw = client.embeddings.create(model="sim/embed", input="one", encoding_format="base64")
    vector: object = raw.data[0].embedding
    if isinstance(vector, str):
        vector = list(struct.unpack(f"<{len(base64.b64decode(vector)) // 4}f", base64.b64decode(vector)))
    assert vector == pytest.approx(packed.data[0].embedding, abs=1e-6)
    assert packed.usage.prompt_tokens > 0


def test_responses_whole_and_streamed(client: OpenAI, gateway: GatewayThread, settled: Settled) -> None:
    """The stream's last event holds what the plain call returns, and its usage is counted."""
    whole = client.responses.create(model="sim/tokens-9", input="Say something.")
    raw = client.responses.with_raw_response.create(model="sim/tokens-9", input="Say something.", stream=True)
    events = list(raw.parse())
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response == whole
    assert whole.usage is not None
    settlement = settled(gateway, raw.headers["x-penstock-request-id"])
    assert settlement.attempts[0].usage.output_tokens == whole.usage.output_tokens
    assert (settlement.outcome, settlement.attempts[0].finish_reason) == ("ok", "completed")
    with client.responses.stream(model="sim/tokens-9", input="Say something.") as stream:
        assert stream.get_final_response().output_text == whole.output_text


def test_legacy_completions(client: OpenAI) -> None:
    """Prompts are answered, whole and streamed."""
    answer = client.completions.create(model="sim/tokens-9", prompt=["a", "b"])
    assert len(answer.choices) == 2
    stream = client.completions.create(model="sim/echo", prompt="so it goes", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "so it goes"


def test_moderations_and_images(
    client: OpenAI, direct: OpenAI, gateway: GatewayThread, settled: Settled
) -> None:
    """Verdicts and pictures are the provider's; pictures are counted."""
    verdict = client.moderations.create(model="sim/moderate", input=["violence", "flowers"])
    assert [result.flagged for result in verdict.results] == [True, False]
    raw = client.images.with_raw_response.generate(model="sim/picture", prompt="A red door", n=2)
    assert raw.parse() == direct.images.generate(model="picture", prompt="A red door", n=2)
    facts = settled(gateway, raw.headers["x-penstock-request-id"]).attempts[0]
    assert facts.usage.images == 2
    picture = ("door.png", b"\x89PNG\r\n\x1a\n", "image/png")
    edited = client.images.edit(model="sim/picture", prompt="A blue door", image=picture)
    assert edited.data


def test_speech_is_binary_and_transcription_a_form(client: OpenAI, direct: OpenAI) -> None:
    """Sound comes back byte for byte, whole and streamed; a form with a file goes out as it came."""
    whole = client.audio.speech.create(model="sim/say", input="Hello there", voice="alloy").content
    assert whole == direct.audio.speech.create(model="say", input="Hello there", voice="alloy").content
    assert whole.startswith(b"RIFF")
    streaming = client.audio.speech.with_streaming_response
    with streaming.create(model="sim/say", input="Hello there", voice="alloy") as answer:
        assert b"".join(answer.iter_bytes()) == whole
    file = ("talk.wav", whole, "audio/wav")
    heard = client.audio.transcriptions.create(model="sim/hear", file=file)
    assert heard.text == direct.audio.transcriptions.create(model="hear", file=file).text
    text = client.audio.transcriptions.create(model="sim/hear", file=file, response_format="text")
    assert text.strip() == heard.text.strip()
    stream = client.audio.transcriptions.create(model="sim/hear", file=file, stream=True)
    events = list(stream)
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == heard.text
    with pytest.deprecated_call():
        assert client.audio.translations.create(model="sim/hear", file=file).text  # pyright: ignore[reportDeprecated]


def test_models_are_listed_and_found(client: OpenAI) -> None:
    """Routes are listed, and each listed name can be asked for."""
    listed = [model.id for model in client.models.list()]
    assert "chat" in listed
    assert client.models.retrieve("chat").id == "chat"


def test_the_asynchronous_client(gateway: GatewayThread) -> None:
    """Ten streams at once, each with its own text."""

    async def ask(sdk: AsyncOpenAI, number: int) -> str:
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": f"number {number}"}]
        stream = await sdk.chat.completions.create(model="sim/echo", messages=messages, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    async def run() -> list[str]:
        async with AsyncOpenAI(base_url=gateway.url + "/v1", api_key=KEY, max_retries=0) as sdk:
            return await asyncio.gather(*[ask(sdk, number) for number in range(10)])

    assert asyncio.run(run()) == [f"number {number}" for number in range(10)]
