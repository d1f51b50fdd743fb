"""The unmodified `openai` package, through the gateway to a model server that nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from penstock.core.exchange import ExchangeSettled
from penstock.testing.gateway import GatewayThread
from tests.clients.llama import CALLS_A_TOOL, CONTEXT, LlamaServer
from tests.clients.plain import send

MODEL = "llama/tiny-random"
KEY = "sk-test-gateway"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there, big world."}]
TOOLS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"unit": {"type": "string", "enum": ["c", "f"]}},
                "required": ["unit"],
                "additionalProperties": False,
            },
        },
    }
]
Settled = Callable[[GatewayThread, str], ExchangeSettled]


class Weather(BaseModel):
    """A structured output."""

    unit: Literal["c", "f"]


def test_a_chat_whole_and_streamed(
    llama_client: OpenAI, llama_gateway: GatewayThread, settled: Settled
) -> None:
    """The streamed pieces join to the whole text; what it reports is what is written down."""
    raw = llama_client.chat.completions.with_raw_response.create(
        model=MODEL, messages=HELLO, max_tokens=20, temperature=0, seed=1
    )
    whole = raw.parse()
    assert whole.usage is not None
    facts = settled(llama_gateway, raw.headers["x-penstock-request-id"]).attempts[0]
    assert facts.usage.input_tokens == whole.usage.prompt_tokens
    assert facts.usage.output_tokens == whole.usage.completion_tokens
    assert facts.finish_reason == whole.choices[0].finish_reason
    assert (whole.model_extra or {})["timings"]
    stream = llama_client.chat.completions.create(
        model=MODEL, messages=HELLO, max_tokens=20, temperature=0, seed=1, stream=True
    )
    pieces = [choice.delta.content or "" for chunk in stream for choice in chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content


def test_a_tool_call_whole_and_streamed(llama_client: OpenAI) -> None:
    """The model's own grammar makes valid arguments; streamed, they join to the same kind of call."""
    whole = llama_client.chat.completions.create(
        model=MODEL, messages=HELLO, tools=TOOLS, max_tokens=150, temperature=0, logit_bias=CALLS_A_TOOL
    )
    calls = whole.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert json.loads(calls[0].function.arguments)["unit"] in {"c", "f"}
    stream = llama_client.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        tools=TOOLS,
        max_tokens=150,
        temperature=0,
        logit_bias=CALLS_A_TOOL,
        stream=True,
    )
    pieces = [
        call.function.arguments or ""
        for chunk in stream
        for call in chunk.choices[0].delta.tool_calls or ()
        if call.index == 0 and call.function is not None
    ]
    assert json.loads("".join(pieces))["unit"] in {"c", "f"}


def test_a_schema_is_obeyed_and_parsed(llama_client: OpenAI) -> None:
    """`parse` gives an object of the class, made under a grammar from its schema."""
    answer = llama_client.chat.completions.parse(
        model=MODEL, messages=HELLO, response_format=Weather, max_tokens=100
    )
    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_responses_whole_and_streamed(
    llama_client: OpenAI, llama_gateway: GatewayThread, settled: Settled
) -> None:
    """The other API of the same server: events end in the whole answer, with its usage."""
    whole = llama_client.responses.create(model=MODEL, input="Hello", max_output_tokens=12, temperature=0)
    raw = llama_client.responses.with_raw_response.create(
        model=MODEL, input="Hello", max_output_tokens=12, temperature=0, stream=True
    )
    last = list(raw.parse())[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == whole.output_text
    usage = last.response.usage
    assert usage is not None
    facts = settled(llama_gateway, raw.headers["x-penstock-request-id"]).attempts[0]
    assert (facts.usage.input_tokens, facts.usage.output_tokens) == (usage.input_tokens, usage.output_tokens)


def test_embeddings(llama_client: OpenAI) -> None:
    """Vectors of the model's width, equal as base64 and as numbers."""
    packed = llama_client.embeddings.create(model=MODEL, input=["one", "two"])
    floats = llama_client.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
    assert [len(each.embedding) for each in packed.data] == [64, 64]
    assert packed.data[1].embedding == pytest.approx(floats.data[1].embedding, abs=1e-5)


def test_its_errors_keep_their_words(llama_client: OpenAI) -> None:
    """Too long a prompt is the request's fault: a 400 with the server's own type and numbers."""
    long: list[ChatCompletionMessageParam] = [{"role": "user", "content": "word " * CONTEXT}]
    with pytest.raises(openai.BadRequestError) as raised:
        llama_client.chat.completions.create(model=MODEL, messages=long)
    assert raised.value.type == "exceed_context_size_error"
    assert "n_ctx" in str(raised.value.body)
    assert raised.value.request_id


def test_our_wrong_credential_is_not_the_clients(llama: LlamaServer) -> None:
    """The server's numeric 401 becomes a 502 that names the deployment, and never the credential."""
    config = f"""
version: 1
providers:
  llama: {{kind: openai, base_url: "{llama.url}/v1", api_key: sk-a-wrong-key-1234}}
keys:
  - {{name: dev, secret: {KEY}, direct: true}}
"""
    with GatewayThread(config) as gateway:
        body = {"model": MODEL, "messages": HELLO}
        answer = send(gateway.url + "/v1/chat/completions", body, KEY)
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_auth")
    assert MODEL in answer.json["error"]["message"]
    assert b"sk-a-wrong-key-1234" not in answer.body
