"""Cohere's chat, version 2: https://docs.cohere.com/reference/chat and …/reference/chat-stream."""

from __future__ import annotations

from typing import Any

from tests.providers.forms.form import CALL_ARGUMENTS, CALL_ID, CALL_NAME, INPUT, OUTPUT, TEXT, Form
from tests.translation.upstream import Answer, sse

_USAGE = {
    "billed_units": {"input_tokens": INPUT, "output_tokens": OUTPUT},
    "tokens": {"input_tokens": INPUT, "output_tokens": OUTPUT},
}
_FUNCTION = {"name": CALL_NAME, "arguments": "".join(CALL_ARGUMENTS)}


def _whole(message: dict[str, Any], finish: str) -> Answer:
    return Answer({
        "id": "c-1", "finish_reason": finish, "message": {"role": "assistant", **message}, "usage": _USAGE,
    })  # fmt: skip


def _event(kind: str, message: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    delta = {"delta": {"message": message}} if message is not None else {}
    return {"type": kind, **more, **delta}


def _stream(events: list[dict[str, Any]], finish: str) -> Answer:
    return sse(
        _event("message-start", {"role": "assistant", "content": []}, id="c-1"),
        *events,
        {"type": "message-end", "delta": {"finish_reason": finish, "usage": _USAGE}},
        names=True,
    )


_TEXT = [
    _event("content-start", {"content": {"type": "text", "text": ""}}, index=0),
    *[_event("content-delta", {"content": {"text": piece}}, index=0) for piece in TEXT],
    _event("content-end", index=0),
]
_HEAD = {"id": CALL_ID, "type": "function", "function": {"name": CALL_NAME, "arguments": ""}}
_CALL = [
    _event("tool-call-start", {"tool_calls": _HEAD}, index=0),
    *[
        _event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=0)
        for piece in CALL_ARGUMENTS
    ],
    _event("tool-call-end", index=0),
]

FORM = Form(
    path=lambda _stream: "/chat",
    text=_whole({"content": [{"type": "text", "text": "".join(TEXT)}]}, "COMPLETE"),
    text_stream=_stream(_TEXT, "COMPLETE"),
    call=_whole({"tool_calls": [{"id": CALL_ID, "type": "function", "function": _FUNCTION}]}, "TOOL_CALL"),
    call_stream=_stream(_CALL, "TOOL_CALL"),
    refusal=lambda status, text: Answer({"id": "e-1", "message": text}, status=status),
    wrong_key=lambda _key: Answer({"id": "e-1", "message": "invalid api token"}, status=401),
    cap=("max_tokens",),
    tool=("tools", 0, "function", "name"),
    caches=False,
)
