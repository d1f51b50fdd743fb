"""The next turn of a conversation, as clients send it that keep only what their API documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ASKED = "What is the weather?"
_RESULT = "12 degrees"


def _chat(reply: dict[str, Any]) -> dict[str, Any]:
    message = reply["choices"][0]["message"]
    kept = {name: message[name] for name in ("role", "content", "refusal", "tool_calls") if name in message}
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": _RESULT}
        for call in message.get("tool_calls") or ()
    ]
    return {"messages": [{"role": "user", "content": _ASKED}, kept, *results]}


def _responses(reply: dict[str, Any]) -> dict[str, Any]:
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": _RESULT}
        for item in reply["output"]
        if item["type"] == "function_call"
    ]
    return {"input": [{"role": "user", "content": _ASKED}, *reply["output"], *results]}


def _anthropic(reply: dict[str, Any]) -> dict[str, Any]:
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": _RESULT}
        for block in reply["content"]
        if block["type"] == "tool_use"
    ]
    turn = {"role": "assistant", "content": reply["content"]}
    after = [{"role": "user", "content": results or "Go on."}]
    return {"max_tokens": 99, "messages": [{"role": "user", "content": _ASKED}, turn, *after]}


def _gemini(reply: dict[str, Any]) -> dict[str, Any]:
    content = reply["candidates"][0]["content"]
    parts = [part for part in content.get("parts", ()) if not part.get("thought")]
    results = [
        {"functionResponse": {**_named(part["functionCall"]), "response": {"output": _RESULT}}}
        for part in parts
        if "functionCall" in part
    ]
    after = [{"role": "user", "parts": results or [{"text": "Go on."}]}]
    return {
        "contents": [
            {"role": "user", "parts": [{"text": _ASKED}]},
            {"role": "model", "parts": parts},
            *after,
        ]
    }


def _named(call: dict[str, Any]) -> dict[str, Any]:
    return {name: call[name] for name in ("id", "name") if name in call}


def _converse(reply: dict[str, Any]) -> dict[str, Any]:
    message = reply["output"]["message"]
    results = [
        {"toolResult": {"toolUseId": block["toolUse"]["toolUseId"], "content": [{"text": _RESULT}]}}
        for block in message["content"]
        if "toolUse" in block
    ]
    after = [{"role": "user", "content": results or [{"text": "Go on."}]}]
    return {"messages": [{"role": "user", "content": [{"text": _ASKED}]}, message, *after]}


_TURNS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "openai.chat": _chat,
    "openai.responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "converse": _converse,
}
WITH_HISTORY = tuple(_TURNS)


def next_turn(shape: str, reply: dict[str, Any]) -> dict[str, Any]:
    """The request that follows a reply, with a result for each of its calls."""
    return _TURNS[shape](reply)
