"""Bedrock: Converse, and Claude through invoke.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
…/API_runtime_ConverseStream.html and …/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import base64
import json
from typing import Any

from penstock.wire.aws_events import encode_message
from tests.providers.forms import anthropic
from tests.providers.forms.form import (
    CACHED,
    CALL_ARGUMENTS,
    CALL_ID,
    CALL_NAME,
    INPUT,
    MODEL,
    OUTPUT,
    TEXT,
    Form,
)
from tests.translation.upstream import Answer

_USAGE = {
    "inputTokens": INPUT - CACHED,
    "outputTokens": OUTPUT,
    "totalTokens": INPUT + OUTPUT,
    "cacheReadInputTokens": CACHED,
}
_START = {"toolUse": {"toolUseId": CALL_ID, "name": CALL_NAME}}
_CALL = {"toolUse": {"toolUseId": CALL_ID, "name": CALL_NAME, "input": {"city": "Bern", "days": 3}}}


def _whole(block: dict[str, Any], reason: str) -> Answer:
    message = {"message": {"role": "assistant", "content": [block]}}
    return Answer({"output": message, "stopReason": reason, "usage": _USAGE, "metrics": {"latencyMs": 9}})


def _messages(events: list[tuple[str, dict[str, Any]]]) -> Answer:
    raw = b"".join([
        encode_message(
            {":message-type": "event", ":event-type": name, ":content-type": "application/json"},
            json.dumps(payload).encode(),
        )
        for name, payload in events
    ])  # fmt: skip
    return Answer(content_type="application/vnd.amazon.eventstream", raw=raw)


def _stream(start: dict[str, Any] | None, deltas: list[dict[str, Any]], reason: str) -> Answer:
    events: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    if start is not None:
        events.append(("contentBlockStart", {"contentBlockIndex": 0, "start": start}))
    events += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in deltas]
    events += [
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": reason}),
        ("metadata", {"usage": _USAGE, "metrics": {"latencyMs": 9}}),
    ]
    return _messages(events)


def _error(status: int, name: str, text: str) -> Answer:
    return Answer({"message": text}, status=status, headers={"x-amzn-errortype": name})


def _chunks(events: list[dict[str, Any]]) -> Answer:
    return _messages([
        ("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"})
        for event in events
    ])  # fmt: skip


CONVERSE = Form(
    path=lambda stream: f"/model/{MODEL}/converse{'-stream' if stream else ''}",
    text=_whole({"text": "".join(TEXT)}, "end_turn"),
    text_stream=_stream(None, [{"text": piece} for piece in TEXT], "end_turn"),
    call=_whole(_CALL, "tool_use"),
    call_stream=_stream(_START, [{"toolUse": {"input": piece}} for piece in CALL_ARGUMENTS], "tool_use"),
    refusal=lambda status, text: _error(status, "ValidationException", text),
    wrong_key=lambda _key: _error(
        403, "UnrecognizedClientException", "The security token included in the request is invalid."
    ),
    cap=("inferenceConfig", "maxTokens"),
    tool=("toolConfig", "tools", 0, "toolSpec", "name"),
    names_model=False,
)
INVOKE = Form(
    path=lambda stream: f"/model/{MODEL}/invoke{'-with-response-stream' if stream else ''}",
    text=Answer(anthropic.whole(anthropic.TEXT_BLOCK, "end_turn")),
    text_stream=_chunks(anthropic.TEXT_EVENTS),
    call=Answer(anthropic.whole(anthropic.CALL_BLOCK, "tool_use")),
    call_stream=_chunks(anthropic.CALL_EVENTS),
    refusal=CONVERSE.refusal,
    wrong_key=CONVERSE.wrong_key,
    cap=("max_tokens",),
    tool=("tools", 0, "name"),
    names_model=False,
)
