"""OpenAI's Chat Completions, scripted, with embeddings."""

from __future__ import annotations

from typing import Any

from tests.clients.vendors import script
from tests.clients.vendors.script import Heard, Said
from tests.translation.upstream import Answer, Asked, sse

VECTOR = [0.25, -0.5, 0.125]
USAGE = {
    "prompt_tokens": script.FRESH + script.CACHED,
    "completion_tokens": script.OUTPUT,
    "total_tokens": script.FRESH + script.CACHED + script.OUTPUT,
    "prompt_tokens_details": {"cached_tokens": script.CACHED},
}


def hear(body: Any) -> Heard:
    """What was asked."""
    last = body["messages"][-1]
    parts = script.listed(last.get("content"))
    tools = script.listed(body.get("tools"))
    return Heard(
        tool=tools[0]["function"]["name"] if tools and body.get("tool_choice") != "none" else None,
        result=script.text_of(last.get("content")) if last["role"] == "tool" else None,
        shaped=script.member(body, "response_format", "type") == "json_schema",
        thinking="reasoning_effort" in body,
        pictures=sum(part["type"] == "image_url" for part in parts),
    )


def _calls(said: Said) -> list[dict[str, Any]]:
    function = {"name": said.call, "arguments": said.arguments}
    return [{"id": script.CALL_ID, "type": "function", "function": function}]


def _completion(model: str, said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None}
    if said.thought:
        message["reasoning_content"] = said.thought
    if said.call is not None:
        message["tool_calls"] = _calls(said)
    end = "tool_calls" if said.call is not None else "stop"
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": end, "logprobs": None}],
        "usage": USAGE,
    }


def _chunks(model: str, said: Said, *, usage: bool) -> list[dict[str, Any]]:
    head = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": model,
    }
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if said.thought:
        deltas.append({"reasoning_content": said.thought})
    if said.call is not None:
        (call,) = _calls(said)
        deltas.append({"tool_calls": [{"index": 0, **call, "function": {"name": said.call, "arguments": ""}}]})
        pieces = said.argument_pieces()
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": each}}]} for each in pieces]
    deltas += [{"content": piece} for piece in said.pieces()]
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas
    ]
    end = "tool_calls" if said.call is not None else "stop"
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
    if usage:
        chunks.append({**head, "choices": [], "usage": USAGE})
    return chunks


def embeddings(asked: Asked) -> Answer:
    """One vector for each text."""
    count = len(script.listed(asked.body["input"])) or 1
    data = [{"object": "embedding", "index": at, "embedding": VECTOR} for at in range(count)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    return Answer({"object": "list", "data": data, "model": asked.body["model"], "usage": usage})


def reply(asked: Asked) -> Answer:
    """The answer to one request."""
    said = script.answer(hear(asked.body))
    if not asked.body.get("stream"):
        return Answer(_completion(asked.body["model"], said))
    usage = bool(script.member(asked.body, "stream_options", "include_usage"))
    return sse(*_chunks(asked.body["model"], said, usage=usage), done=True)
