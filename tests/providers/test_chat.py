"""Each vendor of chat: what reaches it, and what a client gets of its answers, its errors and its bill."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.usage import Usage
from penstock.providers.vendors import VENDORS, Vendor
from tests.providers.conftest import PRICE, House, base_path, credential_of, secret_of
from tests.providers.forms import form_of
from tests.providers.forms.form import (
    CACHED,
    CALL_ARGUMENTS,
    CALL_NAME,
    INPUT,
    MODEL,
    OUTPUT,
    TEXT,
    Form,
    found,
)

_HELLO = [{"role": "user", "content": "Hello"}]
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
_TOOL = {
    "type": "function",
    "function": {"name": CALL_NAME, "description": "The weather.", "parameters": _SCHEMA},
}
_ROWS = [row for row in VENDORS.values() if row.api and row.kind != "simulator"]
# The others are asked in Anthropic's API, although chats of OpenAI's clients reach them in OpenAI's.
_TRANSLATED = [row for row in _ROWS if row.api == "anthropic" or "anthropic" not in row.speaks]
every_vendor = pytest.mark.parametrize("row", _ROWS, ids=[row.kind for row in _ROWS])


def _url(row: Vendor, form: Form, *, stream: bool) -> str:
    path = base_path(row).replace("{model}", MODEL) + form.path(stream)
    return f"{path}{'&' if '?' in path else '?'}{row.query}" if row.query else path


def _counts(form: Form) -> Usage:
    cached = CACHED if form.caches else 0
    return Usage(input_tokens=INPUT, output_tokens=OUTPUT, cache_read_tokens=cached, requests=1)


def _cost(usage: Usage) -> int:
    rest = usage.input_tokens - usage.cache_read_tokens
    parts = (
        rest * PRICE["input"],
        usage.cache_read_tokens * PRICE["cache_read"],
        usage.output_tokens * PRICE["output"],
    )
    return sum(parts) * 1000


def _chunks(text: str) -> list[Any]:
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


@every_vendor
def test_chat(house: House, row: Vendor) -> None:
    """The request arrives at the vendor's path with its credential and model; text and reason come back."""
    form = form_of(row)
    house.upstream.answer = form.text
    told = house.post("/v1/chat/completions", {"model": f"to-{row.kind}", "messages": _HELLO})
    assert told.status == 200, told.text
    choice = told.json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("".join(TEXT), "stop")
    asked = house.one_asked()
    assert asked.path == _url(row, form, stream=False)
    name, value = credential_of(row)
    assert asked.headers[name] == value
    assert [header for header, text in asked.headers.items() if secret_of(row.kind) in text] == [name]
    assert all(asked.headers[header] == text for header, text in row.headers)
    if form.names_model:
        assert asked.body["model"] == MODEL
    else:
        assert "model" not in asked.body
    assert found(asked.body, form.cap) > 0, "a hard budget stands on a bound that the vendor must be told"


@every_vendor
def test_usage(house: House, row: Vendor) -> None:
    """What the vendor reports is what the ledger holds, to the token, and what the client is told."""
    form = form_of(row)
    usage = _counts(form)
    for stream in (False, True):
        house.upstream.answer = form.text_stream if stream else form.text
        wish: dict[str, Any] = {"model": f"to-{row.kind}", "messages": _HELLO, "stream": stream}
        if stream:
            wish["stream_options"] = {"include_usage": True}
        told = house.post("/v1/chat/completions", wish)
        (attempt,) = house.settled(told).attempts
        assert (attempt.usage, attempt.usage_source) == (usage, "reported")
        assert attempt.cost_nanousd == _cost(usage)
        bodies = _chunks(told.text) if stream else [told.json()]
        (said,) = {json.dumps(body["usage"]) for body in bodies if body.get("usage")}
        assert json.loads(said)["prompt_tokens"] == INPUT
        assert json.loads(said)["completion_tokens"] == OUTPUT


@every_vendor
def test_stream(house: House, row: Vendor) -> None:
    """Text comes in pieces to the end mark, and usage that the client did not ask for is counted, not shown."""
    form = form_of(row)
    house.upstream.answer = form.text_stream
    told = house.post("/v1/chat/completions", {"model": f"to-{row.kind}", "messages": _HELLO, "stream": True})
    assert told.headers["content-type"].startswith("text/event-stream"), told.text
    chunks = _chunks(told.text)
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    assert "".join([choice["delta"].get("content") or "" for choice in choices]) == "".join(TEXT)
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["stop"]
    asked = house.one_asked()
    assert asked.path == _url(row, form, stream=True)
    asks = {"include_usage": True} if row.api == "openai.chat" and row.stream_usage else None
    assert asked.body.get("stream_options") == asks
    if asks:
        assert not any(chunk.get("usage") for chunk in chunks if not chunk["choices"])
    (attempt,) = house.settled(told).attempts
    assert (attempt.usage, attempt.finish_reason) == (_counts(form), "stop")


@every_vendor
def test_tools(house: House, row: Vendor) -> None:
    """A tool is described in the vendor's words, and its call comes back in the client's, streamed or not."""
    form = form_of(row)
    wish = {"model": f"to-{row.kind}", "messages": _HELLO, "tools": [_TOOL]}
    house.upstream.answer = form.call
    told = house.post("/v1/chat/completions", wish)
    assert told.status == 200, told.text
    assert found(house.one_asked().body, form.tool) == CALL_NAME
    choice = told.json()["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("function", CALL_NAME)
    assert call["id"]
    assert json.loads(call["function"]["arguments"]) == json.loads("".join(CALL_ARGUMENTS))
    assert choice["finish_reason"] == "tool_calls"

    house.upstream.answer = form.call_stream
    told = house.post("/v1/chat/completions", {**wish, "stream": True})
    choices = [chunk["choices"][0] for chunk in _chunks(told.text) if chunk["choices"]]
    pieces = [piece for choice in choices for piece in choice["delta"].get("tool_calls") or ()]
    assert {piece["index"] for piece in pieces} == {0}
    assert [piece["function"]["name"] for piece in pieces if piece["function"].get("name")] == [CALL_NAME]
    arguments = "".join([piece["function"].get("arguments") or "" for piece in pieces])
    assert json.loads(arguments) == json.loads("".join(CALL_ARGUMENTS))
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["tool_calls"]


@pytest.mark.parametrize("row", _TRANSLATED, ids=[row.kind for row in _TRANSLATED])
def test_another_dialects_client(house: House, row: Vendor) -> None:
    """A client of Anthropic's API is answered, with the output bound where this vendor's profile has it."""
    form = form_of(row)
    wish = {"model": f"to-{row.kind}", "max_tokens": 77, "messages": _HELLO}
    house.upstream.answer = form.text
    told = house.post("/v1/messages", wish)
    assert told.status == 200, told.text
    assert "".join([block["text"] for block in told.json()["content"]]) == "".join(TEXT)
    asked = house.one_asked()
    assert (asked.path, found(asked.body, form.cap)) == (_url(row, form, stream=False), 77)

    house.upstream.answer = form.text_stream
    told = house.post("/v1/messages", {**wish, "stream": True})
    assert '"message_stop"' in told.text, told.text
    asks = {"include_usage": True} if row.api == "openai.chat" and row.stream_usage else None
    assert house.one_asked().body.get("stream_options") == asks
    (attempt,) = house.settled(told).attempts
    assert attempt.usage == _counts(form)


@every_vendor
def test_errors(house: House, row: Vendor) -> None:
    """The vendor's sentence reaches the client with its status, and a full house is a 429 that says when."""
    form = form_of(row)
    wish = {"model": f"to-{row.kind}", "messages": _HELLO}
    house.upstream.answer = form.refusal(400, "temperature is out of range")
    told = house.post("/v1/chat/completions", wish)
    assert told.status == 400
    assert "temperature is out of range" in told.text
    limited = form.refusal(429, "too many requests")
    limited.headers["retry-after"] = "7"
    house.upstream.answer = limited
    told = house.post("/v1/chat/completions", wish)
    assert (told.status, told.headers["retry-after"]) == (429, "7")
    assert told.json()["error"]["code"] == "upstream_rate_limited"
    assert "too many requests" in told.json()["error"]["message"]
    (attempt,) = house.settled(told).attempts
    assert (attempt.cause, attempt.outcome) == ("status_429", "error")


@every_vendor
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_wrong_key(house: House, row: Vendor, stream: bool) -> None:
    """That our key is wrong is our fault, not the client's: a 502, in which the key is not to be read."""
    secret = secret_of(row.kind)
    house.upstream.answer = form_of(row).wrong_key(secret)
    told = house.post("/v1/chat/completions", {"model": f"to-{row.kind}", "messages": _HELLO, "stream": stream})
    assert (told.status, told.json()["error"]["code"]) == (502, "upstream_auth"), told.text
    settled = house.settled(told)
    for text in (told.text, str(told.headers), repr(settled)):
        assert secret not in text
