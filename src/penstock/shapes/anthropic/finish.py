"""Why an answer ended: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons."""

from __future__ import annotations

from penstock.core.chat import FinishReason

_READ: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
}
_WRITE: dict[FinishReason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "error": "end_turn",
    "other": "end_turn",
}


def read_finish(native: str) -> FinishReason:
    """The pivot's reason for Anthropic's."""
    return _READ.get(native, "other")


def write_finish(finish: FinishReason, native: str) -> str:
    """Anthropic's reason; `native` (of this shape) is kept where it means the same."""
    return native if native and read_finish(native) == finish else _WRITE[finish]


def foreign_finish(finish: FinishReason | None, *, calls: bool) -> str:
    """The reason for another vendor's answer, which may say nothing, or `stop` where tools are called."""
    if calls and finish in (None, "stop", "tool_calls"):
        return "tool_use"
    return _WRITE[finish or "stop"]
