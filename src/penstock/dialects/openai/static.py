"""A fixed text as an answer in the OpenAI dialect, for the `static` terminal of a policy."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


def static_answer(endpoint: str, text: str, model: str, request_id: str, created_s: int) -> bytes | None:
    """The whole answer, or None where the endpoint has no text to answer with."""
    if endpoint == "chat":
        message = {"role": "assistant", "content": text, "refusal": None}
        choice: dict[str, Any] = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return _encode(_chat("chat.completion", request_id, created_s, model, [choice]))
    if endpoint == "completions":
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
        return _encode(_chat("text_completion", request_id, created_s, model, [choice]))
    return None


def static_stream(
    endpoint: str, text: str, model: str, request_id: str, created_s: int
) -> tuple[bytes, bytes] | None:
    """The stream in two pieces, the second of which ends it; None where the endpoint has no such stream."""
    if endpoint == "chat":
        deltas: list[dict[str, Any]] = [
            {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None},
            {"index": 0, "delta": {}, "finish_reason": "stop"},
        ]
        kind = "chat.completion.chunk"
    elif endpoint == "completions":
        deltas = [{"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}]
        kind = "text_completion"
    else:
        return None
    events = [b"data: " + _encode(_chat(kind, request_id, created_s, model, [d])) + b"\n\n" for d in deltas]
    return b"".join(events), b"data: [DONE]\n\n"


def _chat(
    kind: str, request_id: str, created_s: int, model: str, choices: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request_id}",
        "object": kind,
        "created": created_s,
        "model": model,
        "choices": choices,
    }
