"""What translation costs: microseconds for a streamed chunk of each pair, milliseconds for 200 kB inputs.

`python -m bench.translate [--json FILE] [--data DIR]`: framing, decoding, the pivot, encoding and framing
again, as `TranslatingReader` does it for the gateway. Nothing is sent.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from penstock.core.chat import ChatRequest
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee, Asked, Framing, WireEvent
from penstock.providers.registry import chat_provider
from penstock.shapes.converse.framing import to_bytes
from penstock.upstream.client_framing import ClientFraming, Kind
from penstock.upstream.framing import framer
from penstock.upstream.translated_codec import TranslatingReader

CHUNKS = 400
GOAL_US = 60.0
GOAL_MS = 50.0
DIALECTS = ("openai.chat", "openai.completions", "openai.responses", "anthropic", "gemini", "converse")
_KINDS: dict[str, Kind] = {"converse": "aws"}
_TEXT = " and so on"
Json = dict[str, Any]


def _chat() -> list[tuple[str, Any]]:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return [("", {**head, "choices": [{"index": 0, "delta": {"content": _TEXT}, "finish_reason": None}]})]


def _openings() -> dict[str, tuple[list[tuple[str, Any]], list[tuple[str, Any]]]]:
    """How each vendor's stream begins, and one chunk of it."""
    message: Json = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "m",
        "usage": {},
    }
    block: Json = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta: Json = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": _TEXT}}
    item: Json = {"type": "message", "id": "i", "role": "assistant", "content": []}
    added: Json = {"type": "response.output_item.added", "output_index": 0, "item": item}
    part = {"item_id": "i", "output_index": 0, "content_index": 0}
    opened: Json = {"type": "response.content_part.added", **part, "part": {"type": "output_text", "text": ""}}
    piece: Json = {"type": "response.output_text.delta", **part, "delta": _TEXT}
    parts = {"content": {"role": "model", "parts": [{"text": _TEXT}]}, "index": 0}
    cohere = {
        "type": "content-start",
        "index": 0,
        "delta": {"message": {"content": {"type": "text", "text": ""}}},
    }
    more = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": _TEXT}}}}
    ollama = {"model": "m", "message": {"role": "assistant", "content": _TEXT}, "done": False}
    block_delta = {"contentBlockIndex": 0, "delta": {"text": _TEXT}}
    return {
        "openai.chat": ([], _chat()),
        "openai.responses": ([(added["type"], added), (opened["type"], opened)], [(piece["type"], piece)]),
        "anthropic": (
            [("message_start", {"type": "message_start", "message": message}), (block["type"], block)],
            [(delta["type"], delta)],
        ),
        "gemini": ([], [("", {"candidates": [parts], "modelVersion": "m"})]),
        "converse": ([("messageStart", {"role": "assistant"})], [("contentBlockDelta", block_delta)]),
        "cohere": ([("", {"type": "message-start", "id": "c"}), ("", cohere)], [("", more)]),
        "mistral": ([], _chat()),
        "ollama": ([], [("", ollama)]),
    }


def _framed(framing: Framing, name: str, value: Any) -> bytes:
    data = msgspec.json.encode(value)
    if framing == "aws":
        return to_bytes(WireEvent(name, data))
    if framing == "ndjson":
        return data + b"\n"
    return (b"event: %b\n" % name.encode() if name else b"") + b"data: %b\n\n" % data


def _pair(target: str, dialect: str) -> float:
    """Microseconds a chunk: the median of five streams."""
    provider = chat_provider(target)
    begin, chunk = _openings()[target]
    head = [_framed(provider.framing, name, value) for name, value in begin]
    body = [_framed(provider.framing, name, value) for name, value in chunk]
    took: list[float] = []
    for _ in range(5):
        asked = Asked(ChatRequest(model="m"), "m", "r", 1)
        kind = _KINDS.get(dialect, "sse")
        encoder = chat_dialect(dialect).stream(asked)
        reader = TranslatingReader(
            provider.stream(), encoder, provider.framing, ClientFraming(kind), merged=False
        )
        cutter = framer(provider.framing)
        for piece in head:
            for event in cutter.feed(piece):
                reader.read(event)
        start = time.perf_counter()
        for _ in range(CHUNKS):
            for piece in body:
                for event in cutter.feed(piece):
                    reader.read(event)
        took.append((time.perf_counter() - start) / CHUNKS * 1e6)
        if not reader.out:
            raise SystemExit(f"{target} to {dialect}: nothing came out")
    return median(took)


def inputs() -> dict[str, dict[str, Any]]:
    """Requests of about 200 kB, of the kinds that cost most."""
    deep: Any = {"type": "object"}
    for _ in range(200):
        deep = {"type": "object", "properties": {"a": deep}}
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    user = {"role": "user", "content": "a"}
    function = {"type": "function", "function": {"name": "f", "parameters": deep}}
    return {
        "one long text": {"messages": [{"role": "user", "content": "x" * 200_000}]},
        "many messages": {"messages": [user] * 6000},
        "many parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}] * 7000}]},
        "many calls": {
            "messages": [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": f"c{at}", **call} for at in range(2200)],
                }
            ]
        },
        "many members": {"messages": [user], **{f"member{at}": at for at in range(10_000)}},
        "deep schemas": {"messages": [user], "tools": [function] * 28},
    }


def _milliseconds(run: Callable[[], object]) -> float:
    took: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        took.append((time.perf_counter() - start) * 1e3)
    return median(took)


def _decode(text: bytes) -> ChatRequest:
    return chat_dialect("openai.chat").decode_request(msgspec.json.decode(text), "m", stream=False)


def _encode(target: str, request: ChatRequest) -> dict[str, Any]:
    return chat_provider(target).encode_request(request, Addressee("m", Profile(), Losses()))


def measure() -> dict[str, Any]:
    """Everything."""
    pairs = {f"{target} to {dialect}": _pair(target, dialect) for target in _openings() for dialect in DIALECTS}
    large: dict[str, float] = {}
    for name, body in inputs().items():
        text = msgspec.json.encode(body)
        large[f"decode: {name} ({len(text) // 1000} kB)"] = _milliseconds(lambda text=text: _decode(text))
        request = _decode(text)
        encoded = {
            target: _milliseconds(lambda at=target, asked=request: _encode(at, asked)) for target in _openings()
        }
        slowest = max(encoded, key=lambda target: encoded[target])
        large[f"encode: {name}, slowest target {slowest}"] = encoded[slowest]
    return {"us_per_chunk": pairs, "ms_per_200kb": large}


def main() -> int:
    """Print a table; write JSON where asked to. Pairs of equal shape are shown too, though they pass raw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write one object per target: id, value, target, met")
    parser.add_argument("--data", type=Path, help="taken for symmetry with other programs; nothing is read")
    options = parser.parse_args()
    found = measure()
    records: list[dict[str, Any]] = []
    for kind, goal in (("us_per_chunk", GOAL_US), ("ms_per_200kb", GOAL_MS)):
        for name, value in found[kind].items():
            records.append(
                {"id": f"{kind}: {name}", "value": round(value, 2), "target": goal, "met": value <= goal}
            )
    for record in records:
        print(f"{record['value']:9.2f}  {'' if record['met'] else '!'}  {record['id']}")
    if options.json is not None:
        options.json.write_text(json.dumps(records, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
