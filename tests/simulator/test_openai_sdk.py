"""The unmodified OpenAI SDK understands every answer."""

from __future__ import annotations

import base64
import io
import json
import struct
import wave

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from penstock.simulator import Settings
from penstock.testing.simulator import SimulatorThread

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there, big world."}]
WEATHER: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 5}},
                "required": ["city", "days"],
            },
        },
    }
    for name in ("weather", "tides")
]


def test_chat_echoes_with_usage(client: openai.OpenAI) -> None:
    """The plainest call: text, finish reason, counts that add up."""
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content == "Hello there, big world."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens == 14


async def _streamed(url: str) -> list[str]:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as sdk:
        stream = await sdk.chat.completions.create(model="tokens-20", messages=HELLO, stream=True)
        return [chunk.choices[0].delta.content or "" async for chunk in stream]


def test_the_asynchronous_client_streams(simulator: SimulatorThread) -> None:
    """Twenty tokens arrive as twenty deltas, between the role's and the finish reason's."""
    import asyncio  # noqa: PLC0415 - only this test runs a loop of its own

    pieces = asyncio.run(_streamed(simulator.url))
    assert len(pieces) == 22
    assert all(pieces[1:-1])


def test_several_choices_differ(client: openai.OpenAI) -> None:
    """`n` gives that many, each with its index and words."""
    answer = client.chat.completions.create(model="tokens-9", messages=HELLO, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) == 3


def test_a_loop_of_tool_calls_ends(client: openai.OpenAI) -> None:
    """Tools on offer are called with arguments that fit; their result gets an answer in words."""
    first = client.chat.completions.create(model="echo", messages=HELLO, tools=WEATHER)
    calls = first.choices[0].message.tool_calls
    assert first.choices[0].finish_reason == "tool_calls"
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.name == "weather"
    assert set(json.loads(calls[0].function.arguments)) == {"city", "days"}
    result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": calls[0].id, "content": "Rain."}
    last = client.chat.completions.create(model="echo", messages=[*HELLO, result], tools=WEATHER)
    assert last.choices[0].message.content == "Hello there, big world."


def test_streamed_parallel_tool_calls_join_to_json(client: openai.OpenAI) -> None:
    """Each call starts with its id and name; the pieces of its arguments join to valid JSON."""
    stream = client.chat.completions.create(model="tool-calls-2", messages=HELLO, tools=WEATHER, stream=True)
    names: dict[int, str] = {}
    texts: dict[int, str] = {}
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            if call.id:
                names[call.index] = call.function.name or ""
            texts[call.index] = texts.get(call.index, "") + (call.function.arguments or "")
    assert names == {0: "weather", 1: "tides"}
    assert all(json.loads(text)["days"] <= 5 for text in texts.values())


def test_structured_output_parses(client: openai.OpenAI) -> None:
    """`response_format` with a schema gives JSON that has what the schema requires."""
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="echo",
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": {"name": "p", "schema": schema}},
    )
    person = json.loads(answer.choices[0].message.content or "")
    assert person["age"] >= 18
    anything = client.chat.completions.create(
        model="echo", messages=HELLO, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(anything.choices[0].message.content or ""), dict)


def test_reasoning_and_cached_tokens_are_reported(client: openai.OpenAI) -> None:
    """The details of the usage say what the name asked for."""
    answer = client.chat.completions.create(model="reasoning-5+cached-3", messages=HELLO)
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 5
    assert answer.usage.prompt_tokens_details.cached_tokens == 3
    assert (answer.choices[0].message.model_extra or {})["reasoning_content"]
    silent = client.chat.completions.create(model="no-usage", messages=HELLO)
    assert silent.usage is None


def test_legacy_completions(client: openai.OpenAI) -> None:
    """Prompts are answered, streamed and not, capped at sixteen tokens as the API does."""
    answer = client.completions.create(model="tokens-99", prompt=["a", "b"], n=2)
    assert [choice.finish_reason for choice in answer.choices] == ["length"] * 4
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 64
    stream = client.completions.create(model="echo", prompt="so it goes", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "so it goes"


def test_responses_whole_and_streamed(client: openai.OpenAI) -> None:
    """The typed events of a stream end in the object that the plain call returns."""
    whole = client.responses.create(model="tokens-25+reasoning", input="Say something.")
    events = list(client.responses.create(model="tokens-25+reasoning", input="Say something.", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response == whole
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == whole.output_text
    assert whole.usage is not None
    assert whole.usage.output_tokens_details.reasoning_tokens == 32


def test_responses_call_functions_and_report_caps(client: openai.OpenAI) -> None:
    """A function on offer is called; a cap makes the response incomplete."""
    called = client.responses.create(
        model="echo",
        input="Weather?",
        tools=[{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}],
    )
    assert called.output[0].type == "function_call"
    assert json.loads(called.output[0].arguments) == {}
    capped = client.responses.create(model="tokens-50", input="Go.", max_output_tokens=16)
    assert capped.status == "incomplete"
    assert capped.incomplete_details is not None
    assert capped.incomplete_details.reason == "max_output_tokens"


def test_embeddings_as_floats_and_base64_agree(client: openai.OpenAI) -> None:
    """The SDK asks for base64 by itself; both forms are the same vector, and like texts are alike."""
    inputs = ["the river mill", "the river mill wheel", "quantum tax law"]
    packed = client.embeddings.create(model="e", input=inputs, dimensions=64)
    floats = client.embeddings.create(model="e", input=inputs, dimensions=64, encoding_format="float")
    assert [each.embedding for each in packed.data] == [each.embedding for each in floats.data]
    raw = client.embeddings.create(model="e", input="x", encoding_format="base64").data[0].embedding
    text: object = raw
    assert isinstance(text, str)
    assert len(struct.unpack("<1536f", base64.b64decode(text))) == 1536
    mill, wheel, law = (each.embedding for each in floats.data)
    assert _dot(mill, wheel) > _dot(mill, law)
    assert _dot(mill, mill) == pytest.approx(1.0, abs=1e-5)


def _dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def test_moderations_flag_named_categories(client: openai.OpenAI) -> None:
    """A category's name in the text flags it; other texts pass."""
    results = client.moderations.create(input=["tea and cake", "much violence here"]).results
    assert [result.flagged for result in results] == [False, True]
    assert results[1].categories.violence


def test_images_and_speech_are_real_media(client: openai.OpenAI) -> None:
    """Pictures are PNGs and speech is a WAV file that Python's own reader opens."""
    images = client.images.generate(model="gpt-image-1", prompt="a mill", n=2).data or []
    assert all(base64.b64decode(each.b64_json or "").startswith(b"\x89PNG") for each in images)
    assert len(images) == 2
    edited = client.images.edit(model="gpt-image-1", prompt="b", image=io.BytesIO(b"png"))
    assert edited.data
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="a b c")
    with wave.open(io.BytesIO(speech.read())) as sound:
        assert sound.getnframes() == 1200


def test_transcriptions_take_a_form(client: openai.OpenAI) -> None:
    """A sound file is turned into words, streamed or not; plain text comes back as text."""
    sound = ("a.wav", b"RIFF" + bytes(40_000))
    answer = client.audio.transcriptions.create(model="whisper-1", file=sound)
    streamed = client.audio.transcriptions.create(model="whisper-1", file=sound, stream=True)
    assert "".join(e.delta for e in streamed if e.type == "transcript.text.delta") == answer.text
    text = client.audio.transcriptions.create(model="whisper-1", file=sound, response_format="text")
    assert text.strip() == answer.text
    verbose = client.audio.transcriptions.create(model="w", file=sound, response_format="verbose_json")
    assert verbose.duration == 3.0


def test_models_are_listed_and_found(client: openai.OpenAI) -> None:
    """The list has the examples; any name can be looked up."""
    assert "error-429" in {model.id for model in client.models.list()}
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("error-400", openai.BadRequestError),
        ("error-401", openai.AuthenticationError),
        ("error-429", openai.RateLimitError),
        ("error-500", openai.InternalServerError),
        ("error-529", openai.InternalServerError),
        ("error-first", openai.InternalServerError),
        ("refuse", openai.APIConnectionError),
        ("cut-after-3", openai.APIConnectionError),
        ("garbage", json.JSONDecodeError),
    ],
)
def test_failures_raise_the_sdk_errors(client: openai.OpenAI, model: str, error: type[Exception]) -> None:
    """Each fault is what the SDK takes it for."""
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=HELLO)
    if isinstance(caught.value, openai.RateLimitError):
        assert caught.value.response.headers["retry-after"] == "1"
        assert caught.value.code == "rate_limit_exceeded"


@pytest.mark.parametrize("model", ["error-first", "error-after-3"])
def test_an_error_in_a_stream_raises(client: openai.OpenAI, model: str) -> None:
    """The SDK reads the status 200 and then raises at the error event."""
    stream = client.chat.completions.create(model=model, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="Simulated"):
        list(stream)


def test_a_missing_key_is_refused() -> None:
    """With `api_key` set only that key is served."""
    with SimulatorThread(Settings(api_key="right")) as guarded:
        with (
            openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0) as sdk,
            pytest.raises(openai.AuthenticationError),
        ):
            sdk.models.list()
        assert guarded.counts.by_status == {"401": 1}
        with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="right", max_retries=0) as sdk:
            assert sdk.models.list().data
