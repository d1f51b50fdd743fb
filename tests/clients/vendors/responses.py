"""OpenAI's Responses API, scripted."""

from __future__ import annotations

from typing import Any

from tests.clients.vendors import script
from tests.clients.vendors.script import Heard, Said
from tests.translation.upstream import Answer, Asked, sse

SEAL = "gAAAAABscripted-encrypted-reasoning"


def hear(body: Any) -> Heard:
    """What was asked."""
    items = script.listed(body["input"])
    last: dict[str, Any] = items[-1] if items else {}
    parts = script.listed(last.get("content"))
    tools = script.listed(body.get("tools"))
    shape = script.member(body, "text", "format", "type")
    done = last.get("type") == "function_call_output"
    return Heard(
        tool=tools[0]["name"] if tools and body.get("tool_choice") != "none" else None,
        result=script.text_of(last["output"]) if done else None,
        shaped=shape == "json_schema",
        thinking=body.get("reasoning") is not None,
        pictures=sum(part["type"] == "input_image" for part in parts),
        sealed=script.holds(body, SEAL),
    )


def _items(said: Said) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if said.thought:
        summary = [{"type": "summary_text", "text": said.thought}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": SEAL})
    if said.call is not None:
        call = {"type": "function_call", "id": "fc_1", "call_id": script.CALL_ID, "status": "completed"}
        items.append({**call, "name": said.call, "arguments": said.arguments})
    else:
        none: list[Any] = []
        part = {"type": "output_text", "text": said.text, "annotations": none, "logprobs": none}
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        items.append({**message, "content": [part]})
    return items


def _response(body: Any, said: Said) -> dict[str, Any]:
    prompt = script.FRESH + script.CACHED
    usage = {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": script.CACHED},
        "output_tokens": script.OUTPUT,
        "output_tokens_details": {"reasoning_tokens": 2 if said.thought else 0},
        "total_tokens": prompt + script.OUTPUT,
    }
    return {
        "id": "resp_scripted",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": body["model"],
        "output": _items(said),
        "parallel_tool_calls": True,
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}},
        "usage": usage,
    }


def _grown(item: dict[str, Any], said: Said) -> list[dict[str, Any]]:
    """The events between an item's `added` and its `done`."""
    place = {"item_id": item["id"]}
    if item["type"] == "function_call":
        kind = "response.function_call_arguments"
        pieces = [{"type": f"{kind}.delta", **place, "delta": each} for each in said.argument_pieces()]
        end = {"type": f"{kind}.done", **place, "name": said.call, "arguments": said.arguments}
        return [*pieces, end]
    if item["type"] == "reasoning":
        kind, spot, part = "response.reasoning_summary", {**place, "summary_index": 0}, item["summary"][0]
        return [
            {"type": f"{kind}_part.added", **spot, "part": {**part, "text": ""}},
            {"type": f"{kind}_text.delta", **spot, "delta": said.thought},
            {"type": f"{kind}_text.done", **spot, "text": said.thought},
            {"type": f"{kind}_part.done", **spot, "part": part},
        ]
    spot, part = {**place, "content_index": 0}, item["content"][0]
    grown: dict[str, Any] = {"type": "response.output_text.delta", **spot, "logprobs": []}
    pieces = [{**grown, "delta": each} for each in said.pieces()]
    return [
        {"type": "response.content_part.added", **spot, "part": {**part, "text": ""}},
        *pieces,
        {"type": "response.output_text.done", **spot, "text": said.text, "logprobs": []},
        {"type": "response.content_part.done", **spot, "part": part},
    ]


def _opened(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] == "function_call":
        return {**item, "status": "in_progress", "arguments": ""}
    if item["type"] == "reasoning":
        return {**item, "summary": [], "encrypted_content": None}
    return {**item, "status": "in_progress", "content": []}


def _events(response: dict[str, Any], said: Said) -> list[dict[str, Any]]:
    started: dict[str, Any] = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
    ]
    for index, item in enumerate(response["output"]):
        place = {"output_index": index}
        events.append({"type": "response.output_item.added", **place, "item": _opened(item)})
        events += [{**each, **place} for each in _grown(item, said)]
        events.append({"type": "response.output_item.done", **place, "item": item})
    events.append({"type": "response.completed", "response": response})
    return [{**each, "sequence_number": number} for number, each in enumerate(events)]


def reply(asked: Asked) -> Answer:
    """The answer to one request."""
    said = script.answer(hear(asked.body))
    response = _response(asked.body, said)
    return sse(*_events(response, said), names=True) if asked.body.get("stream") else Answer(response)
