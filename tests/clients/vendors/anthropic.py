"""Anthropic's Messages API, scripted."""

from __future__ import annotations

from typing import Any

from tests.clients.vendors import script
from tests.clients.vendors.script import Heard, Said
from tests.translation.upstream import Answer, Asked, sse

SEAL = "RXFvQkNrZ0lBeEFDR0FJaVFTZWFsZWRCeUFudGhyb3BpYw=="


def hear(body: Any) -> Heard:
    """What was asked."""
    last = body["messages"][-1]
    parts = script.listed(last["content"])
    results = [script.text_of(part.get("content")) for part in parts if part["type"] == "tool_result"]
    tools = script.listed(body.get("tools"))
    wanted = script.member(body, "tool_choice", "type") != "none"
    return Heard(
        tool=tools[0]["name"] if tools and wanted else None,
        result=results[-1] if results else None,
        shaped=script.member(body, "output_config", "format") is not None,
        thinking=script.member(body, "thinking", "type") in {"enabled", "adaptive"},
        pictures=sum(part["type"] == "image" for part in parts),
        sealed=script.holds(body, SEAL),
    )


def _blocks(said: Said) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said.thought:
        blocks.append({"type": "thinking", "thinking": said.thought, "signature": SEAL})
    if said.call is not None:
        call = {"type": "tool_use", "id": "toolu_scripted_1", "name": said.call, "input": said.input}
        blocks.append(call)
    else:
        blocks.append({"type": "text", "text": said.text})
    return blocks


def _message(model: str, said: Said) -> dict[str, Any]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": _blocks(said),
        "stop_reason": "tool_use" if said.call is not None else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": script.FRESH,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": script.CACHED,
            "output_tokens": script.OUTPUT,
        },
    }


def _deltas(block: dict[str, Any], said: Said) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block opens, and what it grows by."""
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [
            thought,
            {"type": "signature_delta", "signature": SEAL},
        ]
    if block["type"] == "tool_use":
        pieces = said.argument_pieces()
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": each} for each in pieces]
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": each} for each in said.pieces()]


def _events(message: dict[str, Any], said: Said) -> list[dict[str, Any]]:
    opening: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "usage": {**message["usage"], "output_tokens": 1},
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": opening}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        opened, deltas = _deltas(block, said)
        events.append({"type": "content_block_start", "index": index, "content_block": opened})
        events += [{"type": "content_block_delta", "index": index, "delta": each} for each in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": script.OUTPUT}})
    events.append({"type": "message_stop"})
    return events


def reply(asked: Asked) -> Answer:
    """The answer to one request."""
    if asked.path.endswith("/count_tokens"):
        return Answer({"input_tokens": script.COUNTED})
    said = script.answer(hear(asked.body))
    message = _message(asked.body["model"], said)
    return sse(*_events(message, said), names=True) if asked.body.get("stream") else Answer(message)
