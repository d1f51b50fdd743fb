"""Why an answer ended, in Google's words and the pivot's.

https://ai.google.dev/api/generate-content#FinishReason, the numbers from the API's protocol buffers.
"""

from __future__ import annotations

from penstock.core.chat import FinishReason

_FINISH: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "JAILBREAK": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
}
_REASON: dict[FinishReason, str] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "OTHER",
    "error": "OTHER",
    "other": "OTHER",
}
_NUMBERS = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")


def read_finish(native: str, *, calls: bool) -> FinishReason:
    """The pivot's reason; `calls` is whether the answer asks for functions, which Google does not say."""
    finish = _FINISH.get(native, "other")
    return "tool_calls" if finish == "stop" and calls else finish


def write_finish(finish: FinishReason, native: str) -> str:
    """Google's word: the one that came, where it still says the same."""
    known = _FINISH.get(native, "other")
    if native and (known == finish or (known == "stop" and finish == "tool_calls")):
        return native
    return _REASON[finish]


def native_of(value: object) -> tuple[str, int | None] | None:
    """The name of a reason that came as a word, or as a number (`alt=json;enum-encoding=int`)."""
    if isinstance(value, str):
        return (value, None) if value else None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return _NUMBERS[value] if value < len(_NUMBERS) else f"FINISH_REASON_{value}", value
    return None
