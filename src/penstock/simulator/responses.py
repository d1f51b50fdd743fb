"""The responses API: text, reasoning and function calls, as one object or as typed events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.simulator.asks import Responses, created_at, digest_of, parts_text
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.chat import BLOCKED, PER_MESSAGE, schema_of
from penstock.simulator.draft import (
    Call,
    Draft,
    Usage,
    Wish,
    billed_tier,
    cached_tokens,
    declared_tokens,
    draft,
    tools_of,
    wanted_calls,
    written_tokens,
)
from penstock.simulator.reply import SSE_TYPE, Reply, error_reply, json_reply, typed_event
from penstock.simulator.words import count_tokens

Value = dict[str, Any]
_ERROR_EVENT = typed_event(
    "error",
    {
        "type": "error",
        "code": "server_error",
        "message": "Simulated: the server had an error while processing your request.",
        "param": None,
        "sequence_number": 0,
    },
)


def answer(ask: Responses, behaviour: Behaviour, seed: int) -> Reply:
    """The response that the request asks for."""
    form = ask.text.format if ask.text else None
    earlier = () if ask.previous_response_id is None else (ask.previous_response_id,)
    digest = digest_of(
        seed, "response", ask.model, ask.input, ask.instructions, ask.tools, ask.tool_choice, form, *earlier
    )
    if behaviour.blocked:
        return error_reply(400, BLOCKED, "content_filter", "prompt")
    items: list[Value] = ask.input if isinstance(ask.input, list) else []
    tools, calls = wanted_calls(
        tools_of(ask.tools),
        ask.tool_choice,
        behaviour,
        answered=bool(items) and items[-1].get("type") == "function_call_output",
    )
    made = draft(
        Wish(
            digest=digest,
            echo=_last_user_text(ask),
            tools=tools,
            calls=calls,
            schema=schema_of(form),
            limit=None if ask.max_output_tokens is None else max(0, ask.max_output_tokens),
        ),
        behaviour,
    )
    bill: Value = {
        "usage": None if behaviour.usage == "never" else _usage(behaviour, prompt_tokens(ask), made),
        "service_tier": billed_tier(behaviour, ask.service_tier),
    }
    if ask.stream:
        events = _events(ask, made, digest, bill)
        return Reply(
            content_type=SSE_TYPE,
            events=events,
            tokens=made.tokens,
            digest=digest,
            error_event=_ERROR_EVENT,
        )
    if ask.background:
        return json_reply(_started(ask, digest) | {"status": "queued"}, digest)
    body = _finished(ask, made, digest, [item for _, item in _output(made, digest)], bill)
    return json_reply(body, digest, made.tokens)


def _last_user_text(ask: Responses) -> str:
    if not isinstance(ask.input, list):
        return ask.input or ""
    texts = [parts_text(item.get("content")) for item in ask.input if item.get("role") == "user"]
    return texts[-1] if texts else ""


def prompt_tokens(ask: Responses) -> int:
    """Tokens of the request's input, instructions and tools."""
    total = PER_MESSAGE + count_tokens(ask.instructions or "") + declared_tokens(ask.tools)
    if isinstance(ask.input, str):
        return total + PER_MESSAGE + count_tokens(ask.input)
    for item in ask.input or ():
        texts = (parts_text(item.get(key)) for key in ("content", "output", "arguments"))
        total += PER_MESSAGE + sum(count_tokens(text) for text in texts)
    return total


def _usage(behaviour: Behaviour, prompt: int, made: Draft) -> Usage:
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": cached_tokens(behaviour, prompt),
            "cache_write_tokens": written_tokens(behaviour, prompt),
        },
        "output_tokens": made.tokens,
        "output_tokens_details": {"reasoning_tokens": len(made.reasoning)},
        "total_tokens": prompt + made.tokens,
    }


def _started(ask: Responses, digest: str) -> Value:
    """The response object before anything is said."""
    return {
        "id": f"resp_{digest}",
        "object": "response",
        "created_at": created_at(digest),
        "status": "in_progress",
        "background": bool(ask.background),
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": ask.instructions,
        "max_output_tokens": ask.max_output_tokens,
        "max_tool_calls": None,
        "model": ask.model,
        "output": [],
        "parallel_tool_calls": True if ask.parallel_tool_calls is None else ask.parallel_tool_calls,
        "previous_response_id": ask.previous_response_id,
        "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": ask.service_tier or "auto",
        "store": True if ask.store is None else ask.store,
        "temperature": 1.0 if ask.temperature is None else ask.temperature,
        "text": {"format": (ask.text and ask.text.format) or {"type": "text"}, "verbosity": "medium"},
        "tool_choice": ask.tool_choice or "auto",
        "tools": ask.tools or [],
        "top_logprobs": 0,
        "top_p": 1.0 if ask.top_p is None else ask.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": ask.metadata or {},
    }


def _finished(ask: Responses, made: Draft, digest: str, output: list[Value], bill: Value) -> Value:
    reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
    reason = reasons.get(made.finish)
    return _started(ask, digest) | {
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else created_at(digest) + 1,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        **bill,
    }


def _output(made: Draft, digest: str) -> list[tuple[Call | None, Value]]:
    """The finished output items, in order, each function call with what it was made from."""
    found: list[tuple[Call | None, Value]] = []
    if made.reasoning:
        found.append((None, {"id": f"rs_{digest}", "type": "reasoning", "summary": []}))
    if made.pieces or not made.calls:
        found.append((None, _message(made, digest)))
    for number, call in enumerate(made.calls):
        item = {
            "id": f"fc_{digest[:26]}{number:06d}",
            "type": "function_call",
            "status": "completed",
            "arguments": "".join(call.pieces),
            "call_id": call.id,
            "name": call.name,
        }
        found.append((call, item))
    return found


def _message(made: Draft, digest: str) -> Value:
    return {
        "id": f"msg_{digest}",
        "type": "message",
        "status": "completed" if made.finish in {"stop", "tool_calls"} else "incomplete",
        "content": [_part("".join(made.pieces))],
        "role": "assistant",
    }


def _part(text: str) -> Value:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _events(ask: Responses, made: Draft, digest: str, bill: Value) -> Iterator[bytes]:
    """The stream's events, numbered from 0."""
    for number, value in enumerate(_values(ask, made, digest, bill)):
        yield typed_event(value["type"], value | {"sequence_number": number})


def _values(ask: Responses, made: Draft, digest: str, bill: Value) -> Iterator[Value]:
    for kind in ("response.created", "response.in_progress"):
        yield {"type": kind, "response": _started(ask, digest)}
    items = _output(made, digest)
    for index, (call, item) in enumerate(items):
        if item["type"] == "message":
            yield from _message_values(made, item, index)
        elif call is not None:
            yield from _call_values(call, item, index)
        else:
            yield {"type": "response.output_item.added", "output_index": index, "item": item}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
    response = _finished(ask, made, digest, [item for _, item in items], bill)
    yield {"type": f"response.{response['status']}", "response": response}


def _message_values(made: Draft, item: Value, index: int) -> Iterator[Value]:
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    yield {
        "type": "response.output_item.added",
        "output_index": index,
        "item": item | {"status": "in_progress", "content": []},
    }
    yield {"type": "response.content_part.added", **place, "part": _part("")}
    for piece in made.pieces:
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    text = "".join(made.pieces)
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": _part(text)}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _call_values(call: Call, item: Value, index: int) -> Iterator[Value]:
    place = {"item_id": item["id"], "output_index": index}
    yield {
        "type": "response.output_item.added",
        "output_index": index,
        "item": item | {"status": "in_progress", "arguments": ""},
    }
    for piece in call.pieces:
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    yield {
        "type": "response.function_call_arguments.done",
        **place,
        "arguments": item["arguments"],
        "name": item["name"],
    }
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
