"""The Messages API, at Anthropic and on Vertex AI.

https://platform.claude.com/docs/en/api/messages and
https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from tests.translation.upstream import Answer, sse

_USAGE = {"input_tokens": INPUT - CACHED, "cache_read_input_tokens": CACHED, "output_tokens": OUTPUT}
_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "stop_sequence": None,
    "usage": _USAGE,
}


def whole(block: dict[str, Any], reason: str) -> dict[str, Any]:
    """A message with one block."""
    return {**_MESSAGE, "content": [block], "stop_reason": reason}


def events(start: dict[str, Any], deltas: list[dict[str, Any]], reason: str) -> list[dict[str, Any]]:
    """The events of a message with one block."""
    first: dict[str, Any] = {
        **_MESSAGE,
        "content": [],
        "stop_reason": None,
        "usage": {**_USAGE, "output_tokens": 1},
    }
    return [
        {"type": "message_start", "message": first},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": OUTPUT},
        },
        {"type": "message_stop"},
    ]


TEXT_BLOCK = {"type": "text", "text": "".join(TEXT)}
CALL_BLOCK = {"type": "tool_use", "id": CALL_ID, "name": CALL_NAME, "input": {"city": "Bern", "days": 3}}
TEXT_EVENTS = events(
    {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in TEXT], "end_turn"
)
CALL_EVENTS = events(
    {**CALL_BLOCK, "input": {}},
    [{"type": "input_json_delta", "partial_json": piece} for piece in CALL_ARGUMENTS],
    "tool_use",
)


def _error(status: int, kind: str, text: str) -> Answer:
    return Answer({"type": "error", "error": {"type": kind, "message": text}}, status=status)


FORM = Form(
    path=lambda _stream: "/messages",
    text=Answer(whole(TEXT_BLOCK, "end_turn")),
    text_stream=sse(*TEXT_EVENTS, names=True),
    call=Answer(whole(CALL_BLOCK, "tool_use")),
    call_stream=sse(*CALL_EVENTS, names=True),
    refusal=lambda status, text: _error(status, "invalid_request_error", text),
    wrong_key=lambda _key: _error(401, "authentication_error", "invalid x-api-key"),
    cap=("max_tokens",),
    tool=("tools", 0, "name"),
)


def _vertex_path(stream: bool) -> str:
    return f"/models/{MODEL}:{'streamRawPredict' if stream else 'rawPredict'}"


def _unauthenticated(_key: str) -> Answer:
    error = {
        "code": 401,
        "message": "Request had invalid authentication credentials.",
        "status": "UNAUTHENTICATED",
    }
    return Answer({"error": error}, status=401)


ON_VERTEX = replace(FORM, path=_vertex_path, wrong_key=_unauthenticated, names_model=False)
