"""Why a response ended, and how its status says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from penstock.core.chat import FinishReason
from penstock.core.parts import Part, Refused, ToolCall

# An incomplete response that does not say why was cut off.
_REASONS: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "incomplete": "length",
}
_INCOMPLETE: dict[FinishReason, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
_RUNNING = frozenset({"in_progress", "queued"})


def finish_of(response: dict[str, Any], *, calls: bool, refused: bool) -> tuple[FinishReason | None, str]:
    """The reason and the vendor's word for it; None while the response is not complete."""
    said = response.get("status")
    status = said if isinstance(said, str) else ""
    details = response.get("incomplete_details")
    reason = cast("dict[str, Any]", details).get("reason") if isinstance(details, dict) else None
    if status in _RUNNING:
        return None, status
    if status == "incomplete" or isinstance(reason, str):
        word = reason if isinstance(reason, str) else "incomplete"
        return _REASONS.get(word, "other"), word
    if status == "failed":
        error = response.get("error")
        code = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
        return "error", code if isinstance(code, str) else "failed"
    if status == "cancelled":
        return "other", "cancelled"
    if calls:
        return "tool_calls", "completed"
    return ("refusal" if refused else "stop"), "completed"


def finish_of_parts(response: dict[str, Any], parts: Iterable[Part]) -> tuple[FinishReason | None, str]:
    """The same for the parts of a whole answer."""
    kinds = {type(part) for part in parts}
    return finish_of(response, calls=ToolCall in kinds, refused=Refused in kinds)


def status_fields(finish: FinishReason | None, *, refused: bool) -> dict[str, Any]:
    """`status`, `incomplete_details` and `error` of a complete response; `refused`: it declines in words."""
    if finish == "error":
        error = {"code": "server_error", "message": "The model stopped because of an error."}
        return {"status": "failed", "incomplete_details": None, "error": error}
    reason = _INCOMPLETE.get(finish) if finish is not None and not (finish == "refusal" and refused) else None
    if reason is None:
        return {"status": "completed", "incomplete_details": None, "error": None}
    return {"status": "incomplete", "incomplete_details": {"reason": reason}, "error": None}
