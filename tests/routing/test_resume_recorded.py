"""Recorded streams of real vendors, cut at every event, for clients of every dialect.

The other model makes the recording's calls again, or says a mark. What the client then has is read back by the
same decoders that read vendors: all that was said before the cut, once and in order, then what the other model
adds, and one end; or one error at the end, and nothing of the other model.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from penstock.core.assemble import Assembler
from penstock.core.chat import ChatReply
from penstock.core.events import Broke
from penstock.core.parts import Part, Text, Thinking, ToolCall
from penstock.core.target import Target
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.dialects.paths import find
from penstock.pipeline.read_back import reply_of
from penstock.providers.registry import chat_provider
from penstock.upstream.framing import framer, opened
from tests.recorded.corpus import data_folder
from tests.routing.broken import ANTHROPIC, OPENAI, Outcome, Play, play

MARK = "⟦and so it went on⟧"
MOST_EVENTS = 60
# By the recording's API: the provider's name, and where its client asks.
APIS = {
    "openai.chat": "openai.chat",
    "anthropic.messages": "anthropic",
    "openai.responses": "openai.responses",
    "gemini.streamGenerateContent": "gemini",
    "bedrock.converse_stream": "converse",
}
TURN = [{"role": "user", "content": "Go."}]
CLIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai.chat": ("/v1/chat/completions", {"messages": TURN, "max_tokens": 4000}),
    "anthropic": ("/v1/messages", {"messages": TURN, "max_tokens": 4000}),
    "openai.responses": ("/v1/responses", {"input": "Go.", "max_output_tokens": 4000}),
    "gemini": (
        "/v1beta/models/chat:streamGenerateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Go."}]}]},
    ),
    "converse": ("/model/chat/converse-stream", {"messages": [{"role": "user", "content": [{"text": "Go."}]}]}),
}
CHAT = replace(OPENAI, speaks=frozenset({"openai.chat"}))
CONVERSE = replace(OPENAI, api="converse", speaks=frozenset({"converse"}))
RESPONSES = replace(OPENAI, api="openai.responses", speaks=frozenset({"openai.responses"}))
GEMINI = replace(OPENAI, api="gemini", speaks=frozenset({"gemini"}))
TARGETS: dict[str, Target] = {
    "openai.chat": CHAT,
    "anthropic": ANTHROPIC,
    "openai.responses": RESPONSES,
    "gemini": GEMINI,
    "converse": CONVERSE,
}
HEADS = {"converse": b"application/vnd.amazon.eventstream"}


@dataclass(frozen=True)
class Recorded:
    """One stream: whose API, its events as bytes, and the reply that it tells."""

    shape: str
    events: list[bytes]
    reply: ChatReply


@cache
def rows() -> list[dict[str, Any]]:
    """The recordings. Skips the test where there are none."""
    file = data_folder() / "corpus" / "corpus_open.jsonl.gz"
    if not file.exists():
        assert os.environ.get("CI") != "true", f"the recordings are not at {file}"
        pytest.skip(f"the recordings are not at {file}")
    with gzip.open(file) as lines:
        found = [json.loads(line) for line in lines]
    return [row for row in found if row["streaming"] and row["response"]["status"] == 200]


def streams(api: str, most: int) -> list[Recorded]:
    """Some recorded streams, of every vendor and kind a few."""
    shape = APIS[api]
    found: list[Recorded] = []
    seen: dict[tuple[str, ...], int] = {}
    for row in rows():
        response = row["response"]
        packed = response.get("body_b64")
        body = base64.b64decode(packed) if packed else (response.get("body_text") or "").encode()
        if row["api"] != api or not body:
            continue
        kind = (row["provider"], *sorted(set(row["feature_tags"]) & KINDS))
        framing = chat_provider(shape).framing
        events = framer(framing).feed(body)
        if 3 < len(events) <= MOST_EVENTS and seen.get(kind, 0) < 2:
            seen[kind] = seen.get(kind, 0) + 1
            found.append(Recorded(shape, events, told(shape, events)))
    assert found
    return found[:most]


KINDS = {"thinking_output", "tool_call_response", "parallel_tool_call_response", "citations", "server_tools"}


def told(shape: str, events: list[bytes]) -> ChatReply:
    """What a vendor's events tell, as far as they go."""
    provider = chat_provider(shape)
    decoder, assembler = provider.stream(), Assembler()
    for event in events:
        name, data = opened(provider.framing, event)
        for each in decoder.read(name, data).events if data else ():
            assembler.add(each)
    return assembler.reply()


def parts_of(reply: ChatReply | None) -> tuple[Part, ...]:
    """The parts of its only answer."""
    return reply.choices[0].parts if reply is not None and reply.choices else ()


def text_of(parts: tuple[Part, ...]) -> str:
    """All text."""
    return "".join([part.text for part in parts if isinstance(part, Text)])


def thoughts_of(parts: tuple[Part, ...]) -> str:
    """All thoughts."""
    return "".join([part.text for part in parts if isinstance(part, Thinking)])


def calls_of(parts: tuple[Part, ...]) -> list[tuple[str, Any]]:
    """Names and arguments of all calls; arguments that are no JSON as they are."""
    found: list[tuple[str, Any]] = []
    for part in parts:
        if isinstance(part, ToolCall):
            try:
                found.append((part.name, json.loads(part.arguments or "{}")))
            except ValueError:
                found.append((part.name, part.arguments))
    return found


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """One chunk of OpenAI's."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"id": "y", "model": "n", "choices": [choice]}).encode()


def continuation(whole: tuple[Part, ...], *, calls: bool) -> Play:
    """Another model: it makes the recording's calls again, with other white space, or it says the mark."""
    pieces = [chunk({"role": "assistant", "content": ""})]
    if not calls:
        return Play([*pieces, chunk({"content": MARK[:5]}), chunk({"content": MARK[5:]}), *ENDING["stop"]])
    made = [part for part in whole if isinstance(part, ToolCall)]
    for at, part in enumerate(made):
        text = part.arguments
        if part.type == "function":
            text = json.dumps(json.loads(text or "{}"), indent=1, ensure_ascii=False)
        head = {"index": at, "id": f"again{at}", "type": "function"}
        pieces.append(chunk({"tool_calls": [{**head, "function": {"name": part.name, "arguments": ""}}]}))
        pieces += [
            chunk({"tool_calls": [{"index": at, "function": {"arguments": text[start : start + 11]}}]})
            for start in range(0, len(text), 11)
        ]
    return Play([*pieces, *ENDING["tool_calls"]])


ENDING = {why: [chunk({}, why), b"data: [DONE]\n\n"] for why in ("stop", "tool_calls")}


def asked(recorded: Recorded, at: int, client: str, then: Play) -> Outcome:
    """The recording cut after `at` events, for a client of this dialect; the other model comes `then`."""
    path, body = CLIENTS[client]
    cut = Play(recorded.events[:at], cut=True, content_type=HEADS.get(recorded.shape, b"text/event-stream"))
    return play(
        [cut, then],
        body,
        path=path,
        first=TARGETS[recorded.shape],
        second=CHAT,
        by_port=True,
        keeps_body=client in {"gemini", "converse"},
    )


def is_plain(parts: tuple[Part, ...]) -> bool:
    """Whether there is nothing in it but thoughts, text, and calls of functions after that."""
    called = [isinstance(part, ToolCall) for part in parts]
    return called == sorted(called) and all(
        (isinstance(part, Text) and not part.citations)
        or isinstance(part, Thinking)
        or (isinstance(part, ToolCall) and part.type == "function")
        for part in parts
    )


def check(recorded: Recorded, at: int, client: str) -> str:
    """Cut the recording, and judge what the client got: `spliced`, `broken`, or `` where it was complete."""
    before = told(recorded.shape, recorded.events[:at])
    if any(choice.finish for choice in before.choices):
        return ""
    heard, whole = parts_of(before), parts_of(recorded.reply)
    had = calls_of(heard)
    got = asked(recorded, at, client, continuation(whole, calls=bool(had)))
    found = find(CLIENTS[client][0])
    endpoint = ENDPOINTS.get(CLIENTS[client][0]) or (found.endpoint if found is not None else None)
    assert endpoint is not None
    reply = reply_of(endpoint, got.body, stream=True)
    said = parts_of(reply)
    if got.settled.outcome == "ok":
        assert reply is not None, got.body[-600:]
        assert text_of(said) == text_of(heard) + ("" if had else MARK)
        assert thoughts_of(said) in (thoughts_of(heard), "") or client == "openai.chat"
        assert calls_of(said) == (calls_of(whole) if had else [])
        assert reply.choices[0].finish == ("tool_calls" if had else "stop")
        assert MARK not in thoughts_of(said)
        return "spliced"
    assert MARK.encode() not in got.body
    assert breaks(client, got.body) == 1
    assert not is_plain(heard), f"{recorded.shape} for {client}, cut at {at}: {got.body[-400:]!r}"
    return "broken"


def breaks(shape: str, body: bytes) -> int:
    """How many errors a client reads, at its stream's end; in the Responses API the failed response follows."""
    if shape == "gemini":
        values = json.loads(body)  # a JSON array, whole
        assert "error" in values[-1]
        return sum("error" in value for value in values)
    provider = chat_provider(shape)
    decoder = provider.stream()
    errors: list[bool] = []
    for event in framer(provider.framing).feed(body):
        name, data = opened(provider.framing, event)
        found = decoder.read(name, data).events if data else ()
        errors.append(any(isinstance(each, Broke) for each in found))
    last = 2 if shape == "openai.responses" else 1
    assert any(errors[-last:])
    return sum(errors)


def cuts(recordings: list[Recorded], client: str, step: int = 1) -> tuple[int, int]:
    """How many cuts were spliced, and how many ended in an error."""
    results = [
        check(recorded, at, client) for recorded in recordings for at in range(1, len(recorded.events), step)
    ]
    return results.count("spliced"), results.count("broken")


@pytest.mark.parametrize("api", APIS)
def test_streams_cut_at_every_event(api: str) -> None:
    """For a client of the same API: whatever can be gone on with is, calls and thoughts included."""
    spliced, _ = cuts(streams(api, 10), APIS[api])
    assert spliced > 40


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("api", APIS)
def test_clients_of_every_dialect(api: str, client: str) -> None:
    """The same streams for every client, cut at every fifth event."""
    spliced, _ = cuts(streams(api, 8), client, 5)
    assert spliced > 5
