"""Why an answer ended: `stopReason`."""

from __future__ import annotations

from penstock.core.chat import FinishReason

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "refusal": "refusal",
    "pause_turn": "pause",
}
_STOP_REASON: dict[FinishReason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "refusal": "content_filtered",
    "pause": "end_turn",
    "error": "malformed_model_output",
    "other": "end_turn",
}


def finish_of(stop_reason: str) -> FinishReason:
    """The pivot's word; `other` for one that is new."""
    return _FINISH.get(stop_reason, "other")


def stop_reason_of(finish: FinishReason | None, native: str, *, own: bool) -> str:
    """Bedrock's word: the vendor's own where it said so and it still holds."""
    if own and native and (finish is None or finish_of(native) == finish):
        return native
    return _STOP_REASON[finish] if finish is not None else "end_turn"
