"""Why an answer ended, in Cohere's words."""

from __future__ import annotations

from penstock.core.chat import Choice, FinishReason

FINISH: dict[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "length",
}
_NATIVE: dict[FinishReason, str] = {
    "stop": "COMPLETE",
    "stop_sequence": "STOP_SEQUENCE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "error": "ERROR",
}


def finish_of(word: str) -> FinishReason:
    """The pivot's reason; an unknown word is `other`."""
    return FINISH.get(word, "other")


def word_of(finish: FinishReason | None, native: str, *, own: bool) -> str:
    """Cohere's word: the vendor's own where it still says the same, else the nearest."""
    if own and native and finish_of(native) == finish:
        return native
    return _NATIVE.get(finish or "stop", "COMPLETE")


def word_of_choice(choice: Choice, *, own: bool) -> str:
    """Cohere's word for a whole answer's end."""
    return word_of(choice.finish, choice.native, own=own)
