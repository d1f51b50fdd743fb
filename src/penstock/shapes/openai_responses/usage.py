"""Token counts of a response."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras
from penstock.core.usage import NO_TOOLS, ToolUse, Usage
from penstock.shapes.billed import billed
from penstock.shapes.openai_responses.names import SHAPE, is_own, wire_fields


def decode_usage(value: dict[str, Any], tools: ToolUse = NO_TOOLS) -> ReplyUsage:
    """The counts, and the vendor's own object in full; `tools` is what the response tells beside it."""
    return ReplyUsage(_counts(value), billed(value), Extras(SHAPE, value), tools)


def _n(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _inside(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _counts(value: dict[str, Any]) -> Usage:
    asked, made = _inside(value, "input_tokens_details"), _inside(value, "output_tokens_details")
    return Usage(
        input_tokens=_n(value.get("input_tokens")),
        output_tokens=_n(value.get("output_tokens")),
        cache_read_tokens=_n(asked.get("cached_tokens")),
        cache_write_tokens=_n(asked.get("cache_write_tokens")),
        reasoning_tokens=_n(made.get("reasoning_tokens")),
        audio_input_tokens=_n(asked.get("audio_tokens")),
        audio_output_tokens=_n(made.get("audio_tokens")),
        image_input_tokens=_n(asked.get("image_tokens")),
        image_output_tokens=_n(made.get("image_tokens")),
    )


def encode_usage(usage: ReplyUsage) -> dict[str, Any]:
    """As the vendor wrote it; the counts of another vendor, or changed ones, in the API's own object."""
    counts = usage.counts
    out = wire_fields(usage.extras)
    if is_own(usage.extras) and _counts(out) == counts:
        return out
    out["input_tokens"] = counts.input_tokens
    out["input_tokens_details"] = {
        **_inside(out, "input_tokens_details"),
        "cached_tokens": counts.cache_read_tokens,
        "cache_write_tokens": counts.cache_write_tokens,
    }
    out["output_tokens"] = counts.output_tokens
    out["output_tokens_details"] = {
        **_inside(out, "output_tokens_details"),
        "reasoning_tokens": counts.reasoning_tokens,
    }
    out["total_tokens"] = counts.input_tokens + counts.output_tokens
    return out
