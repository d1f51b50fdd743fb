"""Anthropic's Messages API: messages, whole and as typed events, counting of tokens, models, and errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from penstock.simulator.anthropic_request import SIGNED, Turn, read, turns_of
from penstock.simulator.asks import digest_of
from penstock.simulator.behaviour import NAMES, Behaviour
from penstock.simulator.draft import (
    ANY_OBJECT,
    Call,
    Draft,
    Tool,
    Wish,
    arguments_of,
    cached_tokens,
    declared_tokens,
    draft,
    wanted_calls,
    written_tokens,
)
from penstock.simulator.reply import SSE_TYPE, Api, Prepared, Reply, Request, json_reply, typed_event
from penstock.simulator.signature import sign
from penstock.simulator.strict import listed, texts, within
from penstock.simulator.words import count_tokens

Value = dict[str, Any]
PER_MESSAGE = 3
PER_IMAGE = 85
_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_TIERS = {"default": "standard", "priority": "priority"}
_ERRORS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Simulated: the request is not valid."),
    401: ("authentication_error", "Simulated: there is a problem with your API key."),
    402: ("billing_error", "Simulated: there is a problem with your billing."),
    403: ("permission_error", "Simulated: your API key may not use this resource."),
    404: ("not_found_error", "Simulated: the resource was not found."),
    405: ("invalid_request_error", "Method Not Allowed"),
    409: ("conflict_error", "Simulated: the resource has changed."),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "Simulated: this request would exceed your rate limit."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Simulated: the request took too long."),
    529: ("overloaded_error", "Overloaded"),
}


def _error(status: int, message: str, digest: str) -> Reply:
    body = _error_value(status, message) | {"request_id": f"req_01{digest[:22]}"}
    return Reply(status=status, body=msgspec.json.encode(body), digest=digest, api=API)


def _error_value(status: int, message: str = "") -> Value:
    kind, usual = _ERRORS.get(status, _ERRORS[400] if status < 500 else _ERRORS[500])
    return {"type": "error", "error": {"type": kind, "message": message or usual}}


API = Api(
    error=_error,
    wrong_key=(401, "invalid x-api-key"),
    id_header="request-id",
    id_form="req_01{:.22}",
    head="anthropic-organization-id: 00000000-0000-0000-0000-000000000000\r\n"
    "anthropic-ratelimit-requests-limit: 10000\r\n",
    garbage=b'{"id": "msg_garbage", "type": "message", "content": [{"type": "te',
)
_ERROR_EVENT = typed_event("error", _error_value(529))
_BROKEN_EVENT = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'


class _Made(NamedTuple):
    """Everything that an answer says but its content blocks; `usage` is None where none is reported."""

    ask: Value
    digest: str
    draft: Draft
    usage: Value | None
    blocked: bool


def prepare(request: Request) -> Prepared | Reply:
    """A request to any of the endpoints. Raises Refused."""
    if request.action == "models":
        return _models(request.model)
    ask = read(request)
    if request.action == "count_tokens":
        return Prepared(ask["model"], stream=False, user="", answer=partial(_count, ask))
    user = within(ask, "metadata").get("user_id") or ""
    return Prepared(ask["model"], bool(ask.get("stream")), user, partial(answer, ask))


def answer(ask: Value, behaviour: Behaviour, seed: int) -> Reply:
    """The message that the request asks for."""
    turns = turns_of(ask)
    shape = [ask.get(name) for name in ("messages", "system", "tools", "tool_choice", "stop_sequences")]
    digest = digest_of(seed, "anthropic", ask["model"], shape, ask.get("thinking"), _schema(ask))
    made = Draft((), (), [], "content_filter")
    if not behaviour.blocked:
        made = draft(_wish(ask, turns, behaviour, digest), behaviour)
    usage = None if behaviour.usage == "never" else _usage(ask, turns, behaviour, made)
    whole = _Made(ask, digest, made, usage, behaviour.blocked)
    if ask.get("stream"):
        return Reply(
            content_type=SSE_TYPE,
            events=_events(whole, behaviour),
            tokens=made.tokens,
            digest=digest,
            error_event=_ERROR_EVENT,
            broken_event=_BROKEN_EVENT,
            api=API,
        )
    message = _message(whole) | {"content": _blocks(whole, behaviour), **_end(whole)}
    if usage is not None:
        message["usage"] = usage
    return json_reply(message, digest, made.tokens, API)


def _wish(ask: Value, turns: Sequence[Turn], behaviour: Behaviour, digest: str) -> Wish:
    declared = [
        Tool(tool["name"], tool["input_schema"]) for tool in listed(ask, "tools") if "input_schema" in tool
    ]
    choice = within(ask, "tool_choice")
    answered = any(turns[-1].of_type("tool_result"))
    kind = str(choice.get("type", "auto"))
    known: str | Value = choice if kind == "tool" else {"any": "required"}.get(kind, kind)
    tools, calls = wanted_calls(declared, known, behaviour, answered=answered)
    return Wish(
        digest=digest,
        echo=_echo(turns),
        tools=tools,
        calls=min(calls, 1) if choice.get("disable_parallel_tool_use") else calls,
        schema=_schema(ask),
        stop=texts(ask, "stop_sequences"),
        limit=ask["max_tokens"],
        thinking=within(ask, "thinking").get("type") in {"enabled", "adaptive"},
    )


def _schema(ask: Value) -> object | None:
    form = within(ask, "output_config", "format") or within(ask, "output_format")
    return (form["schema"] or ANY_OBJECT) if form else None


def _echo(turns: Sequence[Turn]) -> str:
    """The text of the last user message that has one; a tool's result is not one."""
    for turn in reversed(turns):
        found = [block["text"] for _, block in turn.of_type("text")]
        if turn.role == "user" and found:
            return "\n".join(found)
    return ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or ())


def prompt_tokens(ask: Value, turns: Sequence[Turn]) -> int:
    """Input tokens: of the texts, 3 a message and 3 for the answer's start, 85 an image, and the tools."""
    total = PER_MESSAGE + declared_tokens(ask.get("tools")) + count_tokens(_text_of(ask.get("system")))
    for turn in turns:
        total += PER_MESSAGE
        for block in turn.blocks:
            kind = block["type"]
            if kind in {"image", "document"}:
                total += PER_IMAGE
            elif kind == "tool_use":
                total += count_tokens(msgspec.json.encode(block["input"]).decode())
            elif kind in {"text", "thinking"}:
                total += count_tokens(block[kind])
            elif kind == "tool_result":
                total += count_tokens(_text_of(block.get("content")))
    return total


def _usage(ask: Value, turns: Sequence[Turn], behaviour: Behaviour, made: Draft) -> Value:
    prompt = prompt_tokens(ask, turns)
    read_tokens, written = cached_tokens(behaviour, prompt), written_tokens(behaviour, prompt)
    usage: Value = {
        "input_tokens": prompt - read_tokens - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": made.tokens,
        "service_tier": _TIERS.get(behaviour.service_tier, "standard"),
        "inference_geo": "global",
    }
    if made.reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": len(made.reasoning)}
    return usage


def _message(whole: _Made) -> Value:
    """The message before anything is said."""
    return {
        "model": whole.ask["model"],
        "id": f"msg_01{whole.digest[:22]}",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }


def _end(whole: _Made) -> Value:
    """Why the message ends."""
    reason = _STOPS[whole.draft.finish]
    refusal = {"type": "refusal", "category": None, "explanation": "Simulated: the content was filtered."}
    return {
        "stop_reason": "stop_sequence" if whole.draft.stopped else reason,
        "stop_sequence": whole.draft.stopped or None,
        "stop_details": refusal if reason == "refusal" else None,
    }


def _blocks(whole: _Made, behaviour: Behaviour) -> list[Value]:
    made, found = whole.draft, list[Value]()
    if made.reasoning:
        shown, thought = _thought(whole, behaviour)
        found.append(thought if behaviour.redacted else thought | {"thinking": "".join(shown)})
    if made.pieces:
        found.append({"type": "text", "text": "".join(made.pieces)})
    found += [
        {**_tool_use(call), "input": arguments_of(call, broken=behaviour.broken_arguments)}
        for call in made.calls
    ]
    return found


def _thought(whole: _Made, behaviour: Behaviour) -> tuple[Sequence[str], Value]:
    """What is shown of the thinking, and its block with a signature but without that text."""
    if behaviour.redacted:
        return (), {"type": "redacted_thinking", "data": sign(SIGNED, None, whole.digest)}
    hidden = within(whole.ask, "thinking").get("display") == "omitted"
    shown = () if hidden else whole.draft.reasoning
    signature = sign(SIGNED, "".join(shown), whole.digest)
    return shown, {"type": "thinking", "thinking": "", "signature": signature}


def _tool_use(call: Call) -> Value:
    return {"type": "tool_use", "id": f"toolu_{call.id.removeprefix('call_')}", "name": call.name, "input": {}}


def _events(whole: _Made, behaviour: Behaviour) -> Iterator[bytes]:
    """The message as events: each block in its own, then how it ended."""
    message = _message(whole)
    if whole.usage is not None:
        early = {key: value for key, value in whole.usage.items() if key != "output_tokens_details"}
        message["usage"] = early | {"output_tokens": 1}
    yield typed_event("message_start", {"type": "message_start", "message": message})
    for index, (block, deltas) in enumerate(_sections(whole, behaviour)):
        start = {"type": "content_block_start", "index": index, "content_block": block}
        yield typed_event("content_block_start", start)
        if index == 0:
            yield typed_event("ping", {"type": "ping"})
        for delta in deltas:
            value = {"type": "content_block_delta", "index": index, "delta": delta}
            yield typed_event("content_block_delta", value)
        yield typed_event("content_block_stop", {"type": "content_block_stop", "index": index})
    last: Value = {"type": "message_delta", "delta": _end(whole)}
    if whole.usage is not None:
        unsaid = {"cache_creation", "service_tier", "inference_geo"}
        last["usage"] = {key: value for key, value in whole.usage.items() if key not in unsaid}
    yield typed_event("message_delta", last)
    if behaviour.done:
        yield typed_event("message_stop", {"type": "message_stop"})


def _sections(whole: _Made, behaviour: Behaviour) -> Iterator[tuple[Value, Iterator[Value]]]:
    """Each block as it starts, and its deltas."""
    made = whole.draft
    if made.reasoning:
        shown, block = _thought(whole, behaviour)
        if behaviour.redacted:
            yield block, iter(())
        else:
            yield block | {"signature": ""}, _thinking_deltas(shown, block["signature"])
    if made.pieces:
        yield {"type": "text", "text": ""}, ({"type": "text_delta", "text": piece} for piece in made.pieces)
    for call in made.calls:
        pieces = ["", *call.pieces]
        yield _tool_use(call), ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)


def _thinking_deltas(shown: Sequence[str], signature: str) -> Iterator[Value]:
    for piece in shown:
        yield {"type": "thinking_delta", "thinking": piece}
    yield {"type": "signature_delta", "signature": signature}


def _count(ask: Value, _behaviour: Behaviour, seed: int) -> Reply:
    body = {"input_tokens": prompt_tokens(ask, turns_of(ask))}
    return json_reply(body, digest_of(seed, "anthropic count", ask), 0, API)


def _model(name: str) -> Value:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2025-06-15T00:00:00Z"}


def _models(name: str) -> Reply:
    if name:
        return json_reply(_model(name), "", 0, API)
    data = [_model(each.example) for each in NAMES]
    body = {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
    return json_reply(body, "", 0, API)
