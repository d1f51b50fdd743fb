"""AWS Bedrock's Converse, scripted, with its binary event stream."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from tests.clients.vendors import script
from tests.clients.vendors.script import Heard, Said
from tests.translation.upstream import Answer, Asked

SEAL = "QmVkcm9jayBzZWFscyB0aGlz"


def hear(body: Any) -> Heard:
    """What was asked."""
    parts: list[Any] = body["messages"][-1]["content"]
    results = [part["toolResult"]["content"][0] for part in parts if "toolResult" in part]
    tools = script.listed(script.member(body, "toolConfig", "tools"))
    extra: dict[str, Any] = body.get("additionalModelRequestFields") or {}
    return Heard(
        tool=tools[0]["toolSpec"]["name"] if tools else None,
        result=str(results[-1].get("text") or results[-1].get("json")) if results else None,
        shaped="outputConfig" in body,
        thinking="thinking" in extra or "reasoning_config" in extra,
        pictures=sum("image" in part for part in parts),
        sealed=script.holds(body, SEAL),
    )


def _blocks(said: Said) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said.thought:
        blocks.append({"reasoningContent": {"reasoningText": {"text": said.thought, "signature": SEAL}}})
    if said.call is not None:
        use = {"toolUseId": "tooluse_scripted", "name": said.call, "input": said.input}
        blocks.append({"toolUse": use})
    else:
        blocks.append({"text": said.text})
    return blocks


USAGE = {
    "inputTokens": script.FRESH,
    "outputTokens": script.OUTPUT,
    "totalTokens": script.FRESH + script.CACHED + script.OUTPUT,
    "cacheReadInputTokens": script.CACHED,
}


def frame(event: str, payload: Any) -> bytes:
    """One message of the AWS event stream."""
    fields = {":event-type": event, ":content-type": "application/json", ":message-type": "event"}
    head = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in fields.items()
    )
    body = json.dumps(payload).encode()
    start = struct.pack(">II", 16 + len(head) + len(body), len(head))
    message = start + struct.pack(">I", zlib.crc32(start)) + head + body
    return message + struct.pack(">I", zlib.crc32(message))


def _deltas(block: dict[str, Any], said: Said) -> list[dict[str, Any]]:
    if "reasoningContent" in block:
        thought = {"reasoningContent": {"text": said.thought}}
        return [thought, {"reasoningContent": {"signature": SEAL}}]
    if "toolUse" in block:
        return [{"toolUse": {"input": piece}} for piece in said.argument_pieces()]
    return [{"text": piece} for piece in said.pieces()]


def _stream(said: Said) -> bytes:
    frames = [frame("messageStart", {"role": "assistant"})]
    for index, block in enumerate(_blocks(said)):
        place = {"contentBlockIndex": index}
        if "toolUse" in block:
            use = {"toolUseId": block["toolUse"]["toolUseId"], "name": said.call}
            frames.append(frame("contentBlockStart", {**place, "start": {"toolUse": use}}))
        frames += [frame("contentBlockDelta", {**place, "delta": each}) for each in _deltas(block, said)]
        frames.append(frame("contentBlockStop", place))
    frames.append(frame("messageStop", {"stopReason": "tool_use" if said.call is not None else "end_turn"}))
    frames.append(frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 5}}))
    return b"".join(frames)


def reply(asked: Asked) -> Answer:
    """The answer to one request."""
    said = script.answer(hear(asked.body))
    if asked.path.endswith("/converse-stream"):
        return Answer(content_type="application/vnd.amazon.eventstream", raw=_stream(said))
    return Answer(
        {
            "output": {"message": {"role": "assistant", "content": _blocks(said)}},
            "stopReason": "tool_use" if said.call is not None else "end_turn",
            "usage": USAGE,
            "metrics": {"latencyMs": 5},
        }
    )
