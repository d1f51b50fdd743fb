"""Why an answer ended, in OpenAI's words and those of compatible vendors."""

from __future__ import annotations

from penstock.core.chat import FinishReason

_READ: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",  # before tool_calls
    "eos": "stop",  # Together
    "end_turn": "stop",  # proxies of Anthropic
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "model_length": "length",  # Mistral
    "insufficient_system_resource": "error",  # DeepSeek
    "error": "error",
    "abort": "error",  # SGLang
}
# What clients' types know (the SDKs' enumeration); any other word would fail a strict client.
_WRITTEN: dict[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "error": "stop",
    "other": "stop",
}
_PLAIN = frozenset({"stop", "length", "tool_calls", "content_filter"})


def read_finish(native: str) -> FinishReason:
    """The reason that a vendor's word means."""
    return _READ.get(native, "other")


def is_plain(native: str) -> bool:
    """Whether the reason alone gives back the vendor's word."""
    return native in _PLAIN


def write_finish(finish: FinishReason, native: str, *, own: bool, refused: bool = False) -> str:
    """The word for a reason: `own` says that `native` is a word of this shape, kept where it still fits.

    `refused`: the model declines in words, which this API tells in a `refusal` that ends with `stop`; a refusal
    without words is the vendor's, who withheld them.
    """
    if own and (_READ.get(native, "other") == finish or finish in ("stop_sequence", "refusal")):
        return native
    if finish == "refusal" and refused:
        return "stop"
    return _WRITTEN[finish]
