"""Recorded streams of real vendors, cut at every event: the splice is exact, or the error is clean."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.recorded.corpus import data_folder
from tests.routing.broken import ANTHROPIC, OPENAI, Play, chunks_of, play

_EVENT = re.compile(rb".*?(?:\r\n\r\n|\n\n)", re.DOTALL)
MARK = "⟦and so it went on⟧"
MOST_EVENTS = 60
STREAMS = 40
ENDING = [
    {"role": "assistant", "content": ""},
    {"content": MARK[:5]},
    {"content": MARK[5:]},
]
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Go."}], "max_tokens": 4000}


def streams(api: str) -> list[list[bytes]]:
    """The events of some recorded streams, of every vendor a few. Skips the test where there are none."""
    file = data_folder() / "corpus" / "corpus_open.jsonl.gz"
    if not file.exists():
        assert os.environ.get("CI") != "true", f"the recordings are not at {file}"
        pytest.skip(f"the recordings are not at {file}")
    found: list[list[bytes]] = []
    seen: dict[tuple[str, ...], int] = {}
    with gzip.open(file) as lines:
        for line in lines:
            row = json.loads(line)
            body = row["response"].get("body_text") if row["api"] == api and row["streaming"] else None
            if body is None or row["response"]["status"] != 200:
                continue
            events = _EVENT.findall(body.encode())
            kind = (row["provider"], *sorted(row["feature_tags"]))
            if 3 < len(events) <= MOST_EVENTS and seen.get(kind, 0) < 2:
                seen[kind] = seen.get(kind, 0) + 1
                found.append(events)
    assert found
    return found[:STREAMS]


def continuation() -> Play:
    """Another model that goes on."""
    pieces = [
        b"data: %b\n\n"
        % json.dumps(
            {"id": "y", "model": "n", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        ).encode()
        for delta in ENDING
    ]
    last: dict[str, Any] = {
        "id": "y",
        "model": "n",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    }
    return Play([*pieces, b"data: %b\n\n" % json.dumps(last).encode(), b"data: [DONE]\n\n"])


def deltas(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What the chunks add to their answers."""
    for chunk in chunks:
        for choice in chunk.get("choices") or ():
            yield choice.get("delta") or {}


def content_of(chunks: list[dict[str, Any]]) -> str:
    """The text of chat completion chunks."""
    return "".join([each["content"] for each in deltas(chunks) if isinstance(each.get("content"), str)])


def has_more(chunks: list[dict[str, Any]]) -> bool:
    """Whether there is anything in them that is not plain text."""
    other = ("tool_calls", "function_call", "audio", "refusal", "annotations")
    return any(each.get(name) for each in deltas(chunks) for name in other)


def finished(chunks: list[dict[str, Any]]) -> bool:
    """Whether an answer said why it ended."""
    return any(choice.get("finish_reason") for chunk in chunks for choice in chunk.get("choices") or ())


def test_chat_streams_cut_at_every_event() -> None:
    """Whatever was said is there once and in order, then the other model's words, or one error and no more."""
    spliced = broken = 0
    for events in streams("openai.chat"):
        for at in range(1, len(events)):
            before = chunks_of(b"".join(events[:at]))
            if finished(before):
                break  # the answer is complete: what is missing harms nobody
            got = play([Play(events[:at], cut=True), continuation()], ASK, second=OPENAI, by_port=True)
            text = content_of(got.chunks)
            errors = [each for each in got.chunks if "error" in each]
            if got.ports[-1] == 1:
                assert text == content_of(before) + MARK
                assert not errors
                assert got.body.count(b"[DONE]") == 1
                assert not (has_more(before) and content_of(before))
                spliced += 1
            else:
                assert has_more(before) or text == content_of(before)
                assert MARK not in text
                assert len(errors) == 1
                assert "error" in got.chunks[-1]
                broken += 1
    assert spliced > 200
    assert broken > 20


def anthropic_text(chunks: list[dict[str, Any]]) -> str:
    """The text of Anthropic's events."""
    found = [each["delta"].get("text", "") for each in chunks if each.get("type") == "content_block_delta"]
    started = [
        each["content_block"].get("text", "") for each in chunks if each.get("type") == "content_block_start"
    ]
    return "".join([*started, *found])


def test_anthropic_streams_cut_at_every_event() -> None:
    """The same for a client of Anthropic's, whose stream goes on at a model behind OpenAI's API."""
    spliced = broken = 0
    for events in streams("anthropic.messages"):
        for at in range(1, len(events)):
            before = chunks_of(b"".join(events[:at]))
            if any(each.get("type") == "message_delta" for each in before):
                break
            plays = [Play(events[:at], cut=True), continuation()]
            got = play(plays, ASK, path="/v1/messages", first=ANTHROPIC, second=OPENAI, by_port=True)
            kinds = {
                each["content_block"]["type"] for each in before if each.get("type") == "content_block_start"
            }
            names = [each.get("type") for each in got.chunks]
            starts = [each["index"] for each in got.chunks if each.get("type") == "content_block_start"]
            assert starts == sorted(set(starts))
            assert names.count("message_start") == 1
            if got.ports[-1] == 1:
                assert kinds <= {"text", "thinking", "redacted_thinking"}
                assert anthropic_text(got.chunks) == anthropic_text(before) + MARK
                assert names.count("message_stop") == 1
                assert "error" not in names
                spliced += 1
            else:
                assert MARK not in anthropic_text(got.chunks)
                assert names.count("error") == 1
                assert names[-1] == "error"
                broken += 1
    assert spliced > 100
    assert broken > 20
