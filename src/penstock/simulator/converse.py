"""Bedrock's Converse API: messages, whole and as a binary event stream, and the errors in AWS's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from penstock.simulator.asks import digest_of
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.converse_request import SIGNED, blocks_of, read, thinking_of
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
from penstock.simulator.reply import Api, Prepared, Reply, Request, json_reply
from penstock.simulator.signature import sign
from penstock.simulator.strict import listed, texts, within
from penstock.simulator.words import count_tokens
from penstock.wire.aws_events import encode_message

Value = dict[str, Any]
PER_MESSAGE = 3
PER_MEDIUM = 85
STREAM_TYPE = "application/vnd.amazon.eventstream"
BLOCKED = "Sorry, the model cannot answer this question."
_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}
_ERRORS: dict[int, tuple[str, str]] = {
    400: ("ValidationException", "Simulated: the request is not valid."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "Simulated: you do not have access to the model with this id."),
    404: ("ResourceNotFoundException", "Simulated: the model was not found."),
    408: ("ModelTimeoutException", "Simulated: the model took too long."),
    424: ("ModelErrorException", "Simulated: the model had an error while processing the request."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: ("InternalServerException", "The system encountered an unexpected error during processing."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}
# Bedrock fills each event up to a length that tells nothing of the text.
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _error(status: int, message: str, digest: str) -> Reply:
    kind, usual = _ERRORS.get(status, _ERRORS[400] if status < 500 else _ERRORS[500])
    body = msgspec.json.encode({"message": message or usual})
    headers = (("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),)
    return Reply(status=status, body=body, digest=digest, headers=headers, api=API)


API = Api(
    error=_error,
    wrong_key=(403, "Authentication failed: Please make sure your API Key is valid."),
    id_header="x-amzn-requestid",
    id_form="{:.8}-0000-4000-8000-000000000000",
    head="",
    garbage=b'{"metrics": {"latencyMs": 100}, "output": {"mess',
)


class _Made(NamedTuple):
    """Everything that an answer says; `usage` is None where none is reported."""

    digest: str
    draft: Draft
    usage: Value | None
    tier: str
    behaviour: Behaviour


def prepare(request: Request) -> Prepared:
    """A request to converse, whole or streamed. Raises Refused."""
    ask = read(request.body)
    stream = request.action == "converse-stream"
    user = within(ask, "requestMetadata").get("user", "")
    return Prepared(request.model, stream, user, partial(answer, ask, request.model, stream=stream))


def answer(ask: Value, model: str, behaviour: Behaviour, seed: int, *, stream: bool) -> Reply:
    """The message that the request asks for."""
    shape = [ask.get(name) for name in ("messages", "system", "toolConfig", "outputConfig")]
    digest = digest_of(seed, "converse", model, shape, thinking_of(ask))
    said = Draft((), (BLOCKED,), [], "content_filter")
    if not behaviour.blocked:
        said = draft(_wish(ask, behaviour, digest), behaviour)
    usage = None if behaviour.usage == "never" else _usage(ask, behaviour, said)
    tier = behaviour.service_tier or within(ask, "serviceTier").get("type", "")
    made = _Made(digest, said, usage, tier, behaviour)
    if stream:
        return Reply(
            content_type=STREAM_TYPE,
            events=_events(made),
            tokens=said.tokens,
            digest=digest,
            error_event=_exception("internalServerException", _ERRORS[500][1]),
            broken_event=_framed("contentBlockDelta", b'{"contentBlockIndex":0,"del'),
            api=API,
        )
    message = {"content": _blocks(made), "role": "assistant"}
    body: Value = {"metrics": {"latencyMs": _latency(made)}, "output": {"message": message}}
    body["stopReason"] = _stop(made)
    if usage is not None:
        body["usage"] = usage
    if tier:
        body["serviceTier"] = {"type": tier}
    return json_reply(body, digest, said.tokens, API)


def _latency(made: _Made) -> int:
    return 100 + made.draft.tokens


def _wish(ask: Value, behaviour: Behaviour, digest: str) -> Wish:
    config = within(ask, "toolConfig")
    specs = [tool["toolSpec"] for tool in listed(config, "tools") if "toolSpec" in tool]
    declared = [Tool(each["name"], each["inputSchema"]["json"]) for each in specs]
    choice = within(config, "toolChoice")
    known = within(choice, "tool") or ("required" if "any" in choice else "auto")
    answered = bool(blocks_of(ask["messages"][-1], "toolResult"))
    tools, calls = wanted_calls(declared, known, behaviour, answered=answered)
    inference = within(ask, "inferenceConfig")
    return Wish(
        digest=digest,
        echo=_echo(ask["messages"]),
        tools=tools,
        calls=calls,
        schema=_schema(ask),
        stop=texts(inference, "stopSequences"),
        limit=inference.get("maxTokens"),
        thinking=thinking_of(ask).get("type") in {"enabled", "adaptive"},
    )


def _schema(ask: Value) -> object | None:
    """The schema of structured output, which is JSON within a string."""
    form = within(ask, "outputConfig", "textFormat")
    if not form:
        return None
    try:
        return msgspec.json.decode(form["structure"]["jsonSchema"]["schema"])
    except msgspec.DecodeError:
        return ANY_OBJECT


def _echo(messages: Sequence[Value]) -> str:
    """The text of the last user message that has one; a tool's result is not one."""
    for message in reversed(messages):
        if message["role"] == "user" and (found := blocks_of(message, "text")):
            return "\n".join(str(each) for each in found)
    return ""


def prompt_tokens(ask: Value) -> int:
    """Input tokens: of the texts, 3 a message and 3 for the answer's start, 85 a medium, and the tools."""
    total = PER_MESSAGE + declared_tokens(listed(within(ask, "toolConfig"), "tools"))
    total += sum(count_tokens(block.get("text", "")) for block in listed(ask, "system"))
    for message in ask["messages"]:
        total += PER_MESSAGE
        for block in message["content"]:
            total += count_tokens(block.get("text", ""))
            total += PER_MEDIUM * any(kind in block for kind in ("image", "document", "video", "audio"))
            use, result = block.get("toolUse"), block.get("toolResult")
            said = use["input"] if use else result["content"] if result else None
            total += count_tokens(msgspec.json.encode(said).decode()) if said else 0
    return total


def _usage(ask: Value, behaviour: Behaviour, said: Draft) -> Value:
    prompt = prompt_tokens(ask)
    cached, written = cached_tokens(behaviour, prompt), written_tokens(behaviour, prompt)
    usage: Value = {
        "inputTokens": prompt - cached - written,
        "outputTokens": said.tokens,
        "totalTokens": prompt + said.tokens,
        "serverToolUsage": {},
    }
    if behaviour.cached is not None or written:
        usage |= {"cacheReadInputTokens": cached, "cacheWriteInputTokens": written}
    return usage


def _stop(made: _Made) -> str:
    if made.behaviour.blocked:
        return "guardrail_intervened"
    return "stop_sequence" if made.draft.stopped else _STOPS[made.draft.finish]


def _blocks(made: _Made) -> list[Value]:
    found: list[Value] = []
    if made.draft.reasoning:
        text = "".join(made.draft.reasoning)
        thought: Value = {"reasoningText": {"signature": sign(SIGNED, text, made.digest), "text": text}}
        if made.behaviour.redacted:
            thought = {"redactedContent": sign(SIGNED, None, made.digest)}
        found.append({"reasoningContent": thought})
    if made.draft.pieces:
        found.append({"text": "".join(made.draft.pieces)})
    broken = made.behaviour.broken_arguments
    found += [
        {"toolUse": {"input": arguments_of(call, broken=broken), **_use(call)}} for call in made.draft.calls
    ]
    return found


def _use(call: Call) -> Value:
    return {"name": call.name, "toolUseId": f"tooluse_{call.id.removeprefix('call_')[2:]}"}


def _framed(kind: str, payload: bytes) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return encode_message(headers, payload)


def _event(kind: str, value: Value) -> bytes:
    payload = msgspec.json.encode(value)
    return _framed(kind, msgspec.json.encode(value | {"p": _PADDING[: 1 + len(payload) * 7 % 60]}))


def _exception(kind: str, message: str) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return encode_message(headers, msgspec.json.encode({"message": message}))


def _events(made: _Made) -> Iterator[bytes]:
    """The message as events: only blocks of tools have a start of their own."""
    yield _event("messageStart", {"role": "assistant"})
    for index, (start, deltas) in enumerate(_sections(made)):
        place = {"contentBlockIndex": index}
        if start is not None:
            yield _event("contentBlockStart", place | {"start": start})
        for delta in deltas:
            yield _event("contentBlockDelta", place | {"delta": delta})
        yield _event("contentBlockStop", place)
    yield _event("messageStop", {"stopReason": _stop(made)})
    last: Value = {"metrics": {"latencyMs": _latency(made)}}
    if made.usage is not None:
        last["usage"] = made.usage
    if made.tier:
        last["serviceTier"] = {"type": made.tier}
    yield _event("metadata", last)


def _sections(made: _Made) -> Iterator[tuple[Value | None, Iterator[Value]]]:
    """Each block's start, where it has one, and its deltas."""
    if made.draft.reasoning:
        yield None, _thoughts(made)
    if made.draft.pieces:
        yield None, ({"text": piece} for piece in made.draft.pieces)
    for call in made.draft.calls:
        yield {"toolUse": _use(call)}, ({"toolUse": {"input": piece}} for piece in call.pieces)


def _thoughts(made: _Made) -> Iterator[Value]:
    if made.behaviour.redacted:
        yield {"reasoningContent": {"redactedContent": sign(SIGNED, None, made.digest)}}
        return
    for piece in made.draft.reasoning:
        yield {"reasoningContent": {"text": piece}}
    signature = sign(SIGNED, "".join(made.draft.reasoning), made.digest)
    yield {"reasoningContent": {"signature": signature}}
