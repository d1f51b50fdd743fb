"""Chat completions, streamed and not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from penstock.simulator.asks import Chat, created_at, digest_of, parts_text
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.draft import (
    ANY_OBJECT,
    Draft,
    Usage,
    Wish,
    billed_tier,
    chat_usage,
    declared_tokens,
    draft,
    tools_of,
    wanted_calls,
)
from penstock.simulator.reply import DONE, SSE_TYPE, STREAM_ERROR, Reply, error_reply, event, json_reply
from penstock.simulator.words import count_tokens

MOST_CHOICES = 128
PER_MESSAGE = 3
PER_IMAGE = 85
FINGERPRINT = "fp_simulator"
BLOCKED = "The response was filtered due to the prompt triggering a content management policy."
# Stands for a token in a chunk; nothing that a client sent comes behind it.
_MARK = "\0token\0"
_ENCODED_MARK = msgspec.json.encode(_MARK)
Value = dict[str, Any]


def answer(ask: Chat, behaviour: Behaviour, seed: int) -> Reply:
    """The completion that the request asks for."""
    if not ask.messages:
        return error_reply(400, "Invalid 'messages': empty array.", "empty_array", "messages")
    choices = 1 if ask.n is None else ask.n
    if not 1 <= choices <= MOST_CHOICES:
        return error_reply(400, f"Invalid 'n': must be 1 to {MOST_CHOICES}.", "invalid_value", "n")
    # Only what shapes the text: the same question, streamed or not, capped or not, has one id and one text.
    shape = (ask.messages, ask.tools, ask.tool_choice, ask.response_format, ask.stop, ask.seed)
    digest = digest_of(seed, "chat", ask.model, shape)
    wish = _wish(ask, behaviour, digest)
    if behaviour.blocked:
        return error_reply(400, BLOCKED, "content_filter", "prompt")
    drafts = [draft(wish, behaviour, index) for index in range(choices)]
    usage = chat_usage(behaviour, prompt_tokens(ask), drafts)
    tokens = max(each.tokens for each in drafts)
    if ask.stream:
        asked = bool(ask.stream_options and ask.stream_options.include_usage)
        events = _events(ask, behaviour, drafts, digest, usage, asked=asked)
        return Reply(
            content_type=SSE_TYPE, events=events, tokens=tokens, digest=digest, error_event=STREAM_ERROR
        )
    body = _envelope(
        ask, behaviour, digest, "chat.completion", [_choice(each, i) for i, each in enumerate(drafts)]
    )
    if behaviour.usage != "never":
        body["usage"] = usage
    return json_reply(body, digest, tokens)


def prompt_tokens(ask: Chat) -> int:
    """Input tokens: of the texts, 3 a message and 3 for the answer's start, 85 an image, and the tools."""
    total = PER_MESSAGE + declared_tokens(ask.tools)
    for message in ask.messages:
        total += PER_MESSAGE + count_tokens(parts_text(message.content))
        if isinstance(message.content, list):
            total += PER_IMAGE * sum(part.get("type") == "image_url" for part in message.content)
    return total


def _wish(ask: Chat, behaviour: Behaviour, digest: str) -> Wish:
    users = [message for message in ask.messages if message.role == "user"]
    last = ask.messages[-1]
    tools, calls = wanted_calls(
        tools_of(ask.tools), ask.tool_choice, behaviour, answered=last.role in {"tool", "function"}
    )
    cap = ask.max_completion_tokens if ask.max_completion_tokens is not None else ask.max_tokens
    return Wish(
        digest=digest,
        echo=parts_text((users or [last])[-1].content),
        tools=tools,
        calls=calls,
        schema=schema_of(ask.response_format),
        stop=[ask.stop] if isinstance(ask.stop, str) else ask.stop or (),
        limit=None if cap is None else max(0, cap),
    )


def schema_of(wanted: Value | None) -> object | None:
    """The JSON Schema of a response format, in either API's shape; None for plain text."""
    kind = (wanted or {}).get("type")
    if wanted is None or kind not in {"json_object", "json_schema"}:
        return None
    inner: Any = wanted.get("json_schema", wanted)
    schema: object = inner.get("schema") if isinstance(inner, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return schema if isinstance(schema, dict) else ANY_OBJECT  # pyright: ignore[reportUnknownVariableType]


def _envelope(ask: Chat, behaviour: Behaviour, digest: str, kind: str, choices: Sequence[Value]) -> Value:
    return {
        "id": f"chatcmpl-{digest[:29]}",
        "object": kind,
        "created": created_at(digest),
        "model": ask.model,
        "choices": choices,
        "service_tier": billed_tier(behaviour, ask.service_tier),
        "system_fingerprint": FINGERPRINT,
    }


def _choice(each: Draft, index: int) -> Value:
    message: Value = {
        "role": "assistant",
        "content": None if each.calls and not each.pieces else "".join(each.pieces),
        "refusal": None,
        "annotations": [],
    }
    if each.reasoning:
        message["reasoning_content"] = "".join(each.reasoning)
    if each.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": "".join(call.pieces)},
            }
            for call in each.calls
        ]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": each.finish}


def _events(
    ask: Chat, behaviour: Behaviour, drafts: Sequence[Draft], digest: str, usage: Usage, *, asked: bool
) -> Iterator[bytes]:
    """The events; with usage asked for, every chunk has `usage: null`, and one more has the usage."""
    report = asked and behaviour.usage == "asked"
    chunk = _envelope(ask, behaviour, digest, "chat.completion.chunk", [])
    if report:
        chunk["usage"] = None
    last = len(drafts) - 1
    for index, each in enumerate(drafts):
        for delta, pieces in _sections(each):
            chunk["choices"] = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None}]
            yield from _filled(event(chunk), pieces)
        if index == last and behaviour.usage == "last_chunk":
            chunk["usage"] = usage
        chunk["choices"] = [{"index": index, "delta": {}, "logprobs": None, "finish_reason": each.finish}]
        yield event(chunk)
    if report:
        chunk |= {"choices": [], "usage": usage}
        yield event(chunk)
    if behaviour.done:
        yield DONE


def _filled(sample: bytes, pieces: Sequence[str] | None) -> Iterator[bytes]:
    """One event for each piece, in the place of the mark; without pieces the event itself.

    The chunk around a piece is encoded once, not for each token: long streams are cheap.
    """
    if pieces is None:
        yield sample
        return
    start, _, end = sample.rpartition(_ENCODED_MARK)
    for piece in pieces:
        yield start + msgspec.json.encode(piece) + end


def _sections(each: Draft) -> Iterator[tuple[Value, Sequence[str] | None]]:
    """One choice as deltas: each sent once (None), or once for each token with the token for the mark."""
    yield (
        {"role": "assistant", "content": None if each.calls or each.reasoning else "", "refusal": None},
        None,
    )
    yield {"reasoning_content": _MARK}, each.reasoning
    yield {"content": _MARK}, each.pieces
    for number, call in enumerate(each.calls):
        function = {"name": call.name, "arguments": ""}
        yield (
            {"tool_calls": [{"index": number, "id": call.id, "type": "function", "function": function}]},
            None,
        )
        yield {"tool_calls": [{"index": number, "function": {"arguments": _MARK}}]}, call.pieces
