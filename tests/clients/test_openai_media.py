"""The unmodified `openai` package, through the gateway: pictures, sound, verdicts and the older endpoints."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.responses import FunctionToolParam

from penstock.core.exchange import AttemptFacts, ExchangeSettled
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

Settled = Callable[[GatewayThread, str], ExchangeSettled]
PICTURE = ("door.png", b"\x89PNG\r\n\x1a\n", "image/png")
TALK = ("talk.wav", b"RIFF" + bytes(40_000), "audio/wav")
WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Ranked(openai.BaseModel):
    """One document's place."""

    index: int
    relevance_score: float


class Reranked(openai.BaseModel):
    """A rerank answer: Cohere's clients read `meta`, Jina's `usage`."""

    results: list[Ranked]
    meta: dict[str, Any]
    usage: dict[str, int]


@pytest.fixture
def direct(simulator: SimulatorThread, connect: Callable[..., OpenAI]) -> OpenAI:
    """The SDK without a gateway in between."""
    return connect(simulator.url)


@pytest.fixture
def facts(gateway: GatewayThread, settled: Settled) -> Callable[[Any], AttemptFacts]:
    """The attempt that was settled for a raw response."""
    return lambda raw: settled(gateway, raw.headers["x-penstock-request-id"]).attempts[0]


Facts = Callable[[Any], AttemptFacts]


def test_a_picture_comes_in_sketches(client: OpenAI, direct: OpenAI, facts: Facts) -> None:
    """Partial images and pictures pass event for event; pictures and their tokens are counted."""
    raw = client.images.with_raw_response.generate(
        model="sim/picture", prompt="A red door", n=2, stream=True, partial_images=2
    )
    events = list(raw.parse())
    assert events == list(
        direct.images.generate(model="picture", prompt="A red door", n=2, stream=True, partial_images=2)
    )
    assert [event.type.rpartition(".")[2] for event in events] == [
        *("partial_image", "partial_image", "completed"),
        *("partial_image", "partial_image", "completed"),
    ]
    assert base64.b64decode(events[-1].b64_json).startswith(b"\x89PNG")
    usage = facts(raw).usage
    whole = client.images.with_raw_response.generate(model="sim/picture", prompt="A red door", n=2)
    assert usage == facts(whole).usage
    assert (usage.images, usage.image_output_tokens) == (2, usage.output_tokens)
    assert facts(raw).usage_source == "reported"


def test_a_picture_is_edited_and_varied(client: OpenAI, direct: OpenAI, facts: Facts) -> None:
    """Forms with several files, a mask and numbers go out as they came; streamed, too."""
    files = [PICTURE, PICTURE]
    raw = client.images.with_raw_response.edit(
        model="sim/picture", prompt="A blue door", image=files, mask=PICTURE, n=2
    )
    assert raw.parse() == direct.images.edit(model="picture", prompt="A blue door", image=files, n=2)
    assert facts(raw).usage.images == 2
    streamed = client.images.with_raw_response.edit(
        model="sim/picture", prompt="A blue door", image=PICTURE, stream=True, partial_images=1
    )
    events = list(streamed.parse())
    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]
    assert facts(streamed).usage.images == 1
    with pytest.deprecated_call():
        varied = client.images.create_variation(model="sim/picture", image=PICTURE, n=3)  # pyright: ignore[reportDeprecated]
    assert len(varied.data or ()) == 3


def test_speech_comes_as_sound_or_as_events(client: OpenAI, direct: OpenAI, facts: Facts) -> None:
    """The events' pieces join to the sound; only they tell the usage."""
    whole = client.audio.speech.with_raw_response.create(model="sim/say", input="Hello there", voice="alloy")
    sound = whole.http_response.content
    assert whole.headers["content-type"] == "audio/wav"
    assert facts(whole).usage_source == "estimated"
    raw = client.audio.speech.with_raw_response.create(
        model="sim/say", input="Hello there", voice="alloy", stream_format="sse"
    )
    text = raw.http_response.text
    told = direct.audio.speech.create(model="say", input="Hello there", voice="alloy", stream_format="sse")
    assert text == told.text
    pieces = [line.split('"audio":"')[1].rstrip('"}') for line in text.splitlines() if '"audio":"' in line]
    assert b"".join(base64.b64decode(piece) for piece in pieces) == sound
    assert (facts(raw).usage_source, facts(raw).usage.output_tokens) == ("reported", 2)
    pcm = client.audio.speech.create(model="sim/say", input="Hello there", voice="alloy", response_format="pcm")
    assert sound.endswith(pcm.content)


@pytest.mark.parametrize("shape", ["json", "verbose_json", "text", "srt", "vtt"])
def test_a_transcription_in_every_shape(client: OpenAI, direct: OpenAI, shape: str) -> None:
    """JSON is parsed, plain text stays what it is."""

    def heard(sdk: Any, model: str) -> object:
        return sdk.audio.transcriptions.create(model=model, file=TALK, response_format=shape)

    assert heard(client, "sim/hear") == heard(direct, "hear")


def test_a_transcription_is_streamed_and_counted(client: OpenAI, facts: Facts) -> None:
    """Its words come one by one, and the seconds of sound are in the ledger."""
    raw = client.audio.transcriptions.with_raw_response.create(model="sim/hear", file=TALK, stream=True)
    events = list(raw.parse())
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert events[-1].type == "transcript.text.done"
    assert "".join(deltas) == events[-1].text
    assert (facts(raw).usage.audio_ms, facts(raw).usage_source) == (3_000, "reported")
    whole = client.audio.transcriptions.with_raw_response.create(model="sim/hear", file=TALK)
    assert whole.parse().text == events[-1].text
    assert facts(whole).usage.audio_ms == 3_000


def test_moderation_of_texts_and_of_parts(client: OpenAI, direct: OpenAI, facts: Facts) -> None:
    """One verdict a text, one for all parts of a message, and each request counts once."""
    raw = client.moderations.with_raw_response.create(
        model="sim/moderate", input=[{"type": "text", "text": "some violence"}]
    )
    assert [result.categories.violence for result in raw.parse().results] == [True]
    assert facts(raw).usage.requests == 1
    texts = ["harassment", "flowers"]
    assert client.moderations.create(model="sim/moderate", input=texts).results == (
        direct.moderations.create(model="moderate", input=texts).results
    )


def test_rerank_by_the_sdks_own_post(client: OpenAI, direct: OpenAI, gateway: GatewayThread) -> None:
    """The package has no method for it; its `post` sends what Cohere's and Jina's clients send."""
    body = {"model": "rank", "query": "red door", "documents": ["a cat", "the red door"], "top_n": 1}
    found = client.post("/rerank", cast_to=Reranked, body=body | {"model": "sim/rank"})
    assert found == direct.post("/rerank", cast_to=Reranked, body=body)
    assert [result.index for result in found.results] == [1]
    assert found.meta["billed_units"] == {"search_units": 1}
    last = [each for each in gateway.exchanges() if each.request.endpoint == "rerank"][-1].attempts[0]
    assert (last.usage_source, last.usage.input_tokens) == ("reported", found.usage["prompt_tokens"])


def test_responses_with_tools_and_memory(client: OpenAI, direct: OpenAI) -> None:
    """A function call streams in pieces that join; fields that the gateway does not know come back."""
    whole = client.responses.create(
        model="sim/echo", input="Weather?", tools=[WEATHER], metadata={"feature": "sky"}, store=False
    )
    call = whole.output[0]
    assert call.type == "function_call"
    assert whole == direct.responses.create(
        model="echo", input="Weather?", tools=[WEATHER], metadata={"feature": "sky"}, store=False
    )
    events = list(client.responses.create(model="sim/echo", input="Weather?", tools=[WEATHER], stream=True))
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(pieces) == call.arguments
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}
    question: Any = {"role": "user", "content": "Weather?"}
    last = client.responses.create(model="sim/echo", input=[question, result], tools=[WEATHER])
    assert last.output_text == "Weather?"
    capped = client.responses.create(model="sim/tokens-50", input="Go on.", max_output_tokens=5)
    assert (capped.status, capped.usage and capped.usage.output_tokens) == ("incomplete", 5)


@pytest.mark.parametrize("asks", [True, False])
def test_completions_in_number_and_streamed(client: OpenAI, facts: Facts, *, asks: bool) -> None:
    """Several of each prompt, with the prompt before them; a stream tells its usage to who asked for it."""
    answer = client.completions.create(model="sim/tokens-3", prompt=["a", "b"], n=2, echo=True, max_tokens=3)
    assert [choice.text[0] for choice in answer.choices] == ["a", "a", "b", "b"]
    raw = client.completions.with_raw_response.create(
        model="sim/tokens-9", prompt="so", stream=True, stream_options={"include_usage": asks}
    )
    chunks = list(raw.parse())
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [asks]
    assert (facts(raw).usage.output_tokens, facts(raw).usage_source) == (9, "reported")


def test_a_form_that_the_provider_refuses_tells_why(client: OpenAI) -> None:
    """The provider's own words about a bad value reach the SDK's exception."""
    with pytest.raises(openai.BadRequestError, match="must be 1 to 10") as caught:
        client.images.edit(model="sim/picture", prompt="Doors", image=PICTURE, n=99)
    assert caught.value.request_id
