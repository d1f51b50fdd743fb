"""Recorded answers of real vendors through the gateway, each as the kind of provider that it came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply
from penstock.core.parts import Text, ToolCall
from penstock.core.usage import Usage
from penstock.providers.registry import chat_provider
from penstock.providers.vendors import VENDORS
from penstock.upstream.framing import framer, opened
from tests.providers.conftest import House
from tests.translation.recordings import Exchange, exchanges
from tests.translation.upstream import Answer

MOST = 20
_TYPES = {
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
    "aws": "application/vnd.amazon.eventstream",
}


@dataclass(frozen=True)
class Source:
    """Which recordings are a vendor's: by the recorder's name, API and path."""

    provider: str
    apis: tuple[str, ...] = ("openai.chat",)
    has: Callable[[Exchange], bool] = lambda _exchange: True


def _under(path: str) -> Callable[[Exchange], bool]:
    return lambda each: each.path.startswith(path)


def _claude(each: Exchange) -> bool:
    request: Any = each.request
    return request is not None and "anthropic_version" in request


_GEMINI = ("gemini.generateContent", "gemini.streamGenerateContent")
SOURCES = {
    "openai": Source("openai"),
    "azure": Source("azure_openai", has=_under("/openai/v1/")),
    "azure-deployments": Source("azure_openai", has=_under("/openai/deployments/")),
    "azure-foundry-models": Source("azure_openai", has=_under("/models/")),
    "anthropic": Source("anthropic", ("anthropic.messages",)),
    "google": Source("gemini", _GEMINI),
    "vertex": Source("vertex", _GEMINI),
    "vertex-anthropic": Source("vertex", ("anthropic.messages",)),
    "bedrock": Source("bedrock", ("bedrock.converse", "bedrock.converse_stream")),
    "bedrock-anthropic": Source("bedrock", ("bedrock.invoke", "bedrock.invoke_stream"), _claude),
    "bedrock-mantle": Source("bedrock_mantle"),
    "mistral": Source("mistral", ("mistral.chat",)),
    "cohere": Source("cohere", ("cohere.chat_v2",)),
    "ollama": Source("ollama", ("ollama.chat",)),
    "ollama-cloud": Source("ollama_cloud"),
    "vercel": Source("vercel_gateway"),
} | {
    kind: Source(kind)
    for kind in (
        "deepseek", "xai", "groq", "cerebras", "together", "openrouter", "perplexity", "huggingface", "zai",
        "moonshot", "alibaba", "cloudflare", "databricks",
    )
}  # fmt: skip


def _of(source: Source) -> list[Exchange]:
    """A vendor's recordings, without what the makers of a client wrote for its tests."""
    return [
        each
        for each in exchanges(*source.apis)
        if each.provider == source.provider and source.has(each) and "vendor_mock_fixture" not in each.notes
    ]


def _chosen(source: Source) -> list[Exchange]:
    """At most `MOST`, streams and whole answers by turns."""
    mine = [each for each in _of(source) if each.status == 200]
    streams = [each for each in mine if each.streaming]
    wholes = [each for each in mine if not each.streaming]
    turns = [pair for index in range(MOST) for pair in (streams[index : index + 1] + wholes[index : index + 1])]
    return turns[:MOST]


def _reply(api: str, each: Exchange) -> ChatReply | None:
    """What the recording says; None for a stream that was recorded without its framing."""
    provider = chat_provider(api)
    if not each.streaming:
        return provider.decode_reply(json.loads(each.body))
    cutter, decoder = framer(provider.framing), provider.stream()
    wire = cutter.feed(
        each.body + (b"\n\n" if provider.framing == "sse" else b"\n" if provider.framing == "ndjson" else b"")
    )
    read = [opened(provider.framing, event) for event in wire]
    events = [event for name, data in read if data for event in decoder.read(name, data).events]
    return assemble(events) if events else None


def _said(reply: ChatReply) -> list[Any]:
    """The text and the calls of each answer."""
    said: list[Any] = []
    for choice in reply.choices:
        text = "".join([part.text for part in choice.parts if isinstance(part, Text)])
        calls = [(part.name, _json(part.arguments)) for part in choice.parts if isinstance(part, ToolCall)]
        said.append((text, calls))
    return said


def _json(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def _wish(kind: str, each: Exchange) -> dict[str, Any]:
    wish: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
    if each.api == "openai.chat" and each.as_sent:
        wish = {name: value for name, value in each.request.items() if name != "n"}
    return {**wish, "model": f"to-{kind}", "stream": each.streaming}


def test_what_counts_as_recorded_is_replayed() -> None:
    """A row says `recorded` where its recordings are replayed here, and nowhere else."""
    recorded = {row.kind for row in VENDORS.values() if row.evidence == "recorded" and row.api}
    assert recorded == set(SOURCES)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_a_row_says_was_seen_is_in_its_recordings(kind: str) -> None:
    """The table of providers claims no feature for a vendor's recordings that none of them has."""
    row, source = VENDORS[kind], SOURCES[kind]
    found = {"errors"} if any(each.status >= 400 for each in _of(source)) else set[str]()
    for each in _of(source):
        reply = _reply(row.api, each) if each.status == 200 else None
        if reply is not None:
            found.add("stream" if each.streaming else "chat")
            found |= {"tools"} if any(calls for _, calls in _said(reply)) else set[str]()
    assert set(row.seen) <= found


@pytest.mark.parametrize("kind", SOURCES)
def test_recorded_answers(house: House, kind: str) -> None:
    """Text, calls and usage of up to twenty recordings reach a client of OpenAI's API and the ledger."""
    row, source = VENDORS[kind], SOURCES[kind]
    chosen = _chosen(source)
    wrong: list[str] = []
    for each in chosen:
        reply = _reply(row.api, each)
        if reply is None:
            continue
        framing = chat_provider(row.api).framing if each.streaming else ""
        house.upstream.answer = Answer(raw=each.body, content_type=_TYPES.get(framing, "application/json"))
        told = house.post("/v1/chat/completions", _wish(kind, each))
        if told.status != 200:
            wrong.append(f"{each.id}: {told.status} {told.text[:200]}")
            continue
        got = _reply("openai.chat", _as_chat(each, told.raw))
        assert got is not None
        if _said(got) != _said(reply):
            wrong.append(f"{each.id}: {_said(got)} is not {_said(reply)}")
        (attempt,) = house.settled(told).attempts
        usage = reply.usage.counts if reply.usage is not None else None
        if usage is not None and _tokens(attempt.usage) != _tokens(usage):
            wrong.append(f"{each.id}: {_tokens(attempt.usage)} is not {_tokens(usage)}")
    assert chosen
    assert not wrong, "\n".join(wrong)


def _as_chat(each: Exchange, body: bytes) -> Exchange:
    return Exchange(each.id, "", "openai.chat", "", "", None, each.streaming, 200, {}, body, None)


def _tokens(usage: Usage) -> tuple[int, ...]:
    return usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens
